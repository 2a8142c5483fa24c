#include "agent.hpp"

#include <string_view>

#include "recordio.hpp"
#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

// How long this agent's framework takes to acknowledge a terminal update (08b: less than 500 ms).
constexpr auto kFrameworkAcknowledges = std::chrono::milliseconds(100);

bool is_terminal(std::string_view state) {
  for (const std::string_view other :
       {"TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_UNREACHABLE"}) {
    if (state == other) return false;
  }
  return true;
}

std::string text_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string id_at(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value && value->is_object() ? text_at(value->get_object(), "value") : std::string();
}

const json::array& list_at(const json::object& object, std::string_view name) {
  static const json::array none;
  const json::value* value = object.if_contains(name);
  return value && value->is_array() ? value->get_array() : none;
}

HttpAnswer to_answer(const Verdict& verdict) {
  HttpAnswer answer;
  answer.status = verdict.status;
  answer.reason = verdict.reason;
  if (!verdict.header_name.empty()) {
    answer.headers.emplace_back(verdict.header_name, verdict.header_value);
  }
  if (!verdict.text.empty()) {
    answer.headers.emplace_back("Content-Type", "text/plain; charset=utf-8");
  }
  answer.body = verdict.text;
  return answer;
}

}  // namespace

HttpAnswer MiniAgent::answer(const CallRequest& request) {
  HttpAnswer result;
  if (silent_) {
    result.silent = true;
    return result;
  }
  switch (endpoint_of(request.target, request.over_domain_socket)) {
    case Endpoint::Executor:
      return answer_call(request);
    case Endpoint::State:
      return json_answer(agent_state(cluster_));
    case Endpoint::Health:
      return result;
    case Endpoint::Forbidden:
      note_refusal(refusal(403), request);
      return to_answer(refusal(403));
    case Endpoint::NotFound:
      break;
  }
  if (request.method == "POST") note_refusal(refusal(404), request);
  return not_found();
}

HttpAnswer MiniAgent::answer_call(const CallRequest& request) {
  const Verdict verdict = judge_call(request, view_);
  HttpAnswer result = to_answer(verdict);
  if (!verdict.accepted()) {
    note_refusal(verdict, request);
    return result;
  }
  if (!is_valid_utf8(request.body)) {
    violation(
        "a call with bytes that are not UTF-8: the agent forwards them and breaks "
        "schedulers");
  }
  const json::object& call = verdict.call;
  if (verdict.call_type == "SUBSCRIBE") {
    result.style = {options_.faults.merge_records, options_.faults.drip,
                    options_.faults.drip_pause};
    result.stream =
        [this, subscribe = call.at("subscribe").as_object()](std::shared_ptr<EventStream> stream) {
          subscribed(std::move(stream), subscribe);
        };
  } else if (verdict.call_type == "UPDATE") {
    update(call.at("update").at("status").as_object(), "call");
  } else if (verdict.call_type == "MESSAGE") {
    emit("message", {{"data", call.at("message").at("data")}});
  } else {
    emit("heartbeat_received");
  }
  return result;
}

void MiniAgent::note_refusal(const Verdict& verdict, const CallRequest& request) {
  const std::string call =
      verdict.call_type.empty() ? request.method + " " + request.target : verdict.call_type;
  if (verdict.status == 503) return emit("answered_503", {{"call", call}});
  // After a restart without checkpointing this is what must happen (04c).
  const bool expected = !view_.framework_known && verdict.text == "Framework cannot be found";
  emit("refused", {{"call", call},
                   {"status", verdict.status},
                   {"text", verdict.text},
                   {"expected", expected},
                   {"body", request.body.substr(0, 2000)}});
  if (expected) return;
  remember(call + " was refused with " + std::to_string(verdict.status) + ": " + verdict.text);
}

// A launched task that no update tells of and the executor does not list never reached it (04h).
bool MiniAgent::lost_in_restart(const json::object& subscribe) const {
  if (!launched_ || !tasks_.at(task_.task_id).last_state.empty()) return false;
  for (const auto& known : list_at(subscribe, "unacknowledged_tasks")) {
    if (id_at(known.as_object(), "task_id") == task_.task_id) return false;
  }
  for (const auto& known : list_at(subscribe, "unacknowledged_updates")) {
    if (id_at(known.at("status").as_object(), "task_id") == task_.task_id) return false;
  }
  return true;
}

json::object MiniAgent::subscription(const json::object& subscribe) {
  json::array tasks, updates;
  for (const auto& known : list_at(subscribe, "unacknowledged_tasks")) {
    tasks.push_back(json::value(id_at(known.as_object(), "task_id")));
  }
  for (const auto& known : list_at(subscribe, "unacknowledged_updates")) {
    updates.push_back(known.at("status"));
  }
  return {{"n", ++subscriptions_},
          {"unacknowledged_tasks", tasks},
          {"unacknowledged_updates", updates}};
}

