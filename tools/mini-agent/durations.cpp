#include "durations.hpp"

#include <charconv>
#include <cmath>

namespace mini_agent {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr Unit kUnits[] = {{"ns", 1},      {"us", 1e3},     {"ms", 1e6},       {"secs", 1e9},
                           {"mins", 60e9}, {"hrs", 3600e9}, {"days", 86400e9}, {"weeks", 604800e9},
                           {"s", 1e9},     {"", 1e9}};

}  // namespace

std::optional<Nanoseconds> parse_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    const double result = number * known.nanoseconds;
    if (result > 9.2e18) return std::nullopt;
    return Nanoseconds(std::llround(result));
  }
  return std::nullopt;
}

std::string to_mesos(Nanoseconds time) {
  const auto count = time.count();
  if (count % 1'000'000'000 == 0) return std::to_string(count / 1'000'000'000) + "secs";
  if (count % 1'000'000 == 0) return std::to_string(count / 1'000'000) + "ms";
  return std::to_string(count) + "ns";
}

std::string as_mesos_duration(std::string_view text) {
  std::string result(text);
  const char last = text.empty() ? ' ' : text.back();
  if ((last >= '0' && last <= '9') || last == '.') result += "secs";
  return result;
}

}  // namespace mini_agent
