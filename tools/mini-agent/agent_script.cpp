// What the framework and the operator do to the task.
#include "agent.hpp"
#include "call_schema.hpp"

namespace mini_agent {
namespace {

double in_seconds(Nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

void MiniAgent::launch() {
  launched_ = true;
  tasks_[task_.task_id];
  if (options_.kill_before_launch) kill_task(options_.kill_grace);
  if (options_.launch_group) {
    tasks_[task_.task_id + "-second"];
    send(launch_group_event(task_));
  } else {
    send(launch_event(task_.info));
  }
  emit("launched", {{"task_id", task_.task_id}, {"group", options_.launch_group}});
  if (options_.kill_at_launch) kill_task(options_.kill_grace);
  if (options_.after_launch) start_clock();
  if (options_.faults.restart_after) after(*options_.faults.restart_after, [this] { go_down(); });
  if (options_.faults.disconnect_every) {
    after(*options_.faults.disconnect_every, [this] { end_stream(); });
  }
}

// Once, at LAUNCH or at the first TASK_RUNNING.
void MiniAgent::start_clock() {
  if (clock_started_) return;
  clock_started_ = true;
  if (options_.kill_after) {
    after(*options_.kill_after, [this] { kill_task(options_.kill_grace); });
  }
  if (options_.shutdown_after) {
    after(*options_.shutdown_after, [this] { shut_down("--shutdown-after"); });
  }
  if (sidecar_ && options_.sidecar.bad_after) {
    after(*options_.sidecar.bad_after, [this] { sidecar_->go_bad(); });
  }
  if (sidecar_ && options_.sidecar.down_after) {
    after(*options_.sidecar.down_after, [this] {
      sidecar_->close();
      emit("sidecar_down");
    });
  }
  if (!options_.message.empty()) {
    after(options_.message_after.value_or(Nanoseconds(0)), [this] { send_message(); });
  }
}

void MiniAgent::after_update(const std::string& state, bool first) {
  if (!first) return;
  if (state == options_.kill_on) {
    after(Nanoseconds(0), [this] { kill_task(options_.kill_grace); });
  }
  if (state == options_.shutdown_on) {
    after(Nanoseconds(0), [this] { shut_down("--shutdown-on"); });
  }
  if (state == options_.faults.at && !faults_done_) {
    faults_done_ = true;
    // Behind the acknowledgement.
    after(options_.faults.ack_delay + std::chrono::milliseconds(10), [this] { inject_faults(); });
  }
  if (state != "TASK_RUNNING") return;
  if (options_.second_launch && tasks_.size() == 1) {
    const auto second = second_task(task_);
    tasks_[task_.task_id + "-second"];
    after(Nanoseconds(0), [this, second] {
      send(launch_event(second));
      emit("second_launch_sent", {{"task_id", second.at("task_id").at("value")}});
    });
  }
  start_clock();
}

void MiniAgent::kill_task(std::optional<Nanoseconds> grace) {
  const std::string id = options_.kill_task_id.empty() ? task_.task_id : options_.kill_task_id;
  const bool delivered = send(kill_event(id, grace));
  boost::json::object details{{"task_id", id}, {"delivered", delivered}};
  if (grace) details["grace"] = in_seconds(*grace);
  emit("kill_sent", details);
  if (killed_once_) return;
  killed_once_ = true;
  if (options_.second_kill_after) {
    after(*options_.second_kill_after, [this] { kill_task(options_.second_kill_grace); });
  }
}

void MiniAgent::shut_down(const char* why) {
  if (shutting_down_) return;
  shutting_down_ = true;
  const bool delivered = send(bare_event("SHUTDOWN"));
  emit("shutdown_sent",
       {{"why", why}, {"grace", options_.shutdown_grace}, {"delivered", delivered}});
  const Nanoseconds grace = parse_duration(options_.shutdown_grace).value_or(Nanoseconds(0));
  after(grace, [this] {
    kill_executor("still running " + options_.shutdown_grace + " after SHUTDOWN");
    if (!options_.spawn) conclude();
  });
}

void MiniAgent::send_message() {
  const bool delivered = send(message_event(options_.message));
  emit("message_sent", {{"data", encode_base64(options_.message)}, {"delivered", delivered}});
}

void MiniAgent::beat() {
  after(options_.heartbeat, [this] {
    if (send(bare_event("HEARTBEAT"))) emit("heartbeat_sent");
    beat();
  });
}

void MiniAgent::interrupt() {
  if (finished_) return;
  switch (++interrupts_) {
    case 1:
      if (!launched_) {
        killed_before_subscribe_ = true;
        return emit("killed_before_subscribe");
      }
      if (!tasks_[task_.task_id].terminal) return kill_task(options_.kill_grace);
      [[fallthrough]];
    case 2:
      interrupts_ = 2;
      return shut_down("interrupted");
    default:
      kill_executor("interrupted");
      if (!options_.spawn) conclude();
  }
}

void MiniAgent::terminate() {
  if (finished_) return;
  interrupts_ = 2;
  shut_down("mini-agent was terminated");
}

}  // namespace mini_agent
