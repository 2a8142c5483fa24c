#pragma once
// Pure: how it ended → state, reason and message of the terminal update (behaviour.md 7).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mesos/messages.hpp"
#include "task/stop_request.hpp"

namespace sidecar_executor::task {

/// What is known about a container that does not run any more.
struct ContainerEnd {
  std::optional<int> exit_code;  ///< nullopt: could not be learnt
  bool oom_killed = false;
  bool removed = false;      ///< gone from Docker (`docker rm -f` by somebody else)
  std::string docker_error;  ///< State.Error
  /// State.FinishedAt, only when Docker runs on this host (same clock).
  std::optional<WallTime> finished_at;
  std::optional<Nanoseconds> ran_for;  ///< by Docker's clock, from its start to its end
};

struct Outcome {
  mesos::TaskState state = mesos::TaskState::failed;
  mesos::Reason reason = mesos::Reason::none;
  std::string message;
  std::optional<bool> healthy;
  int exit_code = 0;  ///< of the executor, once the update is acknowledged
};

struct EndFacts {
  std::optional<ContainerEnd> end;  ///< nullopt: never ran, or may still run
  std::optional<StopRequest> stop;  ///< asked before the container ended
  Nanoseconds ran_for{0};           ///< from the container's start to its end
  Nanoseconds stop_took{0};         ///< from the stop request to the end
  bool drained = false;
  std::int64_t memory_limit = 0;  ///< bytes, 0 = none was set by us
  std::string launch_failure;     ///< why it never ran
  std::string may_still_run;      ///< container id, when Docker stayed unreachable
  std::string notes;              ///< appended: warnings of the launch
};

/// First row of the table that matches.
Outcome decide(const EndFacts& facts);

/// `SIGSEGV` for 11, `signal 64` for one without a name.
std::string signal_name(int number);

}  // namespace sidecar_executor::task
