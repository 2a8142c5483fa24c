#pragma once
// System tests: the real binary, a real dockerd, mini-agent as the agent.
// DOCKER_HOST is set by scripts/with-docker.sh, SX_REGISTRY and SX_AUTH_REGISTRY by
// scripts/with-registry.sh.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sx_test {

namespace json = boost::json;

/// What a command printed, and its exit code.
struct CommandResult {
  int code = -1;
  std::string output;  ///< stdout
};
/// Runs without a shell. Kills and fails after `limit`.
CommandResult run_command(const std::vector<std::string>& argv,
                          std::chrono::seconds limit = std::chrono::seconds(60));

std::string read_file(const std::string& path);

/// A TaskInfo for a container of the test image.
class TaskBuilder {
 public:
  explicit TaskBuilder(std::string shell_command);
  TaskBuilder& executor_env(const std::string& name, const std::string& value);
  TaskBuilder& parameter(const std::string& key, const std::string& value);
  TaskBuilder& image(const std::string& image);
  TaskBuilder& memory(double mib);
  /// Direct access for the odd case.
  json::object& object() { return task_; }
  json::object& container() { return task_["container"].as_object(); }
  json::object& docker() { return container()["docker"].as_object(); }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] std::string text() const { return json::serialize(task_); }

 private:
  json::object task_;
  std::string id_;
};

struct Update {
  double at = 0;  ///< seconds since LAUNCH
  std::string state;
  std::string reason;
  std::string message;
  std::string task_id;
  json::object status;
};

/// One run of mini-agent with the executor.
struct RunResult {
  int agent_exit = -1;  ///< mini-agent's own exit code
  std::vector<Update> updates;
  std::vector<json::object> events;  ///< every JSON line
  std::optional<int> executor_exit;
  std::string sandbox;
  std::string out;  ///< sandbox/stdout
  std::string err;  ///< sandbox/stderr

  [[nodiscard]] std::vector<std::string> states() const;
  [[nodiscard]] const Update& last() const;
  [[nodiscard]] std::string transcript() const;  ///< for failure messages
};

struct RunOptions {
  std::vector<std::string> agent_arguments;
  std::vector<std::pair<std::string, std::string>> executor_environment;  ///< --env
  std::chrono::seconds limit{60};
  std::string executor;  ///< a path; empty: the one that was built
  /// Called for each JSON line as it comes; pid of the executor where the line tells it.
  std::function<void(const json::object&)> on_event;
};

RunResult run_task(const std::string& task_json, const RunOptions& options = {});
RunResult run_task(const TaskBuilder& task, const RunOptions& options = {});

/// Containers of this task, any state: ids.
std::vector<std::string> containers_of(const std::string& task_id);
std::string container_name_of(const std::string& task_id);

/// Makes the test image, and afterwards checks that no container of the suite is left running.
class SystemTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  void TearDown() override;
  /// Removed in TearDown.
  void own_container(const std::string& id_or_name) { containers_.push_back(id_or_name); }
  static std::string image();

 private:
  std::vector<std::string> containers_;
};

}  // namespace sx_test
