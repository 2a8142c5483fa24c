// Docker is there and silent about a container that has ended, for a while (behaviour.md 5, 8).
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "support/system.hpp"
#include "support/system_docker_proxy.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;

class DockerSilentTest : public ::testing::Test {
 protected:
  [[nodiscard]] RunResult run(const std::string& command, const DockerProxy& proxy,
                              RunOptions options = {}, const std::string& logs_since = "3m") const {
    TaskBuilder task(command);
    task.docker()["network"] = "NONE";
    task.container()["volumes"] = json::array{
        {{"container_path", "/x"}, {"host_path", docker.folder() + "/shared"}, {"mode", "RO"}}};
    task.executor_env("EXECUTOR_LOGS_SINCE", logs_since);
    options.executor_environment.emplace_back("DOCKER_HOST", proxy.host());
    options.executor_environment.emplace_back("DOCKER_API_VERSION", "1.41");
    options.limit = 100s;
    return run_task(task, options);
  }
  static std::string until_go(const std::string& then) {
    return "/bin/sh -c 'while [ ! -e /x/go ]; do sleep 0.05; done; " + then + "'";
  }
  void go() const { std::ofstream(docker.folder() + "/shared/go") << "\n"; }
  static std::function<void(const json::object&)> at_running(std::function<void()> action) {
    return [action = std::move(action)](const json::object& event) {
      if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING")
        action();
    };
  }
  static bool is_inspect(const std::string& line) {
    return line.starts_with("GET /v1.41/containers/") && line.find("/json") != std::string::npos;
  }

  PrivateDocker docker{PrivateDocker::LiveRestore::yes};
};

/// As while a slow start holds the container's lock: the inspect is given up before it is answered.
TEST_F(DockerSilentTest, WhileSomebodyRestartsTheContainer) {
  std::atomic<bool> ended{false};
  std::atomic<int> inspects{0};
  std::promise<void> given_up;
  const auto second = given_up.get_future().share();
  const DockerProxy proxy(docker.folder() + "/proxy", docker.host(),
                          [&](const std::string& line, std::string_view answer) {
                            if (line.find("/wait") != std::string::npos &&
                                answer.find("StatusCode") != std::string_view::npos)
                              ended = true;
                            if (!ended || !is_inspect(line) || !answer.empty()) return false;
                            if (++inspects == 2) given_up.set_value();
                            EXPECT_EQ(second.wait_for(60s), std::future_status::ready);
                            return false;
                          });
  RunOptions options;
  options.on_event = at_running([this] {
    const auto id = run_command({"docker", "ps", "-q", "--no-trunc"}).output;
    EXPECT_EQ(run_command({"docker", "restart", "-t", "0", id.substr(0, 64)}).code, 0);
    go();
  });
  const auto result = run(until_go("exit 7"), proxy, options);
  EXPECT_EQ(result.last().state, "TASK_FAILED") << result.transcript();
  EXPECT_NE(result.last().message.find("exited with code 7"), std::string::npos)
      << result.last().message;
  EXPECT_NE(result.out.find("does not answer"), std::string::npos) << "the inspect hung";
}

/// Its last lines are older than LogsSince by the time that they are asked for.
TEST_F(DockerSilentTest, LongerThanTheLogsAreCopiedBack) {
  std::atomic<bool> once{false};
  const DockerProxy proxy(docker.folder() + "/proxy", docker.host(),
                          [&](const std::string& line, std::string_view answer) {
                            if (line.find("/wait") != std::string::npos &&
                                answer.find("StatusCode") != std::string_view::npos &&
                                !once.exchange(true))
                              std::this_thread::sleep_for(4s);  // the silence itself
                            return false;
                          });
  RunOptions options;
  options.on_event = at_running([this] { go(); });
  const auto result = run(until_go("echo my-last-words; exit 3"), proxy, options, "1s");
  EXPECT_EQ(result.last().state, "TASK_FAILED") << result.transcript();
  EXPECT_NE(result.out.find("\nmy-last-words\n"), std::string::npos) << result.out;
  EXPECT_TRUE(once);
}

}  // namespace
}  // namespace sx_test
