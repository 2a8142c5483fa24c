#pragma once
// `sidecar-executor reap`: finds containers whose executor is gone; stops them, removes old ones.

#include <chrono>
#include <optional>
#include <string>

namespace sidecar_executor::app {

inline constexpr int exit_unavailable = 69;  ///< EX_UNAVAILABLE

struct ReapOptions {
  // Not empty: only containers with this value of the label io.sidecar-executor.NAME.
  std::string sandbox;  ///< what executor.sh asks for: says nothing when there is nothing
  std::string executor_id;
  std::string framework_id;
  std::string task_id;
  bool stop = false;                                   ///< else only said
  bool remove = false;                                 ///< ended ones, those that are `older_than`
  std::optional<std::chrono::nanoseconds> older_than;  ///< nullopt: ended ones are not looked at
};

/// With a sandbox those that run are stopped; MESOS_EXECUTOR_ID and MESOS_FRAMEWORK_ID, where they
/// are set, narrow it down: two agents in containers call their sandboxes the same. Exit code: 0
/// nothing is left over, or it was dealt with; 1 something may still run (its executor cannot be
/// told, or a stop failed) or could not be removed; 2 something runs without its executor, and
/// `stop` was not asked for; 69 Docker cannot be asked.
int reap(const ReapOptions& options);

}  // namespace sidecar_executor::app
