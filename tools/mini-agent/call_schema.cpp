#include "call_schema.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

enum class Kind { String, Bytes, Enum, Bool, Number, Message };

struct Schema;
struct Field {
  std::string_view name;
  Kind kind;
  bool required = false;
  bool repeated = false;
  const Schema* message = nullptr;  // null with Kind::Message: any object, not looked into
  std::span<const std::string_view> enum_values = {};  // empty: any
};
struct Schema {
  std::span<const Field> fields;  // in the order of the .proto: missing ones are told in it
};

constexpr Field kIdFields[] = {{"value", Kind::String, true}};
constexpr Schema kId{kIdFields};

constexpr std::string_view kTaskStates[] = {
    "TASK_STAGING",          "TASK_STARTING",    "TASK_RUNNING",
    "TASK_KILLING",          "TASK_FINISHED",    "TASK_FAILED",
    "TASK_KILLED",           "TASK_ERROR",       "TASK_LOST",
    "TASK_DROPPED",          "TASK_UNREACHABLE", "TASK_GONE",
    "TASK_GONE_BY_OPERATOR", "TASK_UNKNOWN"};
constexpr std::string_view kSources[] = {"SOURCE_MASTER", "SOURCE_AGENT", "SOURCE_EXECUTOR"};
constexpr std::string_view kReasons[] = {"REASON_COMMAND_EXECUTOR_FAILED",
                                         "REASON_CONTAINER_LAUNCH_FAILED",
                                         "REASON_CONTAINER_LIMITATION",
                                         "REASON_CONTAINER_LIMITATION_DISK",
                                         "REASON_CONTAINER_LIMITATION_MEMORY",
                                         "REASON_CONTAINER_PREEMPTED",
                                         "REASON_CONTAINER_UPDATE_FAILED",
                                         "REASON_MAX_COMPLETION_TIME_REACHED",
                                         "REASON_EXECUTOR_REGISTRATION_TIMEOUT",
                                         "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
                                         "REASON_EXECUTOR_TERMINATED",
                                         "REASON_EXECUTOR_UNREGISTERED",
                                         "REASON_FRAMEWORK_REMOVED",
                                         "REASON_GC_ERROR",
                                         "REASON_INVALID_FRAMEWORKID",
                                         "REASON_INVALID_OFFERS",
                                         "REASON_IO_SWITCHBOARD_EXITED",
                                         "REASON_MASTER_DISCONNECTED",
                                         "REASON_RECONCILIATION",
                                         "REASON_RESOURCES_UNKNOWN",
                                         "REASON_AGENT_DISCONNECTED",
                                         "REASON_AGENT_DRAINING",
                                         "REASON_AGENT_REMOVED",
                                         "REASON_AGENT_REMOVED_BY_OPERATOR",
                                         "REASON_AGENT_REREGISTERED",
                                         "REASON_AGENT_RESTARTED",
                                         "REASON_AGENT_UNKNOWN",
                                         "REASON_TASK_KILLED_DURING_LAUNCH",
                                         "REASON_TASK_CHECK_STATUS_UPDATED",
                                         "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
                                         "REASON_TASK_GROUP_INVALID",
                                         "REASON_TASK_GROUP_UNAUTHORIZED",
                                         "REASON_TASK_INVALID",
                                         "REASON_TASK_UNAUTHORIZED",
                                         "REASON_TASK_UNKNOWN"};
constexpr std::string_view kCheckTypes[] = {"UNKNOWN", "COMMAND", "HTTP", "TCP"};
constexpr std::string_view kCallTypes[] = {"UNKNOWN", "SUBSCRIBE", "UPDATE", "MESSAGE",
                                           "HEARTBEAT"};
constexpr std::string_view kProtocols[] = {"IPv4", "IPv6"};

