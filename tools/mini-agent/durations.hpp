// Durations as Mesos writes them ("5secs", "2500ms", "1.5mins"); a plain number means seconds.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace mini_agent {

using Nanoseconds = std::chrono::nanoseconds;

std::optional<Nanoseconds> parse_duration(std::string_view text);
std::string to_mesos(Nanoseconds time);  // in whole secs, ms or ns
// "5secs" stays as it is, "5" becomes "5secs".
std::string as_mesos_duration(std::string_view text);

}  // namespace mini_agent
