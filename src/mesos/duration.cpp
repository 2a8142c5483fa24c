#include "mesos/duration.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "base/text.hpp"

namespace sidecar_executor::mesos {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};
// stout/duration.hpp, Mesos 1.11.
constexpr Unit units[] = {
    {"ns", 1},      {"us", 1e3},     {"ms", 1e6},       {"secs", 1e9},
    {"mins", 60e9}, {"hrs", 3600e9}, {"days", 86400e9}, {"weeks", 604800e9},
};

std::optional<std::chrono::nanoseconds> parse(std::string_view text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failure] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (failure != std::errc() || !std::isfinite(number)) return std::nullopt;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    // Rounded: the agent prints 3661 s as 1.01694444444444hrs.
    const double value = std::round(number * unit.nanoseconds);
    if (!(std::fabs(value) < 9.2e18)) return std::nullopt;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(value));
  }
  return std::nullopt;
}

}  // namespace

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  if (const auto value = parse(text)) return *value;
  return Error{ErrorKind::invalid, "\"" + one_line(text, 100) +
                                       "\" is not a Mesos duration such as 500ms, 5secs, 15mins "
                                       "or 1.5hrs"};
}

}  // namespace sidecar_executor::mesos
