// SIDECAR_SEEDS in a whole run: the hosts come from mini-agent's agent and master
// (behaviour.md 4.3).
#include <unistd.h>

#include "support/system.hpp"

namespace sx_test {
namespace {

struct SeedCase {
  const char* name;
  std::vector<std::string> arguments;
  const char* seeds;  ///< null: the variable is not there
};

class SeedTest : public SystemTest, public ::testing::WithParamInterface<SeedCase> {};

TEST_P(SeedTest, InTheContainersEnvironment) {
  TaskBuilder task("/bin/sh -c 'env; exit 1'");  // its output is copied to the sandbox
  task.executor_env("EXECUTOR_SEED_SIDECAR", "true");
  RunOptions options;
  options.agent_arguments = GetParam().arguments;
  // mini-agent's master listens on a free port; it is told before the executor starts.
  const int port = 20000 + static_cast<int>(::getpid() % 10000);
  options.executor_environment = {{"EXECUTOR_MESOS_MASTER_PORT", std::to_string(port)}};
  options.agent_arguments.insert(options.agent_arguments.end(),
                                 {"--master-port", std::to_string(port), "--hostname", "agent1"});
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_NE(run.last().reason, "REASON_CONTAINER_LAUNCH_FAILED") << run.transcript();
  const std::string name = "\nSIDECAR_SEEDS=";
  const auto at = ("\n" + run.out).find(name);
  if (GetParam().seeds == nullptr) {
    EXPECT_EQ(at, std::string::npos) << run.out;
    EXPECT_NE(run.out.find("Sidecar seeds cannot be found"), std::string::npos) << run.out;
    return;
  }
  ASSERT_NE(at, std::string::npos) << run.transcript();
  EXPECT_EQ(
      ("\n" + run.out).substr(at + name.size()).substr(0, std::string(GetParam().seeds).size() + 1),
      std::string(GetParam().seeds) + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, SeedTest,
    ::testing::Values(
        SeedCase{"ThreeSlaves", {"--slaves", "3"}, "agent1,agent2.example,agent3.example"},
        SeedCase{
            "StateOf30MB", {"--slaves", "2", "--state-padding", "30"}, "agent1,agent2.example"},
        SeedCase{"MasterNotThere", {"--master-hostname", "127.0.0.77"}, nullptr}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace sx_test
