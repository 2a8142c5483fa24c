#pragma once
// Inside of task/lifecycle: one call of step(). lifecycle.cpp holds what each event does,
// lifecycle_stopping.cpp how a container is brought to its end, lifecycle_ending.cpp what follows
// once the outcome is known.

#include <algorithm>
#include <string>
#include <utility>

#include "task/lifecycle.hpp"

namespace sidecar_executor::task {

/// A kill policy may ask for 292 years; now + that overflows.
inline constexpr Nanoseconds longest_wait = std::chrono::hours(24 * 365 * 100);

/// The machine, the time and the actions so far.
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
  void report(mesos::TaskState state, mesos::Reason reason, std::string message) {
    act(action::Report{m.task_.task_id, state, reason, std::move(message), m.healthy()});
  }

  // lifecycle_ending.cpp
  void exit(int code);
  /// The outcome is known and nothing is left to copy: report it.
  void report_outcome();
  /// While the agent is away its recovery time-out is the limit: AgentLost ends the wait.
  void await_acknowledgement();
  void finish_if_done();
  void close(Outcome outcome, bool had_container);
  EndFacts facts() const;
  void ended_by_itself(const ContainerEnd& end);

  // lifecycle_stopping.cpp
  void note_budget(const StopRequest& stop);
  void report_killing(const StopRequest& stop);
  void begin_stopping(StopRequest stop, bool may_drain, Now asked);
  void send_stop();
  void send_kill();
  void ask_more(const StopRequest& later);
  void docker_answered(event::DockerAnswer answer, bool to_kill);
  void retry();
  void ended_while_stopping(const ContainerEnd& end);
  bool ended_before(const ContainerEnd& end, Now asked) const;
  void ended_on_request(const ContainerEnd& end, const StopRequest& stop, SteadyTime asked,
                        bool drained);

  // lifecycle.cpp
  void on(const event::Launched& e);
  void refuse_second(const std::string& id);
  /// Another task than ours: it is told once, and its update is waited for as ours is.
  void refuse(const std::string& id, mesos::Reason reason, std::string message);
  void on(const event::LaunchRefused& e);
  void on(const event::GroupLaunched& e);
  void on(const event::StopAsked& e);
  void stop_asked(const StopRequest& request);
  void on(const event::ContainerCreated& e);
  void on(const event::LaunchDone& e);
  void on(const event::LaunchFailed& e);
  void on(const event::ContainerEnded& e);
  void on(const event::ContainerSeenRunning&);
  void on(const event::HealthChanged& e);
  void on(const event::CheckChanged& e);
  void on(const event::DrainAnswered& e);
  void on(const event::StopAnswered& e);
  void on(const event::KillAnswered& e);
  void on(const event::TimerFired& e);
  bool in_phase(state::Phase phase) const;
  void time_up();
  void on(const event::ClosingDone&);
  void on(const event::AllAcknowledged&);
  void on(const event::Revoked&);
  void on(const event::AgentConnection& e);
  void on(const event::AgentLost& e);
};

}  // namespace sidecar_executor::task
