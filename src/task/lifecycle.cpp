#include "task/lifecycle.hpp"

#include <algorithm>

#include "base/go_duration.hpp"
#include "base/timeouts.hpp"

namespace sidecar_executor::task {
using mesos::Reason;
using mesos::TaskState;

namespace {

constexpr Nanoseconds first_retry = std::chrono::milliseconds(250);
constexpr Nanoseconds longest_retry = std::chrono::seconds(4);
/// Docker said that it stopped; the exit is due at once. Asked again after this long.
constexpr Nanoseconds exit_due = std::chrono::seconds(2);
/// A kill policy may ask for 292 years; now + that overflows.
constexpr Nanoseconds longest_wait = std::chrono::hours(24 * 365);

Nanoseconds backoff(int attempts) {
  return std::min(longest_retry, Nanoseconds(first_retry.count() << std::clamp(attempts, 0, 6)));
}

}  // namespace

Nanoseconds stop_grace(Nanoseconds asked, SteadyTime budget_end, SteadyTime now) {
  Nanoseconds grace = std::clamp(asked, Nanoseconds(0), longest_wait);
  if (budget_end == SteadyTime::max()) return grace;
  const Nanoseconds room = budget_end - now - timeouts::shutdown_stop_reserve;
  return std::clamp(grace, Nanoseconds(0), std::max(room, Nanoseconds(0)));
}

Nanoseconds closing_limit(SteadyTime budget_end, SteadyTime now) {
  if (budget_end == SteadyTime::max()) return timeouts::closing;
  const Nanoseconds left = budget_end - now - timeouts::shutdown_reserve;
  return std::clamp<Nanoseconds>(left, Nanoseconds(0), timeouts::closing);
}

/// One call of step(): the machine, the time and the actions so far.
struct Step {
  Lifecycle& m;
  Now now;
  Actions out;

  template <typename A>
  void act(A action) {
    out.emplace_back(std::move(action));
  }
  void set(Timer timer, Nanoseconds after) {
    act(action::SetTimer{timer, std::clamp(after, Nanoseconds(0), longest_wait)});
  }
  void cancel(Timer timer) { act(action::CancelTimer{timer}); }

  void report(TaskState state, Reason reason, std::string message) {
    act(action::Report{m.task_.task_id, state, reason, std::move(message), m.healthy_});
  }

  // ---- ends ------------------------------------------------------------------------------------

  void exit(int code) {
    m.state_ = state::Done{code};
    act(action::Exit{code});
  }

  /// The outcome is known and nothing is left to copy: report it.
  void report_outcome() {
    const Outcome& outcome = *m.outcome_;
    cancel(Timer::closing);
    act(action::Report{m.task_.task_id, outcome.state, outcome.reason, outcome.message,
                       outcome.healthy ? outcome.healthy : m.healthy_});
    act(action::Revoke{});
    m.state_ = state::Reporting{outcome.exit_code, false, false};
    await_acknowledgement();
  }

  /// While the agent is away its recovery time-out is the limit: AgentLost ends the wait.
  void await_acknowledgement() {
    if (m.agent_connected_ && !m.agent_lost_) {
      set(Timer::acknowledgement, timeouts::last_acknowledgement);
    }
  }

  void finish_if_done() {
    auto& reporting = std::get<state::Reporting>(m.state_);
    if (!reporting.revoked) return;
    if (reporting.acknowledged) return exit(reporting.exit_code);
    if (m.agent_lost_) exit(1);
  }

  void close(Outcome outcome, bool had_container) {
    for (const Timer timer : {Timer::completion, Timer::drain, Timer::grace, Timer::retry})
      cancel(timer);
    act(action::StopWatchingHealth{});
    m.outcome_ = std::move(outcome);
    if (!had_container) return report_outcome();
    const Nanoseconds limit = closing_limit(m.budget_end_, now.steady);
    m.state_ = state::Closing{*m.outcome_, now.steady + limit};
    set(Timer::closing, limit);
    act(action::BeginClosing{m.outcome_->state != TaskState::finished, limit});
  }

  EndFacts facts() const {
    EndFacts facts;
    facts.memory_limit = m.memory_limit_;
    facts.notes = m.notes_;
    if (m.started_ != SteadyTime{}) facts.ran_for = now.steady - m.started_;
    return facts;
  }

  void ended_by_itself(const ContainerEnd& end) {
    EndFacts f = facts();
    f.end = end;
    close(decide(f), true);
  }

  // ---- stopping --------------------------------------------------------------------------------

  void note_budget(const StopRequest& stop) {
    if (stop.budget == Nanoseconds::max()) return;
    m.budget_end_ = std::min(m.budget_end_, now.steady + std::min(stop.budget, longest_wait));
  }

