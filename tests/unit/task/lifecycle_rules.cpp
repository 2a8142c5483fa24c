// What the world of lifecycle_world.hpp holds against the machine.

#include <algorithm>

#include "lifecycle_world.hpp"

namespace sidecar_executor::task::simulation {
using mesos::TaskState;

namespace {

constexpr std::int64_t second = 1'000'000'000;

}  // namespace

/// How much of the agent's grace is left above what has to be kept free; never = no limit.
World::Time World::budget_room(Time reserve) const {
  return budget_end_ == never ? never : std::max<Time>(0, budget_end_ - t_ - reserve);
}

// ---- what the machine was told -----------------------------------------------------------------

void World::note_event(const Event& event) {
  const State& state = machine_.state();
  const bool waiting = std::holds_alternative<state::Waiting>(state);
  const bool live = std::holds_alternative<state::Preparing>(state) ||
                    std::holds_alternative<state::Running>(state) ||
                    std::holds_alternative<state::Stopping>(state);
  if (const auto* asked = std::get_if<event::StopAsked>(&event)) {
    if (asked->task_id && *asked->task_id != "main") return;
    if (waiting) {
      if (!asked->task_id) waiting_exit_ = asked->request.exit_code;
      if (asked->task_id) killed_early_ = true;
    } else if (live) {
      note_stop(asked->request);
    } else if (asked->request.budget != Nanoseconds::max()) {
      budget_end_ = std::min(budget_end_, t_ + asked->request.budget.count());
    }
  } else if (const auto* lost = std::get_if<event::AgentLost>(&event)) {
    StopRequest request;
    request.cause = StopCause::agent_lost;
    request.grace = lost->grace;
    request.exit_code = 1;
    if (waiting) waiting_exit_ = 1;
    if (live) note_stop(request);
  } else if (const auto* fired = std::get_if<event::TimerFired>(&event)) {
    if (fired->timer == Timer::completion) {
      StopRequest request;
      request.cause = StopCause::time_up;
      completion_fired_ = true;
      if (live) note_stop(request);
    }
  } else if (const auto* ended = std::get_if<event::ContainerEnded>(&event)) {
    if (live) note_end(ended->end);
  } else if (std::holds_alternative<event::LaunchDone>(event)) {
    launch_done_ = true;
  } else if (std::holds_alternative<event::LaunchFailed>(event)) {
    launch_failed_ = true;
  } else if (std::holds_alternative<event::AgentConnection>(event)) {
    waits_for_ack_since_ = t_;
  }
}

void World::note_stop(const StopRequest& request) {
  if (!stop_known_) {
    stop_known_ = true;
    first_stop_ = request;
    may_drain_ = launch_done_ && in_sidecar_ && traits_.draining_duration > Nanoseconds(0);
    asked_at_ = t_;
  }
  all_drain_ = all_drain_ && request.drain;
  shortest_grace_ = std::min(shortest_grace_, request.grace.count());
  if (request.budget != Nanoseconds::max()) {
    budget_end_ = std::min(budget_end_, t_ + request.budget.count());
  }
  if (!stop_sent_) return;
  const Time grace = std::min(request.grace.count(), budget_room(2 * second));
  kill_not_before_ = std::min(kill_not_before_, t_ + grace);
  kill_due_ = std::min(kill_due_, t_ + grace + second / 2);
}

/// It ended by itself if nobody had asked before, or if its own clock says so.
void World::note_end(const ContainerEnd& end) {
  if (end_known_) return;
  end_known_ = true;
  own_end_ = !stop_known_;
  if (stop_known_ && end.finished_at) {
    const auto asked =
        now().wall - std::chrono::duration_cast<WallTime::duration>(Nanoseconds(t_ - asked_at_));
    own_end_ = *end.finished_at < asked;
  }
}

/// behaviour.md 7, told once more and independently of task/outcome.
TaskState World::verdict() const {
  if (refused_) return refused_as_;
  if (killed_early_ && !starting_sent_) return TaskState::killed;
  if (own_end_ && !launch_failed_) {
    if (end_.exit_code == 0) return TaskState::finished;
    if (end_.oom_killed) return TaskState::failed;
    const bool by_signal = end_.exit_code == 137 || end_.exit_code == 143;
    return by_signal ? TaskState::killed : TaskState::failed;
  }
  if (!stop_known_) return TaskState::failed;
  const bool failure =
      first_stop_.cause == StopCause::time_up || first_stop_.cause == StopCause::unhealthy;
  return failure ? TaskState::failed : TaskState::killed;
}

// ---- the terminal update -----------------------------------------------------------------------

void World::check_terminal(const action::Report& a) {
  terminal_at_ = t_;
  waits_for_ack_since_ = t_;
  hold(launch_failed_ || end_known_ || stop_known_ || refused_ || killed_early_,
       "a terminal update for no reason");
  left_behind_said_ = a.message.find("may still run") != std::string::npos;
  hold(!left_behind_said_ || launch_left_behind_ || given_up_,
       "may still run, though it is known what became of it");
  hold(!running_ || left_behind_said_, "a terminal update while the container runs");
  hold(!launch_left_behind_ || left_behind_said_, "a container left behind is not named");
  const bool by_framework =
      first_stop_.cause == StopCause::kill || first_stop_.cause == StopCause::destroy;
  hold(killing_sent_ == (killing_state_ && stop_known_ && by_framework), "TASK_KILLING is missing");
  hold(a.state == verdict(), "the terminal update has the wrong state");
  seen_.left_behind = seen_.left_behind || left_behind_said_;
  seen_.own_end = seen_.own_end || own_end_;
}

/// Closing without the container's end: only of a Docker that was silent for a minute; what the
/// machine knows may be 15 s old (a call that hangs, and the back-off).
void World::check_given_up() {
  given_up_ = true;
  hold(t_ - std::max(first_call_, last_good_answer_) >= 60 * second,
       "given up, though Docker was asked for less than 60 s");
  hold(docker_ != Docker::well || t_ - well_since_ <= 15 * second,
       "given up, though Docker answers");
}

// ---- every wait has an end ---------------------------------------------------------------------

void World::check_waits() {
  const State& state = machine_.state();
  const bool times_out = traits_.max_completion_time.has_value() && !completion_fired_;
  if (std::holds_alternative<state::Preparing>(state)) {
    hold(pull_ != Pull::none, "preparing, and no launch is under way");
    hold(!stop_known_ || launch_cancelled_, "asked to stop, and the launch is not cancelled");
    hold(!times_out || armed(Timer::completion), "max_completion_time without a timer");
  } else if (std::holds_alternative<state::Running>(state)) {
    hold(!times_out || armed(Timer::completion), "max_completion_time without a timer");
    hold(running_sent_, "running, and nobody was told");
    hold(health_watched_, "running, and health is not watched");
    hold(!end_known_, "running, though the container's end is known");
    hold(!stop_known_, "running, though it is to stop");
  } else if (const auto* stopping = std::get_if<state::Stopping>(&state)) {
    hold(!times_out || armed(Timer::completion), "max_completion_time without a timer");
    check_stopping(*stopping);
  } else if (std::holds_alternative<state::Closing>(state)) {
    const Time due = timers_[static_cast<std::size_t>(Timer::closing)];
    hold(armed(Timer::closing), "closing without a timer");
    hold(due <= closing_since_ + 5 * second, "closing may take longer than 5 s");
    hold(budget_end_ == never || due <= std::max(t_, budget_end_ - second / 2),
         "closing overdraws SHUTDOWN's budget");
  } else if (const auto* reporting = std::get_if<state::Reporting>(&state)) {
    hold(terminals_[0] == 1, "reporting, and the terminal update is not sent");
    hold(reporting->revoked || expects(What::revoked), "revocation is waited for and not begun");
    hold(!reporting->acknowledged || stream_.all_acknowledged(), "taken for acknowledged");
    hold(reporting->acknowledged || !connected_ || lost_ || armed(Timer::acknowledgement),
         "the acknowledgement is waited for without a timer");
    hold(!reporting->revoked || !(lost_ || reporting->acknowledged), "it is over, and it waits");
  }
}

void World::check_stopping(const state::Stopping& stopping) {
  hold(stop_known_, "stopping, and nobody asked");
  hold(!end_known_, "stopping, though the container's end is known");
  hold(!health_watched_, "health is watched while stopping");
  switch (stopping.phase) {
    case state::Phase::draining:
      hold(armed(Timer::drain), "draining without a timer");
      hold(all_drain_, "draining though somebody asked without");
      hold(shortest_grace_ > 0 || first_stop_.grace <= Nanoseconds(0),
           "draining though its grace was taken away");
      return;
    case state::Phase::stopping:
      hold(armed(Timer::grace), "stopping without a timer");
      hold(t_ <= kill_due_, "the grace period is over, and no docker kill");
      hold(timers_[static_cast<std::size_t>(Timer::grace)] <= kill_due_,
           "more grace than was asked for");
      hold(shortest_grace_ > 0, "docker stop though it is to be killed at once");
      return;
    case state::Phase::killing:
      hold(armed(Timer::retry), "killing without a timer");
      return;
  }
}

// ---- the end -----------------------------------------------------------------------------------

void World::check_exit(int code) {
  hold(!running_ || left_behind_said_, "the container is left behind without a word");
  if (waiting_exit_ && !launched_[0]) {
    hold(code == *waiting_exit_, "wrong exit code");
    return;
  }
  for (std::size_t id = 0; id < ids; ++id) {
    hold(!launched_[id] || terminals_[id] == 1, "a task without a terminal update");
  }
  if (stream_.all_acknowledged()) {
    const bool by_request = stop_known_ && (!own_end_ || launch_failed_);
    hold(code == (by_request ? first_stop_.exit_code : 0), "wrong exit code");
    return;
  }
  seen_.unacknowledged = true;
  hold(code == 1, "wrong exit code, the terminal update was not acknowledged");
  hold(lost_ || (connected_ && t_ - waits_for_ack_since_ >= 10 * second),
       "exit without waiting for the acknowledgement");
}

}  // namespace sidecar_executor::task::simulation
