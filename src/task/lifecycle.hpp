#pragma once
// Pure: the life of the one task. step() takes an event and the time, changes the state and returns
// what is to be done. No I/O, no clock, no log: it runs through any interleaving of events in
// tests.
//
// Waiting → Preparing → Running → Stopping → Closing → Reporting → Done
//
// Invariants (tests/unit/task/lifecycle_property_test.cpp): one terminal update, nothing after it;
// none while the container is known to run; every wait has a timer; Done is reached from every
// state.

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "task/outcome.hpp"
#include "task/stop_request.hpp"

namespace sidecar_executor::task {

enum class Timer {
  completion,      ///< max_completion_time of the task
  drain,           ///< SidecarDrainingDuration, from Sidecar's answer on
  grace,           ///< end of the grace period: docker kill
  retry,           ///< next attempt at a stop or kill that Docker did not take
  closing,         ///< logs copied and relay flushed by then
  acknowledgement  ///< of the terminal update
};

enum class HealthSource { sidecar, health_check };

/// What the machine has to know about the task; fixed at LAUNCH.
struct TaskTraits {
  std::string task_id;
  std::optional<Nanoseconds> max_completion_time;
  Nanoseconds draining_duration{0};  ///< 0: nothing is drained
  Nanoseconds drain_answer{0};       ///< how long Sidecar's answer is waited for, at most
  std::string notes;                 ///< warnings about the task, for the terminal message
};

namespace event {
struct Launched {
  TaskTraits task;
};
/// A LAUNCH that cannot be run: TASK_ERROR, or TASK_FAILED for bad settings.
struct LaunchRefused {
  std::string task_id;
  mesos::TaskState state = mesos::TaskState::error;
  mesos::Reason reason = mesos::Reason::task_invalid;
  std::string message;
};
struct GroupLaunched {
  std::vector<std::string> task_ids;
};
/// KILL of the framework for one task; other reasons have no task_id.
struct StopAsked {
  StopRequest request;
  std::optional<std::string> task_id;
};
struct ContainerCreated {
  std::string container_id;
};
struct LaunchDone {
  std::int64_t memory_limit = 0;  ///< bytes, 0 = none
  std::string message;            ///< of TASK_RUNNING
  bool in_sidecar = false;        ///< by the container's labels: it can be drained
};
struct LaunchFailed {
  std::string message;
  std::string may_still_run;  ///< container id when the clean-up failed
};
struct ContainerEnded {
  ContainerEnd end;
};
/// Docker answered about the container and it runs.
struct ContainerSeenRunning {};
/// What one of those who watch it knows; the worse of all is reported.
struct HealthChanged {
  bool healthy = true;
  std::string message;
  HealthSource source = HealthSource::sidecar;
};
/// The result of TaskInfo.check is another; the update carries it.
struct CheckChanged {
  std::string message;
};
/// Sidecar answered, or did not; its first answer starts the draining's time.
struct DrainAnswered {
  bool accepted = false;  ///< the service is set to DRAINING
};
enum class DockerAnswer { done, not_running, failed };
struct StopAnswered {
  DockerAnswer answer;
};
struct KillAnswered {
  DockerAnswer answer;
};
struct TimerFired {
  Timer timer;
};
struct ClosingDone {};
struct AllAcknowledged {};
struct Revoked {};
/// The agent is (not) there; only the wait for the last acknowledgement depends on it.
struct AgentConnection {
  bool connected = true;
};
/// The agent will not come back: no checkpointing, or the recovery time-out passed.
struct AgentLost {
  Nanoseconds grace{0};
  std::string text;
};
}  // namespace event

using Event =
    std::variant<event::Launched, event::LaunchRefused, event::GroupLaunched, event::StopAsked,
                 event::ContainerCreated, event::LaunchDone, event::LaunchFailed,
                 event::ContainerEnded, event::ContainerSeenRunning, event::HealthChanged,
                 event::CheckChanged, event::DrainAnswered, event::StopAnswered,
                 event::KillAnswered, event::TimerFired, event::ClosingDone, event::AllAcknowledged,
                 event::Revoked, event::AgentConnection, event::AgentLost>;

namespace action {
struct Report {
  std::string task_id;
  mesos::TaskState state;
  mesos::Reason reason = mesos::Reason::none;
  std::string message;
  std::optional<bool> healthy;
};
struct BeginLaunch {};   ///< pull, create, start; posts LaunchDone or LaunchFailed
struct CancelLaunch {};  ///< what can be cancelled of it: pull, look-ups
struct WatchHealth {};   ///< by Sidecar, health_check and check
struct StopWatchingHealth {};
struct Drain {};
struct StopContainer {
  Nanoseconds grace;
};
struct KillContainer {};
struct CheckContainer {};  ///< ask Docker; posts ContainerEnded or ContainerSeenRunning
/// Copy logs, flush the relay; posts ClosingDone.
struct BeginClosing {
  bool copy_logs = false;
  Nanoseconds limit;
};
struct Revoke {};  ///< what Vault leased; posts Revoked
struct SetTimer {
  Timer timer;
  Nanoseconds after;
};
struct CancelTimer {
  Timer timer;
};
struct Ignore {  ///< worth a log line
  std::string text;
};
struct Exit {
  int code;
};
}  // namespace action

using Action = std::variant<action::Report, action::BeginLaunch, action::CancelLaunch,
                            action::WatchHealth, action::StopWatchingHealth, action::Drain,
                            action::StopContainer, action::KillContainer, action::CheckContainer,
                            action::BeginClosing, action::Revoke, action::SetTimer,
                            action::CancelTimer, action::Ignore, action::Exit>;
using Actions = std::vector<Action>;

namespace state {
/// Subscribed or about to; no task yet.
struct Waiting {
  std::map<std::string, StopRequest> killed_early;  ///< KILL before its LAUNCH
};
/// The launch is under way; it ends by LaunchDone or LaunchFailed, whatever is asked meanwhile.
struct Preparing {
  std::optional<StopRequest> stop;
  Now asked{};
  std::optional<ContainerEnd> ended;  ///< before Docker's start had answered
  bool ended_first = false;           ///< before the stop was asked for
};
struct Running {};
enum class Phase { draining, stopping, killing };
struct Stopping {
  StopRequest stop;
  Phase phase = Phase::stopping;
  Now asked{};
  bool drain_answered = false;
  bool drained = false;                         ///< Sidecar said that it is
  bool answered = false;                        ///< Docker took a stop or a kill
  SteadyTime grace_until{};                     ///< of docker stop, in phase stopping
  int attempts = 0;                             ///< failed ones, for the back-off
  std::optional<SteadyTime> unreachable_since;  ///< Docker did not answer since
};
struct Closing {
  Outcome outcome;
  SteadyTime until{};
};
struct Reporting {
  int exit_code = 0;
  bool acknowledged = false;
  bool revoked = false;
};
struct Done {
  int exit_code = 0;
};
}  // namespace state

using State = std::variant<state::Waiting, state::Preparing, state::Running, state::Stopping,
                           state::Closing, state::Reporting, state::Done>;

class Lifecycle {
 public:
  /// Capability TASK_KILLING_STATE of the framework, known with SUBSCRIBED.
  void set_task_killing_state(bool on) { task_killing_state_ = on; }

