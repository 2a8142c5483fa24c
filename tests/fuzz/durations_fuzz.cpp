// Durations and numbers, of Go's and of Mesos' form.
#include "base/go_duration.hpp"
#include "base/settings.hpp"
#include "docker/parameter_values.hpp"
#include "fuzz/fuzz_target.hpp"
#include "mesos/duration.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

void check_go(std::string_view input) {
  const auto value = sx::parse_go_duration(input);
  if (!value) {
    require(sx::fuzz::is_for_people(value.error().message, 300), "the error's text");
    return;
  }
  const auto text = sx::format_go_duration(*value);
  const auto again = sx::parse_go_duration(text);
  require(again && *again == *value, "printed as Go does, it is read as the same");
  require(sx::fuzz::is_for_people(sx::format_for_people(*value), 40), "for people");
}

void check_mesos(std::string_view input) {
  const auto value = sx::mesos::parse_duration(input);
  if (!value) {
    require(sx::fuzz::is_for_people(value.error().message, 300), "the error's text");
    return;
  }
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  if (value->count() > exact || value->count() < -exact) return;
  const auto again = sx::mesos::parse_duration(std::to_string(value->count()) + "ns");
  require(again && *again == *value, "in nanoseconds, it is the same");
}

}  // namespace

SX_FUZZ_TARGET(durations) {
  check_go(input);
  check_mesos(input);
  const auto number = sx::parse_go_int(input);
  if (number) {
    const auto again = sx::parse_go_int(std::to_string(*number));
    require(again && *again == *number, "a number in decimal is the same");
  }
  sx::parse_go_bool(input);
  const auto bytes = sx::docker::parse_bytes(input);
  if (bytes && *bytes >= 0)
    require(sx::docker::parse_bytes(std::to_string(*bytes)) == bytes, "bytes without a unit");
  sx::docker::parse_nano_cpus(input);
  if (const auto range = sx::docker::parse_port_range(input))
    require(range->first > 0 && range->first <= range->second, "a range goes up");
  sx::docker::parse_csv(input);
}