  void report_killing(const StopRequest& stop) {
    const bool by_framework = stop.cause == StopCause::kill || stop.cause == StopCause::destroy;
    if (by_framework && m.task_killing_state_) report(TaskState::killing, Reason::none, stop.text);
  }

  void begin_stopping(StopRequest stop, bool may_drain, Now asked) {
    state::Stopping stopping;
    stopping.asked = asked.steady;
    stopping.asked_wall = asked.wall;
    stopping.stop = std::move(stop);
    act(action::StopWatchingHealth{});
    const bool drain = may_drain && stopping.stop.drain && m.task_.can_drain &&
                       m.task_.draining_duration > Nanoseconds(0) &&
                       stopping.stop.grace > Nanoseconds(0);
    if (drain) {
      stopping.phase = state::Phase::draining;
      stopping.drained = true;
      m.state_ = std::move(stopping);
      act(action::Drain{});
      set(Timer::drain, m.task_.draining_duration);
      return;
    }
    m.state_ = std::move(stopping);
    send_stop();
  }

  void send_stop() {
    auto& s = std::get<state::Stopping>(m.state_);
    cancel(Timer::drain);
    const Nanoseconds grace = stop_grace(s.stop.grace, m.budget_end_, now.steady);
    if (grace <= Nanoseconds(0)) return send_kill();
    s.phase = state::Phase::stopping;
    s.grace_until = now.steady + grace;
    act(action::StopContainer{grace});
    set(Timer::grace, grace + timeouts::kill_after_grace);
  }

  void send_kill() {
    auto& s = std::get<state::Stopping>(m.state_);
    s.phase = state::Phase::killing;
    cancel(Timer::drain);
    cancel(Timer::grace);
    act(action::KillContainer{});
    // Should this answer never come, the timer asks again.
    set(Timer::retry, timeouts::docker_call + first_retry);
  }

  void ask_more(const StopRequest& later) {
    auto& s = std::get<state::Stopping>(m.state_);
    s.stop = merge(s.stop, later);
    note_budget(later);
    const Nanoseconds grace = stop_grace(s.stop.grace, m.budget_end_, now.steady);
    if (s.phase == state::Phase::killing) return;
    if (grace <= Nanoseconds(0)) return send_kill();
    if (s.phase == state::Phase::draining) {
      if (!s.stop.drain) send_stop();
      return;
    }
    // No second docker stop: many programs take a second SIGTERM as "at once".
    if (now.steady + grace >= s.grace_until) return;
    s.grace_until = now.steady + grace;
    set(Timer::grace, grace);
  }

  void docker_answered(event::DockerAnswer answer, bool to_kill) {
    auto* s = std::get_if<state::Stopping>(&m.state_);
    if (s == nullptr) return;
    const bool late = to_kill != (s->phase == state::Phase::killing);
    if (answer == event::DockerAnswer::failed) {
      if (late) return;
      if (!s->unreachable_since) s->unreachable_since = now.steady;
      set(Timer::retry, backoff(s->attempts++));
      return;
    }
    s->unreachable_since.reset();
    s->attempts = 0;
    act(action::CheckContainer{});
    if (!late) set(Timer::retry, exit_due);
  }

  void retry() {
    auto& s = std::get<state::Stopping>(m.state_);
    if (s.phase == state::Phase::draining) return;
    if (!s.unreachable_since) s.unreachable_since = now.steady;
    if (now.steady - *s.unreachable_since >= timeouts::docker_unreachable) {
      EndFacts f = facts();
      f.stop = s.stop;
      f.may_still_run = m.container_id_;
      return close(decide(f), true);
    }
    // It may refuse to stop a container and yet know that it runs: then it is not unreachable.
    act(action::CheckContainer{});
    if (s.phase == state::Phase::killing) return send_kill();
    // The grace period runs on; Docker gets what is left of it.
    const Nanoseconds left = s.grace_until - now.steady;
    if (left <= Nanoseconds(0)) return send_kill();
    // No retry timer: Docker may take all that is left to answer, and then the grace timer fires.
    act(action::StopContainer{left});
  }

  void ended_while_stopping(const ContainerEnd& end) {
    const auto& s = std::get<state::Stopping>(m.state_);
    if (end.finished_at && *end.finished_at < s.asked_wall) return ended_by_itself(end);
    ended_on_request(end, s.stop, s.asked, s.drained);
  }

  void ended_on_request(const ContainerEnd& end, const StopRequest& stop, SteadyTime asked,
                        bool drained) {
    EndFacts f = facts();
    f.end = end;
    f.stop = stop;
    f.stop_took = now.steady - asked;
    f.drained = drained;
    close(decide(f), true);
  }

  // ---- events ----------------------------------------------------------------------------------

