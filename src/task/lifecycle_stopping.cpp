// How a container is brought to its end: drained, stopped, killed, and asked again when Docker does
// not do it.

#include "base/backoff.hpp"
#include "base/timeouts.hpp"
#include "task/lifecycle_step.hpp"

namespace sidecar_executor::task {
using mesos::Reason;
using mesos::TaskState;

namespace {

constexpr Nanoseconds first_retry = std::chrono::milliseconds(250);
constexpr Nanoseconds longest_retry = std::chrono::seconds(4);
/// Docker said that it stopped; the exit is due at once. Asked again after this long.
constexpr Nanoseconds exit_due = std::chrono::seconds(2);

}  // namespace

Nanoseconds stop_grace(Nanoseconds asked, SteadyTime budget_end, SteadyTime now) {
  Nanoseconds grace = std::clamp(asked, Nanoseconds(0), longest_wait);
  if (budget_end == SteadyTime::max()) return grace;
  const Nanoseconds room = budget_end - now - timeouts::shutdown_stop_reserve;
  return std::clamp(grace, Nanoseconds(0), std::max(room, Nanoseconds(0)));
}

void Step::note_budget(const StopRequest& stop) {
  if (stop.budget == Nanoseconds::max()) return;
  m.budget_end_ = std::min(m.budget_end_, now.steady + std::min(stop.budget, longest_wait));
}

void Step::report_killing(const StopRequest& stop) {
  const bool by_framework = stop.cause == StopCause::kill || stop.cause == StopCause::destroy;
  if (by_framework && m.task_killing_state_) report(TaskState::killing, Reason::none, stop.text);
}

void Step::begin_stopping(StopRequest stop, bool may_drain, Now asked) {
  state::Stopping stopping;
  stopping.asked = asked;
  stopping.stop = std::move(stop);
  act(action::StopWatchingHealth{});
  const bool drain = may_drain && stopping.stop.drain && m.in_sidecar_ &&
                     m.task_.draining_duration > Nanoseconds(0);
  if (drain) {
    stopping.phase = state::Phase::draining;
    m.state_ = std::move(stopping);
    act(action::Drain{});
    set(Timer::drain, m.task_.drain_answer + m.task_.draining_duration);
    return;
  }
  m.state_ = std::move(stopping);
  send_stop();
}

void Step::send_stop() {
  auto& s = std::get<state::Stopping>(m.state_);
  cancel(Timer::drain);
  const Nanoseconds grace = stop_grace(s.stop.grace, m.budget_end_, now.steady);
  if (grace <= Nanoseconds(0)) return send_kill();
  s.phase = state::Phase::stopping;
  s.grace_until = now.steady + grace;
  act(action::StopContainer{grace});
  set(Timer::grace, grace + timeouts::kill_after_grace);
}

void Step::send_kill() {
  auto& s = std::get<state::Stopping>(m.state_);
  s.phase = state::Phase::killing;
  cancel(Timer::drain);
  cancel(Timer::grace);
  act(action::KillContainer{});
  // Should this answer never come, the timer asks again.
  set(Timer::retry, timeouts::docker_call + first_retry);
}

void Step::ask_more(const StopRequest& later) {
  auto& s = std::get<state::Stopping>(m.state_);
  const bool had_grace = s.stop.grace > Nanoseconds(0);
  s.stop = merge(s.stop, later);
  note_budget(later);
  const Nanoseconds grace = stop_grace(s.stop.grace, m.budget_end_, now.steady);
  if (s.phase == state::Phase::killing) return;
  if (s.phase == state::Phase::draining) {
    // Who takes the grace away does not want to wait for the draining either.
    if (!s.stop.drain || (had_grace && grace <= Nanoseconds(0))) send_stop();
    return;
  }
  if (grace <= Nanoseconds(0)) return send_kill();
  // No second docker stop: many programs take a second SIGTERM as "at once".
  if (now.steady + grace >= s.grace_until) return;
  s.grace_until = now.steady + grace;
  set(Timer::grace, grace);
}

void Step::docker_answered(event::DockerAnswer answer, bool to_kill) {
  auto* s = std::get_if<state::Stopping>(&m.state_);
  if (s == nullptr) return;
  const bool late = to_kill != (s->phase == state::Phase::killing);
  if (answer == event::DockerAnswer::failed) {
    if (late) return;
    if (!s->unreachable_since) s->unreachable_since = now.steady;
    set(Timer::retry, doubled(first_retry, longest_retry, s->attempts++));
    return;
  }
  // Once: a Docker that says so again and again, and does not tell of the end, is of no more use
  // than one that is away.
  if (!std::exchange(s->answered, true)) s->unreachable_since.reset();
  s->attempts = 0;
  act(action::CheckContainer{});
  if (!late) set(Timer::retry, exit_due);
}

void Step::retry() {
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

void Step::ended_while_stopping(const ContainerEnd& end) {
  const auto& s = std::get<state::Stopping>(m.state_);
  if (ended_before(end, s.asked)) return ended_by_itself(end);
  ended_on_request(end, s.stop, s.asked.steady, s.drained);
}

/// By the wall clock, which Docker's time is of. It may have been set back since the stop was asked
/// for (then what has passed since tells), or the host may have slept (then the clock's time does).
bool Step::ended_before(const ContainerEnd& end, Now asked) const {
  const auto since = std::chrono::duration_cast<WallTime::duration>(now.steady - asked.steady);
  return end.finished_at && *end.finished_at < std::min(asked.wall, now.wall - since);
}

void Step::ended_on_request(const ContainerEnd& end, const StopRequest& stop, SteadyTime asked,
                            bool drained) {
  EndFacts f = facts();
  f.end = end;
  f.ran_for = end.ran_for.value_or(f.ran_for);
  f.stop = stop;
  f.stop_took = now.steady - asked;
  f.drained = drained;
  close(decide(f), true);
}

}  // namespace sidecar_executor::task
