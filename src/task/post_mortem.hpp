#pragma once
// Pure: the summary block at the end, for somebody who looks at stderr at three in the morning.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "task/outcome.hpp"

namespace sidecar_executor::task {

struct PhaseTime {
  std::string name;  ///< `pull`, `create`, `start`, `run`, `stop`, `logs`
  Nanoseconds took{0};
};

struct Summary {
  std::string task_id;
  std::string task_name;
  std::string image;
  std::string container_id;
  std::vector<PhaseTime> phases;
  std::optional<Outcome> outcome;
  std::string last_health;     ///< empty: never known
  std::string log_note;        ///< what became of the container's log
  bool logs_copied = false;    ///< there was something, and it is above
  std::string launch_failure;  ///< as Docker said it
};

/// The block, lines of text ending in '\n'.
std::string format_summary(const Summary& summary);

/// The one most likely thing to look at, from what Docker and the exit said; empty when there is
/// none.
std::string likely_cause(const Summary& summary);

/// What to check for an error text of Docker's create or start: `port 31000 is taken on this
/// host...`.
std::string docker_error_hint(const std::string& error);

}  // namespace sidecar_executor::task