  Actions step(const Event& event, Now now);

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] const std::string& task_id() const { return task_.task_id; }
  /// What the worse of Sidecar and Mesos' own check says; nothing before either has spoken.
  [[nodiscard]] std::optional<bool> healthy() const;
  /// The terminal outcome, from Closing on.
  [[nodiscard]] const std::optional<Outcome>& outcome() const { return outcome_; }

 private:
  friend struct Step;
  State state_ = state::Waiting{};
  TaskTraits task_;
  std::string container_id_;
  std::int64_t memory_limit_ = 0;
  bool in_sidecar_ = false;
  SteadyTime started_{};
  std::array<std::optional<bool>, 2> health_by_;  ///< by HealthSource
  std::optional<Outcome> outcome_;
  std::vector<std::string> refused_;  ///< task ids that were told that they cannot run here
  bool task_killing_state_ = false;
  bool agent_connected_ = true;
  bool agent_lost_ = false;
  SteadyTime budget_end_ = SteadyTime::max();  ///< of a SHUTDOWN
};

/// Name of the state, for logs and the property test.
std::string_view name_of(const State& state);

/// What closing may take: 5 s, and never into the reserve of a SHUTDOWN's budget.
Nanoseconds closing_limit(SteadyTime budget_end, SteadyTime now);

/// The grace period for docker stop, asked for, as far as a SHUTDOWN's budget has room for it now.
Nanoseconds stop_grace(Nanoseconds asked, SteadyTime budget_end, SteadyTime now);

}  // namespace sidecar_executor::task
