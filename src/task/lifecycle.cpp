// What each event does in each state.

#include "task/lifecycle.hpp"

#include <algorithm>

#include "base/go_duration.hpp"
#include "base/timeouts.hpp"
#include "task/lifecycle_step.hpp"

namespace sidecar_executor::task {
using mesos::Reason;
using mesos::TaskState;

void Step::on(const event::Launched& e) {
  auto* waiting = std::get_if<state::Waiting>(&m.state_);
  if (waiting == nullptr) {
    if (e.task.task_id == m.task_.task_id)
      return act(action::Ignore{"LAUNCH of this task came twice, ignoring"});
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

void Step::refuse_second(const std::string& id) {
  refuse(id, Reason::task_invalid,
         m.task_.task_id.empty() ? "this executor was started for a task group and is about to exit"
                                 : "this executor runs one task, " + m.task_.task_id +
                                       "; a second one needs an executor of its own");
}

void Step::refuse(const std::string& id, Reason reason, std::string message) {
  if (std::find(m.refused_.begin(), m.refused_.end(), id) != m.refused_.end()) {
    return act(action::Ignore{"LAUNCH of a task that was refused before, ignoring"});
  }
  m.refused_.push_back(id);
  act(action::Report{id, TaskState::error, reason, std::move(message), std::nullopt});
  if (auto* reporting = std::get_if<state::Reporting>(&m.state_)) {
    reporting->acknowledged = false;
    await_acknowledgement();
  }
}

void Step::on(const event::LaunchRefused& e) {
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

void Step::on(const event::GroupLaunched& e) {
  for (const auto& id : e.task_ids) {
    if (id == m.task_.task_id) {
      act(action::Ignore{"LAUNCH_GROUP names the task that is here already, ignoring"});
      continue;
    }
    refuse(id, Reason::task_group_invalid,
           "task groups are not supported: this executor runs one Docker container");
  }
  // It was started for this group: nothing else will come. Exits once that is acknowledged.
  if (!std::holds_alternative<state::Waiting>(m.state_) || e.task_ids.empty()) return;
  m.state_ = state::Reporting{0, false, true};
  await_acknowledgement();
}

void Step::on(const event::StopAsked& e) {
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

void Step::stop_asked(const StopRequest& request) {
  if (auto* preparing = std::get_if<state::Preparing>(&m.state_)) {
    note_budget(request);
    if (preparing->stop) {
      preparing->stop = merge(*preparing->stop, request);
      return;
    }
    preparing->stop = request;
    preparing->asked = now;
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

void Step::on(const event::ContainerCreated& e) { m.container_id_ = e.container_id; }

void Step::on(const event::LaunchDone& e) {
  auto* preparing = std::get_if<state::Preparing>(&m.state_);
  if (preparing == nullptr) return;
  m.memory_limit_ = e.memory_limit;
  m.in_sidecar_ = e.in_sidecar;
  m.started_ = now.steady;
  const state::Preparing before = *preparing;
  if (before.stop) {
    // Not in Sidecar yet, so nothing to drain.
    if (!before.ended) return begin_stopping(*before.stop, false, before.asked);
    if (before.ended_first || ended_before(*before.ended, before.asked))
      return ended_by_itself(*before.ended);
    return ended_on_request(*before.ended, *before.stop, before.asked.steady, false);
  }
  m.state_ = state::Running{};
  report(TaskState::running, Reason::none, e.message);
  if (before.ended) return ended_by_itself(*before.ended);
  act(action::WatchHealth{});
}

void Step::on(const event::LaunchFailed& e) {
  auto* preparing = std::get_if<state::Preparing>(&m.state_);
  if (preparing == nullptr) return;
  EndFacts f = facts();
  f.stop = preparing->stop;
  f.launch_failure = e.message;
  f.may_still_run = e.may_still_run;
  close(decide(f), false);
}

void Step::on(const event::ContainerEnded& e) {
  if (auto* preparing = std::get_if<state::Preparing>(&m.state_)) {
    preparing->ended = e.end;
  } else if (std::holds_alternative<state::Running>(m.state_)) {
    ended_by_itself(e.end);
  } else if (std::holds_alternative<state::Stopping>(m.state_)) {
    ended_while_stopping(e.end);
  }
}

void Step::on(const event::ContainerSeenRunning&) {
  if (auto* s = std::get_if<state::Stopping>(&m.state_)) s->unreachable_since.reset();
}

void Step::on(const event::HealthChanged& e) {
  if (!std::holds_alternative<state::Running>(m.state_)) return;
  const auto before = m.healthy();
  m.health_by_[static_cast<std::size_t>(e.source)] = e.healthy;
  if (m.healthy() == before) return;
  report(TaskState::running, Reason::task_health_check_status_updated, e.message);
}

void Step::on(const event::CheckChanged& e) {
  if (!std::holds_alternative<state::Running>(m.state_)) return;
  report(TaskState::running, Reason::task_check_status_updated, e.message);
}

void Step::on(const event::DrainAnswered& e) {
  auto* s = std::get_if<state::Stopping>(&m.state_);
  if (s == nullptr) return;
  s->drained = s->drained || e.accepted;
  const bool first = !std::exchange(s->drain_answered, true);
  if (first && s->phase == state::Phase::draining) set(Timer::drain, m.task_.draining_duration);
}

void Step::on(const event::StopAnswered& e) { docker_answered(e.answer, false); }
void Step::on(const event::KillAnswered& e) { docker_answered(e.answer, true); }

void Step::on(const event::TimerFired& e) {
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

bool Step::in_phase(state::Phase phase) const {
  const auto* s = std::get_if<state::Stopping>(&m.state_);
  return s != nullptr && s->phase == phase;
}

void Step::time_up() {
  StopRequest request;
  request.cause = StopCause::time_up;
  request.text =
      "max_completion_time of " + format_for_people(*m.task_.max_completion_time) + " reached";
  stop_asked(request);
}

void Step::on(const event::ClosingDone&) {
  if (std::holds_alternative<state::Closing>(m.state_)) report_outcome();
}

void Step::on(const event::AllAcknowledged&) {
  if (auto* reporting = std::get_if<state::Reporting>(&m.state_)) {
    reporting->acknowledged = true;
    cancel(Timer::acknowledgement);
    finish_if_done();
  }
}

void Step::on(const event::Revoked&) {
  if (auto* reporting = std::get_if<state::Reporting>(&m.state_)) {
    reporting->revoked = true;
    finish_if_done();
  }
}

void Step::on(const event::AgentConnection& e) {
  m.agent_connected_ = e.connected;
  const auto* reporting = std::get_if<state::Reporting>(&m.state_);
  if (reporting == nullptr || reporting->acknowledged) return;
  if (e.connected) {
    set(Timer::acknowledgement, timeouts::last_acknowledgement);
  } else {
    cancel(Timer::acknowledgement);
  }
}

void Step::on(const event::AgentLost& e) {
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

std::optional<bool> Lifecycle::healthy() const {
  std::optional<bool> worst;
  for (const auto& said : health_by_) {
    if (said) worst = worst.value_or(true) && *said;
  }
  return worst;
}

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