constexpr Field kExitCodeFields[] = {{"exit_code", Kind::Number}};
constexpr Schema kCheckCommand{kExitCodeFields};
constexpr Field kStatusCodeFields[] = {{"status_code", Kind::Number}};
constexpr Schema kCheckHttp{kStatusCodeFields};
constexpr Field kSucceededFields[] = {{"succeeded", Kind::Bool}};
constexpr Schema kCheckTcp{kSucceededFields};
constexpr Field kCheckStatusFields[] = {{"type", Kind::Enum, false, false, nullptr, kCheckTypes},
                                        {"command", Kind::Message, false, false, &kCheckCommand},
                                        {"http", Kind::Message, false, false, &kCheckHttp},
                                        {"tcp", Kind::Message, false, false, &kCheckTcp}};
constexpr Schema kCheckStatus{kCheckStatusFields};

constexpr Field kLabelFields[] = {{"key", Kind::String, true}, {"value", Kind::String}};
constexpr Schema kLabel{kLabelFields};
constexpr Field kLabelsFields[] = {{"labels", Kind::Message, false, true, &kLabel}};
constexpr Schema kLabels{kLabelsFields};

constexpr Field kIpAddressFields[] = {{"protocol", Kind::Enum, false, false, nullptr, kProtocols},
                                      {"ip_address", Kind::String}};
constexpr Schema kIpAddress{kIpAddressFields};
constexpr Field kNetworkInfoFields[] = {{"ip_addresses", Kind::Message, false, true, &kIpAddress},
                                        {"name", Kind::String},
                                        {"groups", Kind::String, false, true},
                                        {"labels", Kind::Message, false, false, &kLabels},
                                        {"port_mappings", Kind::Message, false, true}};
constexpr Schema kNetworkInfo{kNetworkInfoFields};
constexpr Field kContainerIdFields[] = {{"value", Kind::String, true}, {"parent", Kind::Message}};
constexpr Schema kContainerId{kContainerIdFields};
constexpr Field kContainerStatusFields[] = {
    {"container_id", Kind::Message, false, false, &kContainerId},
    {"network_infos", Kind::Message, false, true, &kNetworkInfo},
    {"cgroup_info", Kind::Message},
    {"executor_pid", Kind::Number}};
constexpr Schema kContainerStatus{kContainerStatusFields};

constexpr Field kTaskStatusFields[] = {
    {"task_id", Kind::Message, true, false, &kId},
    {"state", Kind::Enum, true, false, nullptr, kTaskStates},
    {"message", Kind::String},
    {"source", Kind::Enum, false, false, nullptr, kSources},
    {"reason", Kind::Enum, false, false, nullptr, kReasons},
    {"data", Kind::Bytes},
    {"agent_id", Kind::Message, false, false, &kId},
    {"executor_id", Kind::Message, false, false, &kId},
    {"timestamp", Kind::Number},
    {"uuid", Kind::Bytes},
    {"healthy", Kind::Bool},
    {"check_status", Kind::Message, false, false, &kCheckStatus},
    {"labels", Kind::Message, false, false, &kLabels},
    {"container_status", Kind::Message, false, false, &kContainerStatus},
    {"unreachable_time", Kind::Message},
    {"limitation", Kind::Message}};
constexpr Schema kTaskStatus{kTaskStatusFields};

constexpr Field kExecutorInfoFields[] = {{"type", Kind::Enum},
                                         {"executor_id", Kind::Message, true, false, &kId},
                                         {"framework_id", Kind::Message, false, false, &kId},
                                         {"command", Kind::Message},
                                         {"container", Kind::Message},
                                         {"resources", Kind::Message, false, true},
                                         {"name", Kind::String},
                                         {"source", Kind::String},
                                         {"data", Kind::Bytes}};
constexpr Schema kExecutorInfo{kExecutorInfoFields};
constexpr Field kDockerFields[] = {{"image", Kind::String, true},
                                   {"network", Kind::Enum},
                                   {"port_mappings", Kind::Message, false, true},
                                   {"privileged", Kind::Bool},
                                   {"parameters", Kind::Message, false, true},
                                   {"force_pull_image", Kind::Bool},
                                   {"volume_driver", Kind::String}};