  void on(const event::Launched& e) {
    auto* waiting = std::get_if<state::Waiting>(&m.state_);
    if (waiting == nullptr) {
      if (e.task.task_id == m.task_.task_id)
        return act(action::Ignore{"LAUNCH of this task came twice"});
      return refuse_second(e.task.task_id);
    }
    m.task_ = e.task;
    const auto early = waiting->killed_early.find(e.task.task_id);
    if (early != waiting->killed_early.end()) {
      EndFacts f;
      f.stop = early->second;
      return close(decide(f), false);
    }
    m.state_ = state::Preparing{};
    report(TaskState::starting, Reason::none, "the container is being prepared");
    act(action::BeginLaunch{});
    if (m.task_.max_completion_time) set(Timer::completion, *m.task_.max_completion_time);
  }

  void refuse_second(const std::string& id) {
    refuse(id, Reason::task_invalid,
           "this executor runs one task, " + m.task_.task_id +
               "; a second one needs an executor of its own");
  }

  /// Another task than ours: it is told once, and its update is waited for as ours is.
  void refuse(const std::string& id, Reason reason, std::string message) {
    if (std::find(m.refused_.begin(), m.refused_.end(), id) != m.refused_.end()) {
      return act(action::Ignore{"a task that was refused before came again"});
    }
    m.refused_.push_back(id);
    act(action::Report{id, TaskState::error, reason, std::move(message), std::nullopt});
    if (auto* reporting = std::get_if<state::Reporting>(&m.state_)) {
      reporting->acknowledged = false;
      await_acknowledgement();
    }
  }

  void on(const event::LaunchRefused& e) {
    if (!std::holds_alternative<state::Waiting>(m.state_)) {
      if (e.task_id != m.task_.task_id) refuse_second(e.task_id);
      return;
    }
    m.task_.task_id = e.task_id;
    Outcome outcome;
    outcome.state = e.state;
    outcome.reason = e.reason;
    outcome.message = e.message;
    close(std::move(outcome), false);
  }

  void on(const event::GroupLaunched& e) {
    for (const auto& id : e.task_ids) {
      if (id == m.task_.task_id) {
        act(action::Ignore{"LAUNCH_GROUP names the task that is here already, ignoring"});
        continue;
      }
      refuse(id, Reason::task_group_invalid,
             "task groups are not supported: this executor runs one Docker container");
    }
  }

  void on(const event::StopAsked& e) {
    if (auto* waiting = std::get_if<state::Waiting>(&m.state_)) {
      if (!e.task_id) return exit(e.request.exit_code);
      const auto [at, fresh] = waiting->killed_early.emplace(*e.task_id, e.request);
      if (!fresh) at->second = merge(at->second, e.request);
      return act(action::Ignore{"KILL before LAUNCH, remembered"});
    }
    if (e.task_id && *e.task_id != m.task_.task_id) {
      return act(action::Ignore{"KILL for an unknown task, ignoring"});
    }
    stop_asked(e.request);
  }

  void stop_asked(const StopRequest& request) {
    if (auto* preparing = std::get_if<state::Preparing>(&m.state_)) {
      note_budget(request);
      if (preparing->stop) {
        preparing->stop = merge(*preparing->stop, request);
        return;
      }
      preparing->stop = request;
      preparing->asked = now.steady;
      preparing->asked_wall = now.wall;
      preparing->ended_first = preparing->ended.has_value();
      report_killing(request);
      return act(action::CancelLaunch{});
    }
    if (std::holds_alternative<state::Running>(m.state_)) {
      note_budget(request);
      report_killing(request);
      return begin_stopping(request, true, now);
    }
    if (std::holds_alternative<state::Stopping>(m.state_)) return ask_more(request);
    if (auto* closing = std::get_if<state::Closing>(&m.state_)) {
      note_budget(request);
      const SteadyTime until = now.steady + closing_limit(m.budget_end_, now.steady);
      if (until >= closing->until) return;
      closing->until = until;
      set(Timer::closing, until - now.steady);
    }
    // Reporting, Done: it has ended; the update that says so is on its way.
  }

  void on(const event::ContainerCreated& e) { m.container_id_ = e.container_id; }

  void on(const event::LaunchDone& e) {
    auto* preparing = std::get_if<state::Preparing>(&m.state_);
    if (preparing == nullptr) return;
    m.memory_limit_ = e.memory_limit;
    m.notes_ = e.notes;
    m.started_ = now.steady;
    const state::Preparing before = *preparing;
    if (before.stop) {
      const Now asked{before.asked, before.asked_wall};
      // Not in Sidecar yet, so nothing to drain.
      if (!before.ended) return begin_stopping(*before.stop, false, asked);
      const bool first = before.ended_first || (before.ended->finished_at &&
                                                *before.ended->finished_at < before.asked_wall);
      if (first) return ended_by_itself(*before.ended);
      return ended_on_request(*before.ended, *before.stop, before.asked, false);
    }
    m.state_ = state::Running{};
    report(TaskState::running, Reason::none, e.message);
    if (before.ended) return ended_by_itself(*before.ended);
    act(action::WatchHealth{});
  }

