#pragma once
// `sidecar-executor reap`: finds containers whose executor is gone, and stops them.

#include <string>

namespace sidecar_executor::app {

struct ReapOptions {
  /// Only containers of this sandbox (label io.sidecar-executor.sandbox), and a Go executor's
  /// container of $TASK_ID.
  std::string sandbox;
};

/// Exit code: 0 nothing runs any more, 1 something may still run, 69 Docker cannot be asked.
int reap(const ReapOptions& options);

}  // namespace sidecar_executor::app
