// max_completion_time of a task, counted from LAUNCH (behaviour.md 6 and 7), wherever the launch
// is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <future>

#include "support/system.hpp"
#include "support/system_docker_proxy.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using States = std::vector<std::string>;

class CompletionTimeTest : public SystemTest {
 protected:
  static TaskBuilder task_of_a_second(const std::string& command) {
    TaskBuilder task(command);
    task.object()["max_completion_time"] = json::object{{"nanoseconds", 1'000'000'000}};
    // Not waited for: it is killed with no grace.
    task.executor_env("EXECUTOR_KILL_TASK_TIMEOUT", "60");
    return task;
  }

  static void expect_time_up(const RunResult& run, const States& states, std::string_view end) {
    EXPECT_EQ(run.states(), states) << run.transcript();
    EXPECT_EQ(run.last().reason, "REASON_MAX_COMPLETION_TIME_REACHED") << run.transcript();
    EXPECT_NE(run.last().message.find("max_completion_time of 1s reached"), std::string::npos)
        << run.last().message;
    EXPECT_NE(run.last().message.find(end), std::string::npos) << run.last().message;
    EXPECT_EQ(run.executor_exit, 0) << run.transcript();
    EXPECT_EQ(run.agent_exit, 1) << run.transcript();
  }
};

TEST_F(CompletionTimeTest, RunningContainerIsKilledWithoutGrace) {
  const TaskBuilder task =
      task_of_a_second("/bin/sh -c 'trap \"\" TERM; while true; do sleep 0.1; done'");
  RunOptions options;
  options.limit = 30s;
  const auto run = run_task(task, options);
  expect_time_up(run, {"TASK_STARTING", "TASK_RUNNING", "TASK_FAILED"},
                 "container ended with exit code 137");
  const auto left = containers_of(task.id());
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(run_command({"docker", "inspect", "--format", "{{.State.Status}}", left[0]}).output,
            "exited\n");
}

TEST_F(CompletionTimeTest, APullThatHangsIsGivenUp) {
  std::promise<void> over;
  const auto ended = over.get_future().share();
  std::atomic<int> pulls{0};
  // Docker never gets to know of the pull, and the executor never hears from it.
  const DockerProxy proxy("/tmp/sx-completion-" + std::to_string(::getpid()),
                          ::getenv("DOCKER_HOST"),
                          [&](const std::string& line, std::string_view /*answer*/) {
                            if (line.find("/images/create") == std::string::npos) return false;
                            ++pulls;
                            ended.wait_for(30s);
                            return true;
                          });
  TaskBuilder task = task_of_a_second("/bin/true");
  task.docker()["force_pull_image"] = true;
  RunOptions options;
  options.limit = 30s;
  options.executor_environment.emplace_back("DOCKER_HOST", proxy.host());
  const auto run = run_task(task, options);
  over.set_value();
  EXPECT_EQ(pulls, 1) << run.transcript();
  expect_time_up(run, {"TASK_STARTING", "TASK_FAILED"}, "the container had not been started");
  EXPECT_EQ(containers_of(task.id()), std::vector<std::string>{});
}

}  // namespace
}  // namespace sx_test
