// The injected bugs: each is what a change to task/lifecycle.cpp could bring about.

#include <algorithm>

#include "lifecycle_world.hpp"

namespace sidecar_executor::task::simulation {
using mesos::TaskState;
using namespace std::chrono_literals;

namespace {

template <typename A>
bool drop(Actions& actions) {
  return std::erase_if(actions, [](const Action& a) { return std::holds_alternative<A>(a); }) > 0;
}

void drop_timer(Actions& actions, Timer timer) {
  std::erase_if(actions, [timer](const Action& a) {
    const auto* set = std::get_if<action::SetTimer>(&a);
    return set != nullptr && set->timer == timer;
  });
}

action::Report* terminal_in(Actions& actions) {
  for (auto& action : actions) {
    auto* report = std::get_if<action::Report>(&action);
    if (report != nullptr && mesos::is_terminal(report->state) && report->task_id == "main") {
      return report;
    }
  }
  return nullptr;
}

bool is_timer(const Event& event, Timer timer) {
  const auto* fired = std::get_if<event::TimerFired>(&event);
  return fired != nullptr && fired->timer == timer;
}

}  // namespace

std::string_view name_of(Mutation mutation) {
  constexpr std::array<std::string_view, static_cast<std::size_t>(Mutation::last)> names{
      "none",
      "cancel_launch_dropped",
      "stop_dropped_after_launch",
      "terminal_twice",
      "terminal_when_docker_answers",
      "terminal_when_grace_is_over",
      "terminal_dropped",
      "running_after_terminal",
      "acknowledgement_timer_dropped",
      "grace_timer_dropped",
      "drain_timer_dropped",
      "retry_timer_dropped",
      "closing_timer_dropped",
      "completion_timer_dropped",
      "end_before_launch_done_swallowed",
      "agent_lost_ignored",
      "exit_before_acknowledgement",
      "launch_never_begun",
      "killed_without_grace",
      "stop_while_preparing_ignored",
      "second_stop_ignored",
      "unreachable_too_soon",
      "seen_running_ignored",
      "exit_code_always_zero",
      "shutdown_budget_ignored",
      "time_of_end_ignored",
      "logs_never_copied",
      "clean_exit_of_killed_is_finished",
      "kill_of_other_task_obeyed",
      "health_watched_while_stopping",
      "drained_without_sidecar",
      "drain_skipped",
      "stop_sent_twice",
      "closing_prolonged",
      "killing_update_dropped"};
  return names[static_cast<std::size_t>(mutation)];
}

Actions Machine::step(const Event& event, Now now) {
  if (mutation_ == Mutation::none) return lifecycle_.step(event, now);
  if (mutation_ == Mutation::unreachable_too_soon && is_timer(event, Timer::retry)) {
    now.steady += 50s;
    now.wall += 50s;
  }
  const auto told = changed(event);
  if (!told) return {};
  Actions actions = lifecycle_.step(*told, now);
  change(actions, event);
  return actions;
}

/// What the machine is told instead; nullopt: nothing.
std::optional<Event> Machine::changed(const Event& event) const {
  const bool preparing = std::holds_alternative<state::Preparing>(lifecycle_.state());
  const bool stopping = std::holds_alternative<state::Stopping>(lifecycle_.state());
  const auto* asked = std::get_if<event::StopAsked>(&event);
  switch (mutation_) {
    case Mutation::terminal_when_docker_answers: {
      const auto* stop = std::get_if<event::StopAnswered>(&event);
      const auto* kill = std::get_if<event::KillAnswered>(&event);
      const bool took = (stop != nullptr && stop->answer != event::DockerAnswer::failed) ||
                        (kill != nullptr && kill->answer != event::DockerAnswer::failed);
      if (stopping && took) return event::ContainerEnded{};
      break;
    }
    case Mutation::terminal_when_grace_is_over:
      if (stopping && is_timer(event, Timer::grace)) return event::ContainerEnded{};
      break;
    case Mutation::end_before_launch_done_swallowed:
      if (preparing && std::holds_alternative<event::ContainerEnded>(event)) return std::nullopt;
      break;
    case Mutation::agent_lost_ignored:
      if (std::holds_alternative<event::AgentLost>(event)) return std::nullopt;
      break;
    case Mutation::exit_before_acknowledgement:
      if (std::holds_alternative<event::Revoked>(event)) {
        // Both waits end with the first of them.
        return event::AllAcknowledged{};
      }
      break;
    case Mutation::stop_while_preparing_ignored:
      if (preparing && asked != nullptr) return std::nullopt;
      break;
    case Mutation::second_stop_ignored:
      if (stopping && asked != nullptr) return std::nullopt;
      break;
    case Mutation::seen_running_ignored:
      if (std::holds_alternative<event::ContainerSeenRunning>(event)) return std::nullopt;
      break;
    case Mutation::shutdown_budget_ignored:
      if (asked != nullptr) {
        event::StopAsked told = *asked;
        told.request.budget = Nanoseconds::max();
        return told;
      }
      break;
    case Mutation::drain_skipped:
      if (asked != nullptr) {
        event::StopAsked told = *asked;
        told.request.drain = false;
        return told;
      }
      break;
    case Mutation::time_of_end_ignored:
      if (const auto* ended = std::get_if<event::ContainerEnded>(&event)) {
        event::ContainerEnded told = *ended;
        told.end.finished_at.reset();
        return told;
      }
      break;
    case Mutation::kill_of_other_task_obeyed:
      if (asked != nullptr && asked->task_id == "unknown") {
        event::StopAsked told = *asked;
        told.task_id = "main";
        return told;
      }
      break;
    default:
      break;
  }
  return event;
}

void Machine::change(Actions& actions, const Event& event) {
  action::Report* terminal = terminal_in(actions);
  switch (mutation_) {
    case Mutation::cancel_launch_dropped:
      drop<action::CancelLaunch>(actions);
      return;
    case Mutation::stop_dropped_after_launch:
      if (!std::holds_alternative<event::LaunchDone>(event)) return;
      drop<action::StopContainer>(actions);
      drop<action::KillContainer>(actions);
      return;
    case Mutation::terminal_twice:
      if (terminal != nullptr) actions.emplace_back(action::Report(*terminal));
      return;
    case Mutation::terminal_dropped:
      if (terminal != nullptr) drop<action::Report>(actions);
      return;
    case Mutation::running_after_terminal:
      if (terminal != nullptr) {
        action::Report running = *terminal;
        running.state = TaskState::running;
        actions.emplace_back(std::move(running));
      }
      return;
    case Mutation::acknowledgement_timer_dropped:
      return drop_timer(actions, Timer::acknowledgement);
    case Mutation::grace_timer_dropped:
      return drop_timer(actions, Timer::grace);
    case Mutation::drain_timer_dropped:
      return drop_timer(actions, Timer::drain);
    case Mutation::retry_timer_dropped:
      return drop_timer(actions, Timer::retry);
    case Mutation::closing_timer_dropped:
      return drop_timer(actions, Timer::closing);
    case Mutation::completion_timer_dropped:
      return drop_timer(actions, Timer::completion);
    case Mutation::exit_before_acknowledgement:
      // With AllAcknowledged in place of Revoked the machine waits for ever for the other.
      if (std::holds_alternative<event::Revoked>(event)) {
        const Actions more = lifecycle_.step(event::Revoked{}, {});
        actions.insert(actions.end(), more.begin(), more.end());
      }
      return;
    case Mutation::launch_never_begun:
      drop<action::BeginLaunch>(actions);
      return;
    case Mutation::killed_without_grace:
      if (drop<action::StopContainer>(actions)) actions.emplace_back(action::KillContainer{});
      return;
    case Mutation::exit_code_always_zero:
      for (auto& action : actions) {
        if (auto* exit = std::get_if<action::Exit>(&action)) exit->code = 0;
      }
      return;
    case Mutation::logs_never_copied:
      for (auto& action : actions) {
        if (auto* closing = std::get_if<action::BeginClosing>(&action)) closing->copy_logs = false;
      }
      return;
    case Mutation::clean_exit_of_killed_is_finished:
      if (terminal != nullptr && terminal->state == TaskState::killed &&
          terminal->message.find("exit code 0") != std::string::npos) {
        terminal->state = TaskState::finished;
      }
      return;
    case Mutation::health_watched_while_stopping:
      drop<action::StopWatchingHealth>(actions);
      return;
    case Mutation::drained_without_sidecar:
      if (drop<action::StopContainer>(actions)) {
        actions.emplace_back(action::Drain{});
        actions.emplace_back(action::SetTimer{Timer::drain, 5s});
      }
      return;
    case Mutation::stop_sent_twice:
      for (const auto& action : actions) {
        if (!std::holds_alternative<action::StopContainer>(action)) continue;
        actions.emplace_back(Action(action));
        return;
      }
      return;
    case Mutation::closing_prolonged:
      if (std::holds_alternative<event::StopAsked>(event) &&
          std::holds_alternative<state::Closing>(lifecycle_.state())) {
        actions.emplace_back(action::SetTimer{Timer::closing, 5s});
      }
      return;
    case Mutation::killing_update_dropped:
      std::erase_if(actions, [](const Action& a) {
        const auto* report = std::get_if<action::Report>(&a);
        return report != nullptr && report->state == TaskState::killing;
      });
      return;
    default:
      return;
  }
}

}  // namespace sidecar_executor::task::simulation
