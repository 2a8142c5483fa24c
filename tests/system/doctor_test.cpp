// doctor with the real binary, on a host with a real dockerd and on a bad one.
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

TEST_F(DoctorSystemTest, InASandboxThatCannotBeWritten) {
  const auto seen = run_command({"env", "MESOS_SANDBOX=/proc", SX_EXECUTOR, "doctor"});
  EXPECT_EQ(seen.code, 1);
  EXPECT_TRUE(has(seen.output, "fail  sandbox   /proc: ")) << seen.output;
  EXPECT_TRUE(has(seen.output, "MESOS_AGENT_ENDPOINT is not set")) << seen.output;
}

}  // namespace
}  // namespace sx_test
