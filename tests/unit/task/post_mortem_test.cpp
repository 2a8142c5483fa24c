// The summary block and the likely cause in it: one test for each of the commonest ends.
#include "task/post_mortem.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::task {
namespace {

using mesos::Reason;
using mesos::TaskState;

Report ended(TaskState state, const std::string& message, Reason reason = Reason::none) {
  Report report;
  report.task_id = "web-1";
  report.outcome = Outcome{state, reason, message, {}, 0};
  return report;
}

Report launch_failed(const std::string& why) {
  Report report = ended(TaskState::failed, why, Reason::container_launch_failed);
  report.launch_failure = why;
  return report;
}

Report said(const std::string& message, const std::string& last_words) {
  Report report = ended(TaskState::failed, message);
  report.logs_copied = true;
  report.last_words = last_words;
  return report;
}

struct Cause {
  const char* name;
  Report report;
  const char* says;  ///< part of the likely cause
};
void PrintTo(const Cause& cause, std::ostream* out) { *out << cause.name; }

class LikelyCauseTest : public ::testing::TestWithParam<Cause> {};

TEST_P(LikelyCauseTest, IsNamed) {
  const std::string cause = likely_cause(GetParam().report);
  EXPECT_NE(cause.find(GetParam().says), std::string::npos) << cause;
}

INSTANTIATE_TEST_SUITE_P(
    Launch, LikelyCauseTest,
    ::testing::Values(
        Cause{"NoSuchImage",
              launch_failed("pull image app:9: manifest unknown: manifest unknown (404)"),
              "no such tag"},
        Cause{"RegistryRefused", launch_failed("pull image app:9: unauthorized: access denied"),
              "refused the credentials"},
        Cause{"RegistryWantsALogin", launch_failed("pull image x: no basic auth credentials"),
              "wants a login"},
        Cause{"PortTaken",
              launch_failed("start container 1: driver failed programming external connectivity: "
                            "Bind for 0.0.0.0:31000 failed: port is already allocated"),
              "holds the port"},
        Cause{"ExecFormat", launch_failed("start container 1: exec /app: exec format error"),
              "another CPU architecture"},
        Cause{"NoSuchCommand",
              launch_failed("start container 1: exec: \"serve\": executable file not found in "
                            "$PATH: unknown"),
              "not in the image"},
        Cause{"PodmanNoInit",
              launch_failed("create container x: container create: container-init binary not found "
                            "on the host: stat /usr/libexec/podman/catatonit: no such file or "
                            "directory"),
              "catatonit"},
        Cause{"PodmanSeccomp",
              launch_failed("create container x: container create: opening seccomp profile failed: "
                            "open {}: no such file or directory"),
              "no profile from its client"},
        Cause{"RlimitTooHigh",
              launch_failed("start container 1: runc: runc create failed: error setting rlimits "
                            "for ready process: error setting rlimit type 6: operation not "
                            "permitted: OCI permission denied"),
              "so high a limit"},
        Cause{"NoSuchBind",
              launch_failed("create container x: invalid mount config for type \"bind\": bind "
                            "source path does not exist: /srv"),
              "does not exist on this agent"},
        Cause{"VaultDenied",
              launch_failed("Vault: variable DB_PASSWORD: read secret/db: permission denied"),
              "does not let this token"},
        Cause{"VaultLogin", launch_failed("Vault: variable X: log in by userpass: HTTP 400"),
              "refused the login"},
        Cause{"DiskFull", launch_failed("create container x: no space left on device"),
              "data folder is full"}),
    [](const auto& tested) { return std::string(tested.param.name); });

INSTANTIATE_TEST_SUITE_P(
    End, LikelyCauseTest,
    ::testing::Values(
        Cause{"OutOfMemory",
              ended(TaskState::failed, "Memory limit exceeded: limit 64 MiB",
                    Reason::container_limitation_memory),
              "raise mem"},
        Cause{"TimeUp", ended(TaskState::failed, "too long", Reason::max_completion_time_reached),
              "max_completion_time"},
        Cause{"MissingLibrary",
              said("exited with code 127 (127: command not found in the image) after 1s",
                   "app: error while loading shared libraries: libpq.so.5: cannot open shared "
                   "object file: No such file or directory\n"),
              "library that the program needs"},
        Cause{"PermissionOnABind",
              said("exited with code 1 after 1s", "open /data/db: Permission denied\n"),
              "what its volumes bind"},
        Cause{"ReadOnlyBind",
              said("exited with code 1 after 1s", "touch: /data/x: Read-only file system\n"),
              "mounted read-only"},
        Cause{"PortTakenByTheProgram",
              said("exited with code 1 after 1s", "bind: Address already in use\n"),
              "port that it wants"},
        Cause{"JavaHeap",
              said("exited with code 3 after 1s", "java.lang.OutOfMemoryError: Java heap space\n"),
              "-Xmx"},
        Cause{"ItSaidSomethingElse", said("exited with code 1 after 1s", "bye\n"),
              "what the program said last, in this sandbox"},
        Cause{"ItSaidNothing", ended(TaskState::failed, "exited with code 1 after 1s"),
              "nothing of it could be copied"},
        Cause{"Crash", said("crashed with SIGSEGV (exit code 139) after 1s", ""),
              "a crash inside the program"},
        Cause{"KilledOutside", ended(TaskState::killed, "ended by SIGKILL (exit code 137)"),
              "see dmesg"}),
    [](const auto& tested) { return std::string(tested.param.name); });

Report unhealthy() {
  Report report = ended(TaskState::failed, "unhealthy in Sidecar: 3 consecutive failed checks");
  report.outcome->healthy = false;
  return report;
}

TEST(LikelyCause, UnhealthySinceItsStart) {
  Report report = unhealthy();
  add_health(report, {false, "UNHEALTHY since 2026-01-02T15:04:05Z"});
  EXPECT_NE(likely_cause(report).find("never healthy"), std::string::npos) << likely_cause(report);
}

TEST(LikelyCause, UnhealthyAfterItWasHealthy) {
  Report report = unhealthy();
  add_health(report, {true, "ALIVE since 2026-01-02T15:04:05Z"});
  add_health(report, {false, "UNHEALTHY since 2026-01-02T16:04:05Z"});
  EXPECT_EQ(likely_cause(report).find("never healthy"), std::string::npos) << likely_cause(report);
  EXPECT_NE(likely_cause(report).find("health went bad"), std::string::npos);
}

TEST(LikelyCause, NothingToLookAt) {
  EXPECT_EQ(likely_cause(ended(TaskState::finished, "exited with code 0 after 1s")), "");
  EXPECT_EQ(likely_cause(Report()), "");
}

TEST(FormatSummary, HasWhatIsKnownAndNothingElse) {
  Report report = said("exited with code 3 after 1s", "TOKEN=hush\n");
  report.image = "app:1";
  report.container_id = "0123456789abcdef0123";
  report.phases.add("create", std::chrono::milliseconds(120));
  report.phases.add("run", std::chrono::seconds(1));
  add_health(report, {true, "ALIVE since 2026-01-02T15:04:05Z"});
  EXPECT_EQ(format_summary(report),
            "---- sidecar-executor: how this task ended -------------------------------------\n"
            "  task        web-1\n"
            "  image       app:1\n"
            "  container   0123456789ab\n"
            "  took        create 120ms, run 1s\n"
            "  state       TASK_FAILED\n"
            "  message     exited with code 3 after 1s\n"
            "  health      ALIVE since 2026-01-02T15:04:05Z\n"
            "  look at     what the program said last, in this sandbox's stdout and stderr\n"
            "--------------------------------------------------------------------------------\n");
}

}  // namespace
}  // namespace sidecar_executor::task
