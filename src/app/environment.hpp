#pragma once
// The process's environment, and what of it may be shown.

#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/settings.hpp"

namespace sidecar_executor::app {

/// Looks in the process's environment.
Lookup process_environment();
/// All names, sorted.
std::vector<std::string> environment_names();
std::string host_name();

/// Version, settings, and the variables that matter (behaviour.md 2), redacted.
void log_setup(Log& log, const LoadedSettings& settings);

}  // namespace sidecar_executor::app
