#include "mesos/update_stream.hpp"

#include <algorithm>

namespace sidecar_executor::mesos {

void UpdateStream::launched(std::string task_id, std::string task_json) {
  if (std::find(ended_.begin(), ended_.end(), task_id) != ended_.end()) return;
  tasks_.insert_or_assign(std::move(task_id), std::move(task_json));
}

bool UpdateStream::add(std::string task_id, TaskState state, std::string uuid,
                       std::string status_json) {
  if (std::find(ended_.begin(), ended_.end(), task_id) != ended_.end()) return false;
  if (is_terminal(state)) ended_.push_back(task_id);
  Pending update;
  update.task_id = std::move(task_id);
  update.state = state;
  update.uuid = std::move(uuid);
  update.status = std::move(status_json);
  updates_.push_back(std::move(update));
  give_up_replaced();
  return true;
}

/// A refused update whose task has a newer one. The terminal one is always the newest of its task.
void UpdateStream::give_up_replaced() {
  for (auto at = updates_.begin(); at != updates_.end();) {
    const bool replaced =
        at->refused && std::any_of(std::next(at), updates_.end(), [at](const Pending& later) {
          return later.task_id == at->task_id;
        });
    at = replaced ? updates_.erase(at) : std::next(at);
  }
}

/// An accepted update of a task whose terminal one was accepted too: not sent again as UPDATE. Had
/// the agent lost it, it would take it now as news from after the end.
bool UpdateStream::superseded(const Pending& update) const {
  return update.sent && !is_terminal(update.state) &&
         std::any_of(updates_.begin(), updates_.end(), [&update](const Pending& other) {
           return other.task_id == update.task_id && other.sent && is_terminal(other.state);
         });
}

std::optional<UpdateStream::ToSend> UpdateStream::next(Clock::time_point now) {
  if (in_flight_) return std::nullopt;
  for (const Pending& update : updates_) {
    if (superseded(update)) continue;
    if (update.due <= now) {
      in_flight_ = update.uuid;
      return ToSend{update.uuid, update.status};
    }
    // Nothing overtakes one that the agent has not accepted, unless it never will.
    if (!update.sent && !update.refused) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<UpdateStream::Clock::time_point> UpdateStream::next_due() const {
  std::optional<Clock::time_point> due;
  if (in_flight_) return due;
  for (const Pending& update : updates_) {
    if (superseded(update)) continue;
    due = due ? std::min(*due, update.due) : update.due;
    if (!update.sent && !update.refused) break;
  }
  return due;
}

void UpdateStream::answered(std::string_view uuid, bool accepted, Clock::time_point now,
                            Clock::time_point retry_at) {
  if (in_flight_ != uuid) return;  // of a connection that is gone
  in_flight_.reset();
  const auto update = find(uuid);
  if (update == updates_.end()) return;  // acknowledged before its 202
  update->sent = accepted;
  update->due = accepted ? now + resend_ : retry_at;
  if (accepted) update->refused = false;
}

bool UpdateStream::refused_once(std::string_view uuid, std::string smaller_status) {
  const auto update = find(uuid);
  if (in_flight_ != uuid || update == updates_.end() || update->smaller) return false;
  in_flight_.reset();
  update->smaller = true;
  update->status = std::move(smaller_status);
  update->sent = false;
  update->due = {};
  return true;
}

void UpdateStream::refused_again(std::string_view uuid, Clock::time_point retry_at) {
  if (in_flight_ != uuid) return;
  in_flight_.reset();
  const auto update = find(uuid);
  if (update == updates_.end()) return;
  update->sent = false;
  update->refused = true;
  update->due = retry_at;
  give_up_replaced();
}

std::optional<TaskState> UpdateStream::acknowledged(std::string_view task_id,
                                                    std::string_view uuid) {
  const auto update = find(uuid);
  if (update == updates_.end() || update->task_id != task_id) return std::nullopt;
  const TaskState state = update->state;
  if (const auto task = tasks_.find(update->task_id); task != tasks_.end()) tasks_.erase(task);
  if (is_terminal(state)) {
    std::erase_if(updates_, [task_id](const Pending& p) { return p.task_id == task_id; });
  } else {
    updates_.erase(update);
  }
  return state;
}

void UpdateStream::disconnected() {
  in_flight_.reset();
  for (Pending& update : updates_) {
    update.sent = false;
    update.refused = false;  // another agent process may think otherwise
    update.due = {};
  }
}

std::vector<std::string> UpdateStream::unacknowledged_statuses() {
  std::vector<std::string> out;
  for (Pending& update : updates_) {
    update.carried = true;
    out.push_back(update.status);
  }
  return out;
}

void UpdateStream::resubscribed(Clock::time_point now) {
  for (Pending& update : updates_) {
    if (!update.carried) continue;
    update.carried = false;
    update.sent = true;
    update.due = now + resend_;
  }
}

std::vector<std::string> UpdateStream::unacknowledged_tasks() const {
  std::vector<std::string> out;
  for (const auto& [id, json] : tasks_) out.push_back(json);
  return out;
}

UpdateStream::Updates::iterator UpdateStream::find(std::string_view uuid) {
  return std::find_if(updates_.begin(), updates_.end(),
                      [uuid](const Pending& update) { return update.uuid == uuid; });
}

}  // namespace sidecar_executor::mesos
