#pragma once
// Stout's Duration as an agent writes it into MESOS_* variables.

#include <chrono>
#include <string_view>

#include "base/error.hpp"

namespace sidecar_executor::mesos {

/// One decimal number and a unit ns us ms secs mins hrs days weeks: `0ns`, `2500ms`,
/// `1.234567891secs`, `15mins`. Errors (invalid) show the form.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace sidecar_executor::mesos
