#include "mesos/messages.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "base/encoding.hpp"
#include "base/pretty_json.hpp"
#include "base/text.hpp"
#include "mesos/json_field.hpp"

namespace sidecar_executor::mesos {
namespace {

namespace json = boost::json;

constexpr std::size_t message_limit = 4 * 1024;
constexpr std::size_t smaller_message_limit = 256;
constexpr std::size_t nesting_limit = 64;

Result<json::value> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = nesting_limit;
  // The agent passes bad bytes of a task definition through; refusing them would lose the LAUNCH.
  options.allow_invalid_utf8 = true;
  json::error_code failure;
  json::value value = json::parse(text, failure, {}, options);
  if (failure) return Error{ErrorKind::protocol, "not JSON: " + failure.message()};
  return value;
}

// ---- events ------------------------------------------------------------------------------------

Event subscribed(const JsonField& body) {
  Subscribed out;
  body["framework_info"]["capabilities"].each([&out](const JsonField& capability) {
    if (capability["type"].text() == "TASK_KILLING_STATE") out.task_killing_state = true;
  });
  out.agent_hostname = body["agent_info"]["hostname"].text_or_empty();
  out.agent_id = body["agent_info"]["id"]["value"].text_or_empty();
  out.container_id = body["container_id"]["value"].text_or_empty();
  return out;
}

Event launch(const JsonField& body) {
  Launch out;
  const JsonField task = body["task"];
  if (!task.present()) {
    task.missing();
    return out;
  }
  // Whatever is wrong with the task is told to its framework, if it has an id.
  std::string ignored;
  out.task_id = JsonField(task.value(), "", ignored)["task_id"]["value"].text_or_empty();
  auto parsed = parse_task_info(*task.value());
  if (parsed) {
    out.task = std::move(*parsed);
  } else {
    out.problem = parsed.error().message;
    out.json = json_text(*task.value());
  }
  return out;
}

Event launch_group(const JsonField& body) {
  LaunchGroup out;
  body["task_group"]["tasks"].each([&out](const JsonField& task) {
    out.task_ids.push_back(task["task_id"]["value"].required_text());
    out.jsons.push_back(json_text(*task.value()));
  });
  return out;
}

Event kill(const JsonField& body) {
  Kill out;
  out.task_id = body["task_id"]["value"].required_text();
  // A grace period that cannot be read must not cost the KILL: it is not sent again.
  std::string ignored;
  const JsonField policy(body["kill_policy"].value(), "kill_policy", ignored);
  if (const auto count = policy["grace_period"]["nanoseconds"].whole()) {
    out.grace_period = std::chrono::nanoseconds(*count);
  }
  return out;
}

Event acknowledged(const JsonField& body) {
  Acknowledged out;
  out.task_id = body["task_id"]["value"].required_text();
  out.uuid = body["uuid"].required_text();
  return out;
}

Event message(const JsonField& body) {
  const JsonField data = body["data"];
  auto decoded = base64_decode(data.text_or_empty());
  if (!decoded) data.wrong("not Base64");
  return Message{std::move(decoded).value_or("")};
}

struct Row {
  std::string_view type;
  std::string_view member;  ///< holds the event's fields; required
  Event (*read)(const JsonField&);
};
constexpr Row events_with_body[] = {
    {"SUBSCRIBED", "subscribed", subscribed},       {"LAUNCH", "launch", launch},
    {"LAUNCH_GROUP", "launch_group", launch_group}, {"KILL", "kill", kill},
    {"ACKNOWLEDGED", "acknowledged", acknowledged}, {"MESSAGE", "message", message},
};

Event read_event(const JsonField& root) {
  const std::string type = root["type"].required_text();
  for (const Row& row : events_with_body) {
    if (row.type != type) continue;
    const JsonField body = root[row.member];
    if (!body.present()) body.missing();
    return row.read(body);
  }
  if (type == "SHUTDOWN") return Shutdown{};
  if (type == "HEARTBEAT") return Heartbeat{};
  if (type == "ERROR") return ErrorEvent{root["error"]["message"].text_or_empty()};
  return UnknownEvent{type};
}

// ---- calls -------------------------------------------------------------------------------------

std::string quoted(std::string_view text) { return json::serialize(json::string(text)); }

std::string id_object(std::string_view id) { return "{\"value\":" + quoted(id) + "}"; }

/// `{"type":...,"framework_id":...,"executor_id":...` up to the body.
std::string call_head(std::string_view type, const Identity& who) {
  return "{\"type\":" + quoted(type) + ",\"framework_id\":" + id_object(who.framework_id) +
         ",\"executor_id\":" + id_object(who.executor_id);
}

std::string container_status(const ContainerStatus& status) {
  std::string addresses;
  for (const IpAddress& ip : status.ips) {
    if (!addresses.empty()) addresses += ',';
    addresses += "{\"ip_address\":" + quoted(to_utf8(ip.address)) + ",\"protocol\":\"" +
                 (ip.v6 ? "IPv6" : "IPv4") + "\"}";
  }
  std::string out;
  if (!addresses.empty()) {
    out = "\"network_infos\":[{\"ip_addresses\":[" + addresses + "]}]";
  }
  if (status.executor_pid != 0) {
    if (!out.empty()) out += ',';
    out += "\"executor_pid\":" + std::to_string(status.executor_pid);
  }
  return "{" + out + "}";
}

/// CheckStatusInfo; its member is there without a value, too.
std::string check_status(const CheckStatus& status) {
  std::string_view member = "command";
  std::string value = status.value ? std::to_string(*status.value) : "";
  std::string_view key = "exit_code";
  if (status.type == CheckType::http) {
    member = "http";
    key = "status_code";
  } else if (status.type == CheckType::tcp) {
    member = "tcp";
    key = "succeeded";
    if (status.value) value = *status.value != 0 ? "true" : "false";
  }
  std::string out = "{\"type\":" + quoted(to_string(status.type)) + ",\"";
  out.append(member).append("\":{");
  if (status.value) out.append("\"").append(key).append("\":").append(value);
  return out + "}}";
}

std::string joined(const std::vector<std::string>& texts, std::string_view before,
                   std::string_view after) {
  std::string out;
  for (const auto& text : texts) {
    if (!out.empty()) out += ',';
    out += before;
    out += text;
    out += after;
  }
  return out;
}

}  // namespace

