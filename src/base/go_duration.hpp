#pragma once
// Go's time.ParseDuration and Duration.String: the form of every time in the settings.

#include <chrono>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace sidecar_executor {

/// Parses `300ms`, `1m40s`, `1.5h`, `0`, `-1s`, `+5s`; units ns us µs μs ms s m h; as Go does,
/// overflow included. Errors (invalid) say what Go's form is.
Result<std::chrono::nanoseconds> parse_go_duration(std::string_view text);

/// As Go prints it: `1m0s`, `2s`, `1.5s`, `300ms`, `0s`, `744h0m0s`.
std::string format_go_duration(std::chrono::nanoseconds value);

/// For people, at most three significant places: `350ms`, `4.2s`, `1m12s`, `3h05m`.
std::string format_for_people(std::chrono::nanoseconds value);

}  // namespace sidecar_executor