constexpr Schema kDocker{kDockerFields};
constexpr Field kContainerFields[] = {{"type", Kind::Enum, true},
                                      {"volumes", Kind::Message, false, true},
                                      {"hostname", Kind::String},
                                      {"docker", Kind::Message, false, false, &kDocker}};
constexpr Schema kContainer{kContainerFields};
constexpr Field kTaskInfoFields[] = {{"name", Kind::String, true},
                                     {"task_id", Kind::Message, true, false, &kId},
                                     {"agent_id", Kind::Message, true, false, &kId},
                                     {"resources", Kind::Message, false, true},
                                     {"executor", Kind::Message, false, false, &kExecutorInfo},
                                     {"container", Kind::Message, false, false, &kContainer},
                                     {"data", Kind::Bytes}};
constexpr Schema kTaskInfo{kTaskInfoFields};

constexpr Field kUpdateFields[] = {{"status", Kind::Message, true, false, &kTaskStatus}};
constexpr Schema kUpdate{kUpdateFields};
constexpr Field kSubscribeFields[] = {
    {"unacknowledged_tasks", Kind::Message, false, true, &kTaskInfo},
    {"unacknowledged_updates", Kind::Message, false, true, &kUpdate}};
constexpr Schema kSubscribe{kSubscribeFields};
constexpr Field kMessageFields[] = {{"data", Kind::Bytes, true}};
constexpr Schema kMessage{kMessageFields};
constexpr Field kCallFields[] = {{"executor_id", Kind::Message, true, false, &kId},
                                 {"framework_id", Kind::Message, true, false, &kId},
                                 {"type", Kind::Enum, false, false, nullptr, kCallTypes},
                                 {"subscribe", Kind::Message, false, false, &kSubscribe},
                                 {"update", Kind::Message, false, false, &kUpdate},
                                 {"message", Kind::Message, false, false, &kMessage}};
constexpr Schema kCall{kCallFields};

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string unexpected(std::string_view what, const Field& field) {
  return "Not expecting a JSON " + std::string(what) + " for field " + quoted(field.name);
}

class Converter {
 public:
  std::string error;

  json::object message(const json::object& from, const Schema& schema) {
    json::object to;
    std::map<std::string_view, const json::value*> sorted;  // the agent goes through them sorted
    for (const auto& member : from) sorted[member.key()] = &member.value();
    for (const auto& [name, value] : sorted) {
      const auto field = std::find_if(schema.fields.begin(), schema.fields.end(),
                                      [&name](const Field& f) { return f.name == name; });
      if (field == schema.fields.end()) continue;
      if (field->repeated) to[name] = json::array();
      add(to, *field, *value);
      if (!error.empty()) return to;
      if (field->repeated && to[name].as_array().empty()) to.erase(name);
    }
    return to;
  }

 private:
  static void put(json::object& to, const Field& field, json::value value) {
    if (field.repeated) {
      to[field.name].as_array().push_back(std::move(value));
    } else {
      to[field.name] = std::move(value);
    }
  }

  void add(json::object& to, const Field& field, const json::value& value) {
    if (value.is_null()) return;
    if (const auto* array = value.if_array()) {
      if (!field.repeated) {
        error = unexpected("array", field);
        return;
      }
      for (const auto& element : *array) {
        add(to, field, element);
        if (!error.empty()) return;
      }
    } else if (const auto* object = value.if_object()) {
      if (field.kind != Kind::Message) {
        error = unexpected("object", field);
        return;
      }
      put(to, field, field.message ? message(*object, *field.message) : *object);
    } else if (const auto* text = value.if_string()) {
      add_string(to, field, std::string_view(*text));
    } else if (value.is_bool()) {
      if (field.kind != Kind::Bool) error = unexpected("boolean", field);
      put(to, field, value);
    } else {
      if (field.kind != Kind::Number) error = unexpected("number", field);
      put(to, field, value);
    }
  }

