#pragma once
// Why and how a container is to be stopped. All reasons merge into one request.

#include <chrono>
#include <string>

namespace sidecar_executor::task {

using Nanoseconds = std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

/// The machine's idea of time: it has no clock of its own.
struct Now {
  SteadyTime steady;
  WallTime wall;
};

enum class StopCause { kill, destroy, shutdown, signal, unhealthy, lease, time_up, agent_lost };

struct StopRequest {
  StopCause cause = StopCause::kill;
  Nanoseconds grace{0};  ///< SIGTERM to SIGKILL; 0 = no SIGTERM
  bool drain = false;    ///< tell Sidecar first, if the task is checked by it
  std::string text;      ///< for messages: `killed by the framework`, `the executor got SIGTERM`
  int exit_code = 0;     ///< of the executor when this ends the task
  /// How long everything may take (an agent's shutdown grace); max = no limit.
  Nanoseconds budget = Nanoseconds::max();
};

/// The earlier reason is the one reported; the shorter grace and budget win; no draining once
/// anybody asked without.
StopRequest merge(const StopRequest& earlier, const StopRequest& later);

}  // namespace sidecar_executor::task
