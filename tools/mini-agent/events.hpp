// The agent's events as JSON objects, in the shapes of real ones.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "durations.hpp"
#include "task_file.hpp"

namespace mini_agent {

struct AgentIdentity {
  std::string hostname;
  unsigned short port = 0;
  std::string container_id;
  bool checkpoint = true;
  std::vector<std::string> capabilities;  // of the framework
};

boost::json::object subscribed_event(const Task& task, const AgentIdentity& agent);
boost::json::object launch_event(const boost::json::object& task_info);
boost::json::object launch_group_event(const Task& task);
boost::json::object second_task(const Task& task);  // a TaskInfo with another id
boost::json::object kill_event(const std::string& task_id, std::optional<Nanoseconds> grace);
boost::json::object acknowledged_event(const boost::json::object& status);
boost::json::object message_event(const std::string& data);
boost::json::object bare_event(const char* type);  // SHUTDOWN, HEARTBEAT

}  // namespace mini_agent
