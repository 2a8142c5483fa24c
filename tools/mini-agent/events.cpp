#include "events.hpp"

#include "call_schema.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

json::value id(const std::string& value) { return json::object{{"value", value}}; }

json::object scalar(const char* name, double value) {
  return {{"name", name}, {"type", "SCALAR"}, {"scalar", json::object{{"value", value}}}};
}

json::array agent_resources() {
  const json::object ports{{"begin", 31000}, {"end", 32000}};
  return {scalar("cpus", 8), scalar("mem", 8192), scalar("disk", 8192),
          json::object{{"name", "ports"},
                       {"type", "RANGES"},
                       {"ranges", json::object{{"range", json::array{ports}}}}}};
}

json::object framework_info(const Task& task, const AgentIdentity& agent) {
  json::array capabilities;
  for (const auto& name : agent.capabilities) capabilities.push_back(json::object{{"type", name}});
  json::object info{
      {"user", "root"},          {"name", "mini-agent"},           {"id", id(task.framework_id)},
      {"failover_timeout", 0.0}, {"checkpoint", agent.checkpoint}, {"roles", json::array{"*"}}};
  if (!capabilities.empty()) info["capabilities"] = std::move(capabilities);
  return info;
}

}  // namespace

json::object subscribed_event(const Task& task, const AgentIdentity& agent) {
  const json::object agent_info{{"hostname", agent.hostname},
                                {"port", agent.port},
                                {"resources", agent_resources()},
                                {"id", id(task.agent_id)}};
  const json::object subscribed{{"executor_info", task.info.at("executor")},
                                {"framework_info", framework_info(task, agent)},
                                {"agent_info", agent_info},
                                {"container_id", id(agent.container_id)}};
  return {{"type", "SUBSCRIBED"}, {"subscribed", subscribed}};
}

json::object launch_event(const json::object& task_info) {
  return {{"type", "LAUNCH"}, {"launch", json::object{{"task", task_info}}}};
}

json::object second_task(const Task& task) {
  json::object info = task.info;
  info["name"] = task.task_id + "-second";
  info["task_id"] = id(task.task_id + "-second");
  return info;
}

json::object launch_group_event(const Task& task) {
  const json::object group{{"tasks", json::array{task.info, second_task(task)}}};
  return {{"type", "LAUNCH_GROUP"}, {"launch_group", json::object{{"task_group", group}}}};
}

json::object kill_event(const std::string& task_id, std::optional<Nanoseconds> grace) {
  json::object kill{{"task_id", id(task_id)}};
  if (grace) {
    kill["kill_policy"] =
        json::object{{"grace_period", json::object{{"nanoseconds", grace->count()}}}};
  }
  return {{"type", "KILL"}, {"kill", kill}};
}

json::object acknowledged_event(const json::object& status) {
  const json::object acknowledged{{"task_id", status.at("task_id")}, {"uuid", status.at("uuid")}};
  return {{"type", "ACKNOWLEDGED"}, {"acknowledged", acknowledged}};
}

json::object message_event(const std::string& data) {
  return {{"type", "MESSAGE"}, {"message", json::object{{"data", encode_base64(data)}}}};
}

json::object bare_event(const char* type) { return {{"type", type}}; }

}  // namespace mini_agent
