#pragma once
// `sidecar-executor render TASK.json`: what the executor would ask Docker for, without Docker.

#include <iosfwd>
#include <string>
#include <vector>

#include "base/settings.hpp"

namespace sidecar_executor::app {

struct RenderInputs {
  std::string text;    ///< a TaskInfo, a LAUNCH event or a Singularity deploy
  Lookup environment;  ///< settings; variables of the task's executor come before it
  std::vector<std::string> environment_names;
  double host_cpus = 1;
};

/// The create body on `out`; what is ignored, and why a task is refused, on `err`, a line each.
/// The exit code: 0, 1 when the task would be refused, 78 for bad settings.
int render(const RenderInputs& inputs, std::ostream& out, std::ostream& err);

/// Reads the file (`-` is stdin); 66 when it cannot be read.
int render_file(const std::string& path);

}  // namespace sidecar_executor::app
