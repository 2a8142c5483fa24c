#include "torture/judge.hpp"

#include <map>
#include <set>

#include "torture/oracle.hpp"

namespace sx_torture {
namespace {

namespace json = boost::json;

bool terminal(const std::string& state) {
  return state == "TASK_FINISHED" || state == "TASK_FAILED" || state == "TASK_KILLED" ||
         state == "TASK_ERROR";
}

std::string uuid_of(const sx_test::Update& update) {
  const auto* uuid = update.status.if_contains("uuid");
  return uuid == nullptr ? "" : json::serialize(*uuid);
}

/// The same update may come again: by its uuid.
std::map<std::string, const sx_test::Update*> terminal_updates(const Observed& o) {
  std::map<std::string, const sx_test::Update*> out;
  for (const auto& update : o.run.updates) {
    if (terminal(update.state) && update.task_id == o.task_id) out[uuid_of(update)] = &update;
  }
  return out;
}

const json::object* event_named(const Observed& o, std::string_view name) {
  for (const auto& event : o.run.events) {
    if (event.at("event").as_string() == name) return &event;
  }
  return nullptr;
}

std::string listed(const auto& all) {
  std::string out;
  for (const auto& one : all) {
    if (!out.empty()) out += ", ";
    if constexpr (std::is_same_v<std::decay_t<decltype(one)>, std::string>) {
      out += one;
    } else {
      out += std::to_string(one);
    }
  }
  return out;
}

using Complaints = std::vector<std::string>;

/// dockerd gives 255 to a container that ended while it was away: nobody knows better.
bool lost_by_docker(const Observed& o, const sx_test::Update& end) {
  return o.dockerd_was_away && end.state == "TASK_FAILED" &&
         end.message.starts_with("exited with code 255");
}

/// It hears of it after the end now and then, and sometimes never.
bool oom_missed_by_docker(const Allowed& allowed, const Observed& o, const sx_test::Update& end) {
  const bool as_a_kill = end.state == "TASK_KILLED" && end.message.starts_with("ended by SIGKILL");
  return !allowed.reason_to_fail.empty() && as_a_kill && (!o.dockerd_saw_oom || o.dockerd_was_away);
}

void judge_end(const Allowed& allowed, const Observed& o, const sx_test::Update& end,
               Complaints& out) {
  if (lost_by_docker(o, end) || oom_missed_by_docker(allowed, o, end)) return;
  if (!allowed.states.contains(end.state)) {
    out.push_back(end.state + ", allowed: " + listed(allowed.states));
  } else if (end.state == "TASK_FAILED" && !allowed.reason_to_fail.empty() &&
             end.reason != allowed.reason_to_fail) {
    out.push_back("TASK_FAILED with " + end.reason + " in place of " + allowed.reason_to_fail);
  }
}

void judge_updates(const Allowed& allowed, const Observed& o, Complaints& out) {
  const auto ends = terminal_updates(o);
  if (ends.size() > 1) out.push_back(std::to_string(ends.size()) + " terminal updates");
  if (ends.empty() && !allowed.none) out.emplace_back("no terminal update");
  for (const auto& [uuid, end] : ends) judge_end(allowed, o, *end, out);
  std::set<std::string> over;
  for (const auto& update : o.run.updates) {
    const bool known = over.contains(uuid_of(update));
    if (!over.empty() && !known) out.push_back(update.state + " after the terminal update");
    if (terminal(update.state)) over.insert(uuid_of(update));
    if (update.message.empty() && terminal(update.state))
      out.push_back(update.state + " says nothing");
    if (update.message.find("may still run") != std::string::npos)
      out.push_back("it gave its container up: " + update.message);
  }
}

void judge_process(const Allowed& allowed, const Observed& o, Complaints& out) {
  if (o.run.agent_exit == 70) return out.emplace_back("it did not end in time"), void();
  const auto* end = event_named(o, "executor_exit");
  if (end == nullptr) {
    out.emplace_back("the executor was not seen to end");
  } else if (!end->at("signal").is_null()) {
    out.push_back("the executor died of signal " + json::serialize(end->at("signal")));
  } else if (!allowed.exit_codes.contains(end->at("code").to_number<int>())) {
    out.push_back("exit code " + json::serialize(end->at("code")) +
                  ", allowed: " + listed(allowed.exit_codes));
  }
  if (const auto* killed = event_named(o, "executor_killed"))
    out.push_back("the agent killed the executor: " + json::serialize(killed->at("why")));
}

void judge_protocol(const Observed& o, Complaints& out) {
  for (const auto& event : o.run.events) {
    const auto& name = event.at("event").as_string();
    const auto* expected = event.if_contains("expected");
    const bool refused = name == "refused" && !(expected != nullptr && expected->as_bool());
    if (name == "violation" || refused)
      out.push_back("not as an agent wants it: " + json::serialize(event));
  }
}

}  // namespace

std::string end_of(const Observed& observed) {
  const auto ends = terminal_updates(observed);
  return ends.empty() ? "none" : ends.begin()->second->state;
}

std::vector<std::string> violations_of(const Observed& o) {
  Complaints out;
  const Allowed allowed = allowed_ends(o.scenario);
  judge_updates(allowed, o, out);
  judge_process(allowed, o, out);
  judge_protocol(o, out);
  for (const auto& id : o.running) out.push_back("container " + id + " still runs");
  for (const auto& secret : o.secrets) {
    const auto at = o.written.find(secret);
    if (at == std::string::npos) continue;
    const auto from = at < 60 ? 0 : at - 60;
    out.push_back("a secret got out: ..." + o.written.substr(from, at - from + secret.size()));
  }
  return out;
}

}  // namespace sx_torture
