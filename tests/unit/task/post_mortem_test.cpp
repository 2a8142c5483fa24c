// The summary block and the likely cause in it: one test for each of the commonest ends.
#include "task/post_mortem.hpp"

#include <gtest/gtest.h>

#include "task/launch_hint.hpp"

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
        // Docker's words are those of 20.10.24 with runc 1.1, Podman's of 4.3.1.
        Cause{"NoSuchImage",
              launch_failed("pull image r:1/app:9: manifest for r:1/app:9 not found: manifest "
                            "unknown: manifest unknown"),
              "no such tag"},
        Cause{"RegistryRefused",
              launch_failed("pull image r:1/app:9: unauthorized: authentication required"),
              "refused the credentials"},
        Cause{
            "RegistryWantsALogin",
            launch_failed("pull image r:1/app:9: Head \"http://r:1/v2/app/manifests/9\": no basic "
                          "auth credentials"),
            "wants a login"},
        Cause{
            "RegistryDown",
            launch_failed("pull image 127.0.0.1:9/app:9: Get \"http://127.0.0.1:9/v2/\": dial tcp "
                          "127.0.0.1:9: connect: connection refused; gave up after 5 attempts"),
            "is the daemon or registry up"},
        Cause{"RegistryUnknown",
              launch_failed("pull image r/app:9: Get \"https://r/v2/\": dial tcp: lookup r on "
                            "10.0.0.53:53: no such host"),
              "cannot look up the registry's name"},
        Cause{"PortTaken",
              launch_failed("start container 1: driver failed programming external connectivity on "
                            "endpoint mesos-1 (b28f): Bind for 0.0.0.0:31000 failed: port is "
                            "already allocated"),
              "see docker ps"},
        Cause{"PortTakenByAProcess",
              launch_failed("start container 1: driver failed programming external connectivity on "
                            "endpoint mesos-1 (f6d8): Error starting userland proxy: listen tcp4 "
                            "0.0.0.0:31000: bind: address already in use"),
              "see ss -ltnp"},
        Cause{"ExecFormat", launch_failed("start container 1: crun: exec: exec format error"),
              "another CPU architecture"},
        Cause{"NoSuchCommand",
              launch_failed("start container 1: failed to create shim task: OCI runtime create "
                            "failed: runc create failed: unable to start container process: exec: "
                            "\"serve\": executable file not found in $PATH: unknown"),
              "image's PATH"},
        Cause{"NoSuchFile",
              launch_failed("start container 1: failed to create shim task: OCI runtime create "
                            "failed: runc create failed: unable to start container process: exec: "
                            "\"/serve\": stat /serve: no such file or directory: unknown"),
              "interpreter of its #! line"},
        Cause{"NotExecutable",
              launch_failed("start container 1: failed to create shim task: OCI runtime create "
                            "failed: runc create failed: unable to start container process: exec: "
                            "\"/serve\": permission denied: unknown"),
              "not executable"},
        Cause{"NoSuchDevice",
              launch_failed("start container 1: error gathering device information while adding "
                            "custom device \"/dev/nosuch\": no such file or directory"),
              "no such device"},
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
        Cause{"NoSuchNetwork", launch_failed("start container 1: network back not found"),
              "no such image, network or volume"},
        Cause{"NoSuchUser",
              launch_failed("start container 1: unable to find user web: no matching entries in "
                            "passwd file"),
              "no such user"},
        Cause{"NoSuchGroup",
              launch_failed("start container 1: unable to find group web: no matching entries in "
                            "group file"),
              "no such group"},
        Cause{"WorkdirIsAFile",
              launch_failed("create container 1: Cannot mkdir: /bin/busybox is not a directory"),
              "parameter workdir"},
        Cause{"TooLittleMemory",
              launch_failed("create container x: Minimum memory limit allowed is 6MB"),
              "raise the task's mem"},
        Cause{"HostPathThatCannotBeMade",
              launch_failed("start container 1: error while creating mount source path "
                            "'/proc/nope': mkdir /proc/nope: no such file or directory"),
              "host path of a volume"},
        Cause{"LogCollectorAway",
              launch_failed("start container 1: failed to initialize logging driver: dial tcp "
                            "127.0.0.1:24224: connect: connection refused"),
              "log-driver"},
        Cause{"NoGpuDriver",
              launch_failed("start container 1: could not select device driver \"\" with "
                            "capabilities: [[gpu]]"),
              "NVIDIA"},
        Cause{"NoSuchRuntime",
              launch_failed("create container x: Unknown runtime specified nvidia"),
              "parameter runtime"},
        Cause{"TooManyCpus",
              launch_failed("create container x: Range of CPUs is from 0.01 to 2.00, as there are "
                            "only 2 CPUs available"),
              "parameter cpus"},
        Cause{"NoSuchCpus",
              launch_failed("create container x: Requested CPUs are not available - requested 7, "
                            "available: 0-1"),
              "cpuset-cpus"},
        Cause{"FirewallRulesGone",
              launch_failed("start container 1: driver failed programming external connectivity on "
                            "endpoint mesos-1: (iptables failed: iptables --wait -t nat -A DOCKER: "
                            "iptables: No chain/target/match by that name."),
              "restart Docker"},
        Cause{"RateLimit",
              launch_failed(
                  "pull image app:9: toomanyrequests: You have reached your pull rate limit"),
              "no more pulls"},
        Cause{"LoginExpired",
              launch_failed("pull image r/app:9: denied: Your authorization token has expired. "
                            "Reauthenticate and try again."),
              "has ended"},
        Cause{"CertificateNotTrusted",
              launch_failed("pull image r/app:9: Get \"https://r/v2/\": x509: certificate signed "
                            "by unknown authority"),
              "certs.d"},
        Cause{"RegistryWithoutTls",
              launch_failed("pull image r/app:9: Get \"https://r/v2/\": http: server gave HTTP "
                            "response to HTTPS client"),
              "insecure-registries"},
        Cause{"NotForThisArchitecture",
              launch_failed("pull image app:9: no matching manifest for linux/arm64/v8 in the "
                            "manifest list entries: not found"),
              "CPU architecture"},
        // What the system says of Docker's socket is not about the image.
        Cause{"DockerNotThere",
              launch_failed("Docker is not reachable, DOCKER_HOST is unix:///var/run/docker.sock: "
                            "unix:///var/run/docker.sock: No such file or directory; gave up after "
                            "30s"),
              "is the daemon running"},
        Cause{"DockerDenied",
              launch_failed("Docker is not reachable, DOCKER_HOST is unix:///var/run/docker.sock: "
                            "unix:///var/run/docker.sock: Permission denied; gave up after 30s"),
              "may the executor's user use its socket"},
        Cause{"DockerWentAway",
              launch_failed("create container x: unix:///var/run/docker.sock: No such file or "
                            "directory; gave up after 30s"),
              "is the daemon running"},
        Cause{"SandboxFull",
              launch_failed("cannot make the folder /s/data of a volume: No space left on device"),
              "the sandbox: is its disk full"},
        // More of Vault, by what it really says: tests/component/task/vault_hint_test.cpp.
        Cause{"VaultSetting",
              launch_failed("variable X: Vault cannot be used: VAULT_PASSWORD is not set, which "
                            "login by userpass needs"),
              "VAULT_ variables that the message names"},
        Cause{"VaultAwsRole",
              launch_failed("Vault: AWS keys of EXECUTOR_AWS_ROLE app: GET "
                            "http://127.0.0.1:8200/v1/aws/creds/app: HTTP 403: permission denied"),
              "does not let this token"},
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
        Cause{"NoInterpreter",
              said("exited with code 1 after 1s", "exec /run.sh: no such file or directory\n"),
              "interpreter of the command's #! line"},
        Cause{"ItsOwnMissingFile",
              said("exited with code 1 after 1s",
                   "exec /run.sh: no such file or directory\ngiving up\n"),
              "what the program said last"},
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
        Cause{"NoMoreThreads",
              said("exited with code 1 after 1s",
                   "java.lang.OutOfMemoryError: unable to create native thread\n"),
              "pids-limit"},
        Cause{"JavaMetaspace",
              said("exited with code 1 after 1s", "java.lang.OutOfMemoryError: Metaspace\n"),
              "MaxMetaspaceSize"},
        Cause{"ItSaidSomethingElse", said("exited with code 1 after 1s", "bye\n"),
              "what the program said last, in this sandbox"},
        Cause{"ItSaidNothing", ended(TaskState::failed, "exited with code 1 after 1s"),
              "nothing of it could be copied"},
        Cause{"Crash", said("crashed with SIGSEGV (exit code 139) after 1s", ""),
              "a crash inside the program"},
        Cause{"KilledOutside", ended(TaskState::killed, "ended by SIGKILL (exit code 137)"),
              "see dmesg"},
        Cause{"StoppedOutside", ended(TaskState::killed, "ended by SIGTERM (exit code 143)"),
              "docker stop"}),
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

TEST(LikelyCause, TheHintInTheMessageChangesNothing) {
  const std::string error = "start container 1: exec: \"x\": executable file not found in $PATH";
  const std::string hint = launch_hint(error);
  EXPECT_EQ(likely_cause(launch_failed(error + " (" + hint + ")")), hint);
}

TEST(LikelyCause, NothingToLookAt) {
  EXPECT_EQ(likely_cause(launch_failed("Vault: variable X: vault://a/%zz is no secret that can be "
                                       "asked for: a % is not followed by two hex digits")),
            "");
  EXPECT_EQ(likely_cause(ended(TaskState::finished, "exited with code 0 after 1s")), "");
  EXPECT_EQ(likely_cause(Report()), "");
}

TEST(FormatSummary, HasWhatIsKnownAndNothingElse) {
  Report report = said("exited with code 3 after 1s", "TOKEN=hush\n");
  report.image = "app:1";
  report.container_id = "0123456789abcdef0123";
  report.phases.add({"create", {}, std::chrono::milliseconds(120)});
  report.phases.add({"run", {}, std::chrono::seconds(1)});
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
