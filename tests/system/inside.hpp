#pragma once
// Looking into the container of a task: what it printed, and what Docker says of it.

#include <sstream>

#include "support/system.hpp"

namespace sx_test {

inline json::value inspect_container(const std::string& id) {
  const auto said = run_command({"docker", "inspect", id});
  boost::system::error_code failed;
  auto documents = json::parse(said.output, failed);
  if (failed || !documents.is_array() || documents.get_array().empty()) {
    ADD_FAILURE() << "docker inspect " << id << " says: " << said.output;
    return {};
  }
  return std::move(documents.get_array()[0]);
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
    out.push_back(line);
  }
  return out;
}

/// A task that ran to its end.
struct Seen {
  RunResult run;
  std::vector<std::string> lines;  ///< that the container printed, without blanks at their end
  json::value inspected;

  [[nodiscard]] bool printed(const std::string& line) const {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  }
  /// As JSON; empty where there is nothing. `pointer`: "/HostConfig/Memory".
  [[nodiscard]] std::string at(const std::string& pointer) const {
    boost::system::error_code failed;
    const auto* value = inspected.find_pointer(pointer, failed);
    return value == nullptr ? std::string() : json::serialize(*value);
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const auto& line : lines) out += line + "\n";
    return out;
  }
};

/// Runs it strictly: a parameter that is not understood would be TASK_ERROR.
inline Seen look_inside(TaskBuilder& task, const RunOptions& options = {}) {
  task.executor_env("EXECUTOR_STRICT_PARAMETERS", "true");
  Seen seen;
  seen.run = run_task(task, options);
  const auto containers = containers_of(task.id());
  if (containers.size() != 1) {
    ADD_FAILURE() << containers.size() << " containers\n" << seen.run.transcript();
    return seen;
  }
  seen.lines = lines_of(run_command({"docker", "logs", containers[0]}).output);
  seen.inspected = inspect_container(containers[0]);
  return seen;
}

/// In the command of a task that a test looks at while it runs: it ends when the test says so.
constexpr const char* until_done = "until [ -e /tmp/done ]; do usleep 20000; done";

/// Calls `look` with the container's id once the task runs, and ends the task afterwards.
inline RunOptions while_it_runs(const std::string& task_id,
                                std::function<void(const std::string&)> look) {
  RunOptions options;
  options.on_event = [task_id, look = std::move(look)](const json::object& event) {
    if (event.at("event") != "update" || event.at("status").at("state") != "TASK_RUNNING") return;
    const auto containers = containers_of(task_id);
    ASSERT_EQ(containers.size(), 1u);
    look(containers[0]);
    run_command({"docker", "exec", containers[0], "/bin/touch", "/tmp/done"});
  };
  return options;
}

}  // namespace sx_test
