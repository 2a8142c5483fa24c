// The outcome is known: logs are copied, the terminal update sent and waited for, and the executor
// exits.

#include "base/timeouts.hpp"
#include "task/lifecycle_step.hpp"

namespace sidecar_executor::task {
using mesos::TaskState;

Nanoseconds closing_limit(SteadyTime budget_end, SteadyTime now) {
  if (budget_end == SteadyTime::max()) return timeouts::closing;
  const Nanoseconds left = budget_end - now - timeouts::shutdown_reserve;
  return std::clamp<Nanoseconds>(left, Nanoseconds(0), timeouts::closing);
}

void Step::exit(int code) {
  m.state_ = state::Done{code};
  act(action::Exit{code});
}

void Step::report_outcome() {
  const Outcome& outcome = *m.outcome_;
  cancel(Timer::closing);
  act(action::Report{m.task_.task_id, outcome.state, outcome.reason, outcome.message,
                     outcome.healthy ? outcome.healthy : m.healthy()});
  act(action::Revoke{});
  m.state_ = state::Reporting{outcome.exit_code, false, false};
  await_acknowledgement();
}

void Step::await_acknowledgement() {
  if (m.agent_connected_ && !m.agent_lost_) {
    set(Timer::acknowledgement, timeouts::last_acknowledgement);
  }
}

void Step::finish_if_done() {
  auto& reporting = std::get<state::Reporting>(m.state_);
  if (!reporting.revoked) return;
  if (reporting.acknowledged) return exit(reporting.exit_code);
  if (m.agent_lost_) exit(1);
}

void Step::close(Outcome outcome, bool had_container) {
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

EndFacts Step::facts() const {
  EndFacts facts;
  facts.memory_limit = m.memory_limit_;
  facts.notes = m.task_.notes;
  if (m.started_ != SteadyTime{}) facts.ran_for = now.steady - m.started_;
  return facts;
}

void Step::ended_by_itself(const ContainerEnd& end) {
  EndFacts f = facts();
  f.end = end;
  f.ran_for = end.ran_for.value_or(f.ran_for);
  close(decide(f), true);
}

}  // namespace sidecar_executor::task
