// doctor with the real binary, on a host with a real dockerd and on a bad one.
#include <unistd.h>

#include "support/system.hpp"

namespace sx_test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class DoctorSystemTest : public SystemTest {};

TEST_F(DoctorSystemTest, ARealDaemonIsWell) {
  const auto seen = run_command({SX_EXECUTOR, "doctor"});
  EXPECT_EQ(seen.code, 0) << seen.output;
  EXPECT_TRUE(has(seen.output, "ok    docker    unix://")) << seen.output;
  EXPECT_TRUE(has(seen.output, ", API 1.")) << seen.output;
  EXPECT_TRUE(has(seen.output, "limits    ") && has(seen.output, "(cgroup v")) << seen.output;
  EXPECT_TRUE(has(seen.output, "doctor: 0 fail, ")) << seen.output;
}

TEST_F(DoctorSystemTest, ABadHostGetsEveryLine) {
  const auto seen = run_command({"env", "DOCKER_HOST=unix:///no/such.sock",
                                 "VAULT_ADDR=http://127.0.0.1:1", "VAULT_TOKEN=hunter2",
                                 "EXECUTOR_LOGS_SINCE=yesterday", SX_EXECUTOR, "doctor", "--json"});
  EXPECT_EQ(seen.code, 1);
  EXPECT_FALSE(has(seen.output, "hunter2"));
  std::string failed;
  std::string all;
  const auto rows = json::parse(seen.output);
  for (const auto& row : rows.as_array()) {
    const std::string check(row.at("check").as_string());
    all += check + " ";
    if (row.at("status") == "fail") failed += check + " ";
  }
  EXPECT_EQ(all, "settings agent files sandbox docker limits registry sidecar vault syslog ");
  EXPECT_EQ(failed, "settings docker vault ");
}

/// executor.sh copies the binary there and runs the copy.
TEST_F(DoctorSystemTest, InASandboxThatRunsNoPrograms) {
  const auto seen =
      run_command({"unshare", "--mount", "/bin/sh", "-c",
                   "mount -t tmpfs -o noexec none /mnt && MESOS_DIRECTORY=/mnt exec \"$0\" doctor",
                   SX_EXECUTOR});
  EXPECT_EQ(seen.code, 1);
  EXPECT_TRUE(has(seen.output, "fail  sandbox   /mnt is on a disk that is mounted noexec; "))
      << seen.output;
}

/// root's files are looked at in case that tasks run as root.
TEST_F(DoctorSystemTest, ForAUserWhoCannotReadRootsCredentials) {
  const std::string script =
      "cp \"$0\" \"$1\" && chmod 755 \"$1\" && "
      "unshare --mount /bin/sh -c 'mount -t tmpfs -o mode=0700 none /root && "
      "setpriv --reuid=65534 --regid=65534 --clear-groups "
      "env -u HOME -u DOCKER_CONFIG \"$0\" doctor' \"$1\"; rm -f \"$1\"";
  const auto seen = run_command(
      {"/bin/sh", "-c", script, SX_EXECUTOR, "/tmp/sx-doctor-" + std::to_string(::getpid())});
  EXPECT_TRUE(has(seen.output, "ok    registry  no credentials for ")) << seen.output;
  EXPECT_FALSE(has(seen.output, "/root/.docker")) << seen.output;
}

TEST_F(DoctorSystemTest, InASandboxThatCannotBeWritten) {
  const auto seen = run_command({"env", "MESOS_SANDBOX=/proc", SX_EXECUTOR, "doctor"});
  EXPECT_EQ(seen.code, 1);
  EXPECT_TRUE(has(seen.output, "fail  sandbox   /proc: ")) << seen.output;
  EXPECT_TRUE(has(seen.output, "MESOS_AGENT_ENDPOINT is not set")) << seen.output;
}

}  // namespace
}  // namespace sx_test
