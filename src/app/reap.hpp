#pragma once
// `sidecar-executor reap`: finds containers whose executor is gone; stops them, removes old ones.

#include <chrono>
#include <optional>
#include <string>

namespace sidecar_executor::app {

inline constexpr int exit_unavailable = 69;  ///< EX_UNAVAILABLE

struct ReapOptions {
  /// Not empty: at once and only what is left of this sandbox (label io.sidecar-executor.sandbox).
  /// The others are for a whole host.
  std::string sandbox;
  std::string task_id;                                 ///< not empty: only its containers
  bool stop = false;                                   ///< else only said
  bool remove = false;                                 ///< ended ones, those that are `older_than`
  std::optional<std::chrono::nanoseconds> older_than;  ///< nullopt: ended ones are not looked at
};

/// Exit code: 0 nothing is left over, or it was dealt with; 1 something may still run (its executor
/// cannot be told, or a stop failed) or could not be removed; 2 something runs without its
/// executor, and `stop` was not asked for; 69 Docker cannot be asked.
int reap(const ReapOptions& options);

}  // namespace sidecar_executor::app