  void on(const event::LaunchFailed& e) {
    auto* preparing = std::get_if<state::Preparing>(&m.state_);
    if (preparing == nullptr) return;
    EndFacts f = facts();
    f.stop = preparing->stop;
    f.launch_failure = e.message;
    f.may_still_run = e.may_still_run;
    close(decide(f), false);
  }

  void on(const event::ContainerEnded& e) {
    if (auto* preparing = std::get_if<state::Preparing>(&m.state_)) {
      preparing->ended = e.end;
    } else if (std::holds_alternative<state::Running>(m.state_)) {
      ended_by_itself(e.end);
    } else if (std::holds_alternative<state::Stopping>(m.state_)) {
      ended_while_stopping(e.end);
    }
  }

  void on(const event::ContainerSeenRunning&) {
    if (auto* s = std::get_if<state::Stopping>(&m.state_)) s->unreachable_since.reset();
  }

  void on(const event::HealthChanged& e) {
    if (!std::holds_alternative<state::Running>(m.state_)) return;
    m.healthy_ = e.healthy;
    report(TaskState::running, Reason::task_health_check_status_updated, e.message);
  }

  void on(const event::StopAnswered& e) { docker_answered(e.answer, false); }
  void on(const event::KillAnswered& e) { docker_answered(e.answer, true); }

  void on(const event::TimerFired& e) {
    switch (e.timer) {
      case Timer::completion:
        return time_up();
      case Timer::drain:
        if (in_phase(state::Phase::draining)) send_stop();
        return;
      case Timer::grace:
        if (in_phase(state::Phase::stopping)) send_kill();
        return;
      case Timer::retry:
        if (std::holds_alternative<state::Stopping>(m.state_)) retry();
        return;
      case Timer::closing:
        if (std::holds_alternative<state::Closing>(m.state_)) report_outcome();
        return;
      case Timer::acknowledgement:
        if (std::holds_alternative<state::Reporting>(m.state_)) exit(1);
        return;
    }
  }

  bool in_phase(state::Phase phase) const {
    const auto* s = std::get_if<state::Stopping>(&m.state_);
    return s != nullptr && s->phase == phase;
  }

  void time_up() {
    StopRequest request;
    request.cause = StopCause::time_up;
    request.text =
        "max_completion_time of " + format_for_people(*m.task_.max_completion_time) + " reached";
    stop_asked(request);
  }

  void on(const event::ClosingDone&) {
    if (std::holds_alternative<state::Closing>(m.state_)) report_outcome();
  }

  void on(const event::AllAcknowledged&) {
    if (auto* reporting = std::get_if<state::Reporting>(&m.state_)) {
      reporting->acknowledged = true;
      cancel(Timer::acknowledgement);
      finish_if_done();
    }
  }

  void on(const event::Revoked&) {
    if (auto* reporting = std::get_if<state::Reporting>(&m.state_)) {
      reporting->revoked = true;
      finish_if_done();
    }
  }

  void on(const event::AgentConnection& e) {
    m.agent_connected_ = e.connected;
    const auto* reporting = std::get_if<state::Reporting>(&m.state_);
    if (reporting == nullptr || reporting->acknowledged) return;
    if (e.connected) {
      set(Timer::acknowledgement, timeouts::last_acknowledgement);
    } else {
      cancel(Timer::acknowledgement);
    }
  }

  void on(const event::AgentLost& e) {
    m.agent_lost_ = true;
    StopRequest request;
    request.cause = StopCause::agent_lost;
    request.grace = e.grace;
    request.text = e.text;
    request.exit_code = 1;
    if (std::holds_alternative<state::Waiting>(m.state_)) return exit(1);
    if (std::holds_alternative<state::Reporting>(m.state_)) return finish_if_done();
    stop_asked(request);
  }
};

Actions Lifecycle::step(const Event& event, Now now) {
  Step step{*this, now, {}};
  if (!std::holds_alternative<state::Done>(state_)) {
    std::visit([&step](const auto& e) { step.on(e); }, event);
  }
  return std::move(step.out);
}

std::string_view name_of(const State& state) {
  constexpr std::string_view names[] = {"waiting", "preparing", "running", "stopping",
                                        "closing", "reporting", "done"};
  return names[state.index()];
}

}  // namespace sidecar_executor::task
