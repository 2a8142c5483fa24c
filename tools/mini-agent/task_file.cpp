#include "task_file.hpp"

#include <fstream>
#include <random>
#include <stdexcept>

#include "call_schema.hpp"
#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

std::string random_bytes(std::size_t count) {
  static std::random_device device;
  std::string bytes;
  while (bytes.size() < count) bytes.push_back(static_cast<char>(device() & 0xff));
  return bytes;
}

json::object& object_at(json::object& in, std::string_view name) {
  json::value& value = in[name];
  if (!value.is_object()) value = json::object();
  return value.get_object();
}

std::string id_or(json::object& in, std::string_view name, const std::string& otherwise) {
  json::object& id = object_at(in, name);
  const json::value* value = id.if_contains("value");
  if (value == nullptr || !value->is_string()) id["value"] = otherwise;
  return std::string(id["value"].get_string());
}

void set_default(json::object& in, std::string_view name, json::value value) {
  if (!in.contains(name)) in[name] = std::move(value);
}

// The fields that protobuf writes out though nobody set them (09-taskinfo-variants).
void add_container_defaults(json::object& info) {
  json::value* container = info.if_contains("container");
  if (container == nullptr || !container->is_object()) return;
  json::value* docker = container->get_object().if_contains("docker");
  if (docker == nullptr || !docker->is_object()) return;
  set_default(docker->get_object(), "network", "HOST");
  set_default(docker->get_object(), "privileged", false);
}

void add_check_defaults(json::object& info, std::string_view name, bool health) {
  json::value* found = info.if_contains(name);
  if (found == nullptr || !found->is_object()) return;
  json::object& check = found->get_object();
  set_default(check, "delay_seconds", 15.0);
  set_default(check, "interval_seconds", 10.0);
  set_default(check, "timeout_seconds", 20.0);
  if (!health) return;
  set_default(check, "consecutive_failures", 3);
  set_default(check, "grace_period_seconds", 10.0);
}

void add_resource_defaults(json::object& in) {
  json::value* resources = in.if_contains("resources");
  if (resources == nullptr || !resources->is_array()) return;
  for (json::value& resource : resources->get_array()) {
    if (!resource.is_object()) continue;
    json::object& fields = resource.get_object();
    if (json::value* scalar = fields.if_contains("scalar"); scalar && scalar->is_object()) {
      json::value& value = scalar->get_object()["value"];
      if (value.is_number()) value = value.to_number<double>();
    }
    set_default(fields, "allocation_info", json::object{{"role", "*"}});
  }
}

std::vector<std::string> environment_of(json::object& command) {
  std::vector<std::string> result;
  json::value* variables = object_at(command, "environment").if_contains("variables");
  if (variables == nullptr || !variables->is_array()) {
    command.erase("environment");
    return result;
  }
  for (json::value& entry : variables->get_array()) {
    if (!entry.is_object()) continue;
    json::object& variable = entry.get_object();
    set_default(variable, "type", "VALUE");
    const auto text = [&variable](std::string_view name) {
      const json::value* value = variable.if_contains(name);
      return value && value->is_string() ? std::string(value->get_string()) : std::string();
    };
    std::string value = text("value");
    if (text("type") == "SECRET") {
      json::error_code missing;
      const json::value* data = entry.find_pointer("/secret/value/data", missing);
      if (data && data->is_string()) value = decode_base64(data->get_string()).bytes;
    }
    if (!text("name").empty()) result.push_back(text("name") + "=" + value);
  }
  return result;
}

json::object task_info_in(json::value& json) {
  for (const char* path : {"/launch_event/launch/task", "/launch/task", "/task", ""}) {
    json::error_code missing;
    json::value* found = json.find_pointer(path, missing);
    if (found && found->is_object()) return std::move(found->get_object());
  }
  throw std::runtime_error("is neither a TaskInfo nor a LAUNCH event: not a JSON object");
}

}  // namespace

std::string random_uuid() {
  std::string bytes = random_bytes(16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::string random_uuid_bytes_in_base64() { return encode_base64(random_bytes(16)); }

Task complete_task(json::value json, const std::string& executor_path) {
  Task task;
  task.info = task_info_in(json);
  const std::string master = random_uuid();
  task.task_id = id_or(task.info, "task_id", "task");
  set_default(task.info, "name", json::value(task.task_id));
  task.agent_id = id_or(task.info, "agent_id", master + "-S0");
  json::object& executor = object_at(task.info, "executor");
  task.executor_id = id_or(executor, "executor_id", task.task_id);
  task.framework_id = id_or(executor, "framework_id", master + "-0000");
  set_default(executor, "type", "CUSTOM");
  json::object& command = object_at(executor, "command");
  set_default(command, "shell", true);
  set_default(command, "value", json::value(executor_path));
  task.environment = environment_of(command);
  add_resource_defaults(task.info);
  add_resource_defaults(executor);
  add_container_defaults(task.info);
  add_check_defaults(task.info, "health_check", true);
  add_check_defaults(task.info, "check", false);
  return task;
}

Task load_task(const std::string& path, const std::string& executor_path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  ParsedJson parsed = parse_as_agent(text);
  if (!parsed.error.empty()) throw std::runtime_error(path + ": " + parsed.error);
  try {
    return complete_task(std::move(parsed.value), executor_path);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(path + " " + error.what());
  }
}

}  // namespace mini_agent