void MiniAgent::subscribed(std::shared_ptr<EventStream> stream, const json::object& subscribe) {
  if (stream_) stream_->finish();
  stream_ = stream;
  stream->on_end = [this, alive = std::weak_ptr<bool>(alive_),
                    self = std::weak_ptr<EventStream>(stream)](const std::string& why) {
    if (alive.expired() || finished_) return;
    if (stream_ == self.lock()) stream_.reset();
    stream_ended(why);
  };
  view_.subscribed = back_in_time_ = true;
  const json::object details = subscription(subscribe);
  emit("subscribed", details);
  if (killed_before_subscribe_) {
    report_from_agent("TASK_KILLED", "Killed before delivery to the executor",
                      "REASON_TASK_KILLED_DURING_LAUNCH");
    return shut_down("the task was killed before it was launched");
  }
  if (lost_in_restart(subscribe)) {
    report_from_agent("TASK_DROPPED", "Task launched during agent restart",
                      "REASON_AGENT_RESTARTED");
    return shut_down("the executor does not know its task");
  }
  send(subscribed_event(task_, identity_));
  for (const auto& known : details.at("unacknowledged_updates").as_array()) {
    update(known.as_object(), "subscribe");
  }
  if (shutting_down_) {
    send(bare_event("SHUTDOWN"));
  } else if (!launched_) {
    launch();
  }
}

void MiniAgent::stream_ended(const std::string& why) {
  emit("stream_ended", {{"why", why}});
  if (!options_.spawn && outcome_ && !stream_) return after(Nanoseconds(0), [this] { conclude(); });
  if (!down_) refuse_for_a_while();
}

void MiniAgent::update(const json::object& status, const char* via) {
  const std::string task_id = id_at(status, "task_id");
  const std::string state = text_at(status, "state");
  const std::string uuid = text_at(status, "uuid");
  const auto found = tasks_.find(task_id);
  TaskState* task = found == tasks_.end() ? nullptr : &found->second;
  const std::string agent_id = id_at(status, "agent_id");
  const bool other_agent = !agent_id.empty() && agent_id != task_.agent_id;
  const bool duplicate = task && task->uuids.contains(uuid);
  const bool acknowledged = task && !other_agent && !task->framework_done;
  ++updates_;
  emit(
      "update",
      {{"status", status}, {"via", via}, {"duplicate", duplicate}, {"acknowledged", acknowledged}});
  if (!duplicate) {
    check_update(task, status);
    if (other_agent) violation("an update with the agent_id of another agent: " + agent_id);
  }
  if (!acknowledged) return;
  const bool first = task->last_state != state && !duplicate;
  task->uuids.insert(uuid);
  if (!duplicate) task->last_state = state;
  acknowledge(status);
  if (!duplicate && is_terminal(state)) {
    if (task_id == task_.task_id && !task->terminal && !outcome_) outcome_ = status;
    task->terminal = true;
  }
  if (task_id == task_.task_id) after_update(state, first);
}

void MiniAgent::check_update(const TaskState* task, const json::object& status) {
  const std::string state = text_at(status, "state");
  if (task == nullptr) {
    violation("an update for the unknown task " + id_at(status, "task_id"));
  } else if (task->terminal) {
    violation(state + " after the terminal update");
  }
  const json::value* timestamp = status.if_contains("timestamp");
  if (timestamp == nullptr || timestamp->to_number<double>() == 0) {
    violation(state + " without a timestamp: schedulers take it as 1970");
  }
}

void MiniAgent::acknowledge(const json::object& status) {
  if (drop_acks_ > 0) {
    --drop_acks_;
    return emit("ack_dropped", {{"uuid", status.at("uuid")}});
  }
  // Not before the handler has returned: a real one comes a moment before or after the 202.
  after(options_.faults.ack_delay, [this, status] { send_acknowledged(status); });
}

void MiniAgent::send_acknowledged(const json::object& status) {
  const json::object event = acknowledged_event(status);
  const bool delivered = send(event);
  if (options_.faults.duplicate_acks) send(event);
  emit("acknowledged", {{"task_id", status.at("task_id").at("value")},
                        {"uuid", status.at("uuid")},
                        {"state", status.at("state")},
                        {"delivered", delivered}});
  if (!delivered || !is_terminal(text_at(status, "state"))) return;
  after(kFrameworkAcknowledges,
        [this, id = id_at(status, "task_id")] { tasks_[id].framework_done = true; });
}

// Events that are sent while the executor is not subscribed are lost, as a real agent's.
bool MiniAgent::send(const json::object& event) {
  if (silent_ || !stream_ || !stream_->open()) return false;
  std::string bytes = record(print_as_agent(event));
  if (++records_ == options_.faults.cut_record) {
    stream_->send_half_and_abort(std::move(bytes));
  } else {
    stream_->send(std::move(bytes));
  }
  return true;
}

}  // namespace mini_agent
