// TASK.json: a TaskInfo, completed as master and agent would complete it.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace mini_agent {

struct Task {
  boost::json::object info;  // what LAUNCH carries
  std::string task_id, agent_id, framework_id, executor_id;
  // From executor.command.environment, in order, secrets resolved: NAME=VALUE.
  std::vector<std::string> environment;
};

// Takes a TaskInfo, a LAUNCH event, or an object with "task", "launch" or "launch_event". Throws
// std::runtime_error.
Task load_task(const std::string& path, const std::string& executor_path);
Task complete_task(boost::json::value json, const std::string& executor_path);

std::string random_uuid();  // dashed, as in container ids
std::string random_uuid_bytes_in_base64();

}  // namespace mini_agent