  void add_string(json::object& to, const Field& field, std::string_view text) {
    switch (field.kind) {
      case Kind::String:
        return put(to, field, json::value(text));
      case Kind::Bytes:
        if (const DecodedBase64 bytes = decode_base64(text); !bytes.error.empty()) {
          error = "Failed to base64 decode bytes field " + quoted(field.name) + ": " + bytes.error;
        }
        return put(to, field, json::value(text));
      case Kind::Enum:
        return add_enum(to, field, text);
      case Kind::Bool:
      case Kind::Number:
        return add_quoted(to, field, text);
      case Kind::Message:
        error = unexpected("string", field);
        return;
    }
  }

  void add_enum(json::object& to, const Field& field, std::string_view text) {
    const auto& known = field.enum_values;
    if (known.empty() || std::find(known.begin(), known.end(), text) != known.end()) {
      put(to, field, json::value(text));
    } else if (field.required) {
      error = "Failed to find enum for '" + std::string(text) + "'";
    }
  }

  // "healthy":"true" and "timestamp":"1795379494.6" are taken (03-update-text-edge-cases).
  void add_quoted(json::object& to, const Field& field, std::string_view text) {
    const bool number = field.kind == Kind::Number;
    ParsedJson inner = parse_as_agent(text);
    if (inner.error.empty() && (number ? !inner.value.is_number() : !inner.value.is_bool())) {
      inner.error = "Unexpected JSON type parsed";
    }
    if (!inner.error.empty()) {
      error = "Failed to parse '" + std::string(text) + "' as a JSON " +
              (number ? "number" : "boolean") + " for field " + quoted(field.name) + ": " +
              inner.error;
      return;
    }
    put(to, field, std::move(inner.value));
  }
};

// Own missing fields first, then those of the fields that are there, as protobuf lists them.
void find_missing(const json::object& object, const Schema& schema, const std::string& prefix,
                  std::vector<std::string>& missing) {
  for (const Field& field : schema.fields) {
    if (field.required && !object.contains(field.name)) {
      missing.push_back(prefix + std::string(field.name));
    }
  }
  for (const Field& field : schema.fields) {
    const json::value* value = field.message ? object.if_contains(field.name) : nullptr;
    if (value == nullptr) continue;
    const std::string path = prefix + std::string(field.name);
    if (!field.repeated) {
      find_missing(value->as_object(), *field.message, path + ".", missing);
      continue;
    }
    std::size_t index = 0;
    for (const auto& element : value->as_array()) {
      find_missing(element.as_object(), *field.message, path + "[" + std::to_string(index++) + "].",
                   missing);
    }
  }
}

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

ConvertedCall convert_call(const boost::json::value& body) {
  ConvertedCall result;
  const auto* object = body.if_object();
  if (object == nullptr) {
    result.error = "Expecting a JSON object";
    return result;
  }
  Converter converter;
  result.call = converter.message(*object, kCall);
  result.error = converter.error;
  if (!result.error.empty()) return result;
  std::vector<std::string> missing;
  find_missing(result.call, kCall, "", missing);
  for (const auto& path : missing) {
    result.error += (result.error.empty() ? "Missing required fields: " : ", ") + path;
  }
  return result;
}

DecodedBase64 decode_base64(std::string_view text) {
  DecodedBase64 result;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) {
      result.error = "Invalid character '" + std::string(1, c) + "'";
      return result;
    }
    bits = (bits << 6) | static_cast<unsigned>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      result.bytes.push_back(static_cast<char>((bits >> held) & 0xff));
    }
  }
  return result;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&bytes](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    const unsigned bits = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
    out += kAlphabet[bits >> 18];
    out += kAlphabet[(bits >> 12) & 63];
    out += i + 1 < bytes.size() ? kAlphabet[(bits >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[bits & 63] : '=';
  }
  return out;
}

}  // namespace mini_agent