std::string_view to_string(TaskState state) {
  switch (state) {
    case TaskState::starting:
      return "TASK_STARTING";
    case TaskState::running:
      return "TASK_RUNNING";
    case TaskState::killing:
      return "TASK_KILLING";
    case TaskState::finished:
      return "TASK_FINISHED";
    case TaskState::failed:
      return "TASK_FAILED";
    case TaskState::killed:
      return "TASK_KILLED";
    case TaskState::error:
      return "TASK_ERROR";
  }
  return "TASK_ERROR";
}

bool is_terminal(TaskState state) {
  return state == TaskState::finished || state == TaskState::failed || state == TaskState::killed ||
         state == TaskState::error;
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "";
    case Reason::container_launch_failed:
      return "REASON_CONTAINER_LAUNCH_FAILED";
    case Reason::container_limitation_memory:
      return "REASON_CONTAINER_LIMITATION_MEMORY";
    case Reason::max_completion_time_reached:
      return "REASON_MAX_COMPLETION_TIME_REACHED";
    case Reason::task_invalid:
      return "REASON_TASK_INVALID";
    case Reason::task_group_invalid:
      return "REASON_TASK_GROUP_INVALID";
    case Reason::task_killed_during_launch:
      return "REASON_TASK_KILLED_DURING_LAUNCH";
    case Reason::task_health_check_status_updated:
      return "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED";
    case Reason::task_check_status_updated:
      return "REASON_TASK_CHECK_STATUS_UPDATED";
  }
  return "";
}

Result<Event> parse_event(std::string_view record) {
  const auto value = parse_json(record);
  if (!value) return value.error();
  if (!value->is_object()) return Error{ErrorKind::protocol, "the event is not a JSON object"};
  std::string problem;
  Event event = read_event(JsonField(&*value, "", problem));
  if (!problem.empty()) return Error{ErrorKind::protocol, problem};
  return event;
}

std::optional<std::string> parse_destroy_message(std::string_view data, std::string_view task_id) {
  const auto value = parse_json(data);
  if (!value) return std::nullopt;
  std::string ignored;
  const JsonField root(&*value, "", ignored);
  constexpr std::string_view destroy = "SingularityTaskDestroyFrameworkMessage";
  if (!root["@class"].text_or_empty().ends_with(destroy)) return std::nullopt;
  if (root["taskId"]["id"].text() != task_id) return std::nullopt;
  return root["user"].text_or_empty();
}

std::string encode_subscribe(const Identity& who,
                             const std::vector<std::string>& unacknowledged_tasks,
                             const std::vector<std::string>& unacknowledged_statuses) {
  return call_head("SUBSCRIBE", who) + ",\"subscribe\":{\"unacknowledged_tasks\":[" +
         joined(unacknowledged_tasks, "", "") + "],\"unacknowledged_updates\":[" +
         joined(unacknowledged_statuses, "{\"status\":", "}") + "]}}";
}

std::string encode_status(const Identity& who, const StatusUpdate& update, std::string_view uuid,
                          double timestamp) {
  // Ids go out as they came in: the agent compares bytes.
  std::string out =
      "{\"task_id\":" + id_object(update.task_id) +
      ",\"state\":" + quoted(to_string(update.state)) +
      ",\"source\":\"SOURCE_EXECUTOR\",\"executor_id\":" + id_object(who.executor_id) +
      ",\"uuid\":" + quoted(uuid);
  // Left out, the agent sets it; Singularity stores a 0 as 1970.
  if (std::isfinite(timestamp) && timestamp > 0) {
    out += fmt::format(",\"timestamp\":{:.6f}", timestamp);
  }
  if (!update.message.empty()) {
    out += ",\"message\":" + quoted(clip_utf8(update.message, message_limit));
  }
  if (update.reason != Reason::none) out += ",\"reason\":" + quoted(to_string(update.reason));
  if (update.healthy) out += *update.healthy ? ",\"healthy\":true" : ",\"healthy\":false";
  if (!update.data.empty() && update.data.size() <= data_limit) {
    out += ",\"data\":\"" + base64_encode(update.data) + "\"";
  }
  if (update.container_status) {
    out += ",\"container_status\":" + container_status(*update.container_status);
  }
  if (update.check_status) out += ",\"check_status\":" + check_status(*update.check_status);
  return out + "}";
}

std::string smaller_status(std::string_view status_json) {
  auto value = parse_json(status_json);
  if (!value || !value->is_object()) return std::string(status_json);
  json::object& status = value->as_object();
  status.erase("data");
  status.erase("container_status");
  if (auto* message = status.if_contains("message"); message != nullptr && message->is_string()) {
    const std::string clipped = clip_utf8(message->as_string(), smaller_message_limit);
    message->as_string() = clipped;
  }
  return json_text(*value);
}

std::string encode_update(const Identity& who, std::string_view status_json) {
  std::string out = call_head("UPDATE", who) + ",\"update\":{\"status\":";
  out += status_json;
  return out + "}}";
}

}  // namespace sidecar_executor::mesos
