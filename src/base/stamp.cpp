#include "base/stamp.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace sidecar_executor {
namespace {

constexpr std::size_t seconds_end = 19;  // 2026-01-02T15:04:05
constexpr std::size_t offset_size = 6;   // +02:00

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `Z` or `+02:00`, from the end; empty when there is none.
std::string_view zone_of(std::string_view stamp) {
  if (stamp.ends_with('Z')) return stamp.substr(stamp.size() - 1);
  if (stamp.size() < seconds_end + offset_size) return {};
  const auto zone = stamp.substr(stamp.size() - offset_size);
  const bool good = (zone[0] == '+' || zone[0] == '-') && is_digit(zone[1]) && is_digit(zone[2]) &&
                    zone[3] == ':' && is_digit(zone[4]) && is_digit(zone[5]);
  return good ? zone : std::string_view();
}

int number(std::string_view text, std::size_t at, std::size_t size) {
  int out = 0;
  for (const char c : text.substr(at, size)) out = out * 10 + (c - '0');
  return out;
}

/// Seconds since 1970.
std::int64_t seconds_of(std::string_view stamp) {
  using namespace std::chrono;
  const auto day = sys_days(year(number(stamp, 0, 4)) / number(stamp, 5, 2) / number(stamp, 8, 2));
  const std::int64_t of_day =
      (number(stamp, 11, 2) * 60 + number(stamp, 14, 2)) * 60 + number(stamp, 17, 2);
  const auto zone = zone_of(stamp);
  int offset = 0;
  if (zone.size() == offset_size) {
    offset = (number(zone, 1, 2) * 60 + number(zone, 4, 2)) * 60;
    if (zone.front() == '-') offset = -offset;
  }
  return day.time_since_epoch().count() * 86'400LL + of_day - offset;
}

/// `2026-01-02T15:04:05`, in UTC.
std::string utc_second(std::chrono::system_clock::time_point time) {
  const std::time_t second =
      std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  ::gmtime_r(&second, &parts);
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900,
                    parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string nine_digits(std::chrono::nanoseconds fraction) {
  std::string out = std::to_string(fraction.count());
  out.insert(0, 9 - out.size(), '0');
  return out;
}

}  // namespace

bool is_stamp(std::string_view text) {
  constexpr std::string_view form = "0000-00-00T00:00:00";
  if (text.size() <= seconds_end) return false;
  for (std::size_t i = 0; i < seconds_end; ++i) {
    if (form[i] == '0' ? !is_digit(text[i]) : text[i] != form[i]) return false;
  }
  const auto zone = zone_of(text);
  if (zone.empty()) return false;
  const auto fraction = text.substr(seconds_end, text.size() - zone.size() - seconds_end);
  return fraction.empty() || (fraction.front() == '.' && fraction.size() > 1 &&
                              std::all_of(fraction.begin() + 1, fraction.end(), is_digit));
}

std::int64_t stamp_fraction(std::string_view stamp) {
  std::int64_t fraction = 0;
  std::int64_t unit = 100'000'000;
  if (stamp[seconds_end] != '.') return 0;
  for (auto at = seconds_end + 1; at < stamp.size() && is_digit(stamp[at]) && unit > 0; ++at) {
    fraction += (stamp[at] - '0') * unit;
    unit /= 10;
  }
  return fraction;
}

std::int64_t stamp_nanoseconds(std::string_view stamp) {
  // Twice as much still fits into 63 bits: LogPosition keeps one more bit with it.
  constexpr std::int64_t last_second = 4'611'686'017;
  const auto seconds = std::clamp(seconds_of(stamp), std::int64_t{0}, last_second);
  return seconds * 1'000'000'000 + stamp_fraction(stamp);
}

std::string format_utc(std::chrono::system_clock::time_point time) {
  return utc_second(time) + "Z";
}

std::string stamp_of(std::chrono::system_clock::time_point time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  return utc_second(time) + "." + nine_digits(time - whole) + "Z";
}

std::string unix_time(std::chrono::nanoseconds since_1970) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_1970);
  return std::to_string(whole.count()) + "." + nine_digits(since_1970 - whole);
}

std::string_view second_of(std::string_view stamp) { return stamp.substr(0, seconds_end); }

void append_whole_seconds(std::string& out, std::string_view stamp) {
  out += stamp.substr(0, seconds_end);
  if (stamp.size() > seconds_end) out += zone_of(stamp);
}

void append_microseconds(std::string& out, std::string_view stamp) {
  constexpr std::size_t point_and_six = 7;
  const auto zone = zone_of(stamp);
  const auto before_zone = stamp.substr(0, stamp.size() - zone.size());
  out += before_zone.substr(0, seconds_end + point_and_six);
  out += zone;
}

void append_bsd(std::string& out, std::string_view stamp) {
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (!is_stamp(stamp)) {
    out += stamp;
    return;
  }
  const std::time_t seconds = seconds_of(stamp);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%s %2d %02d:%02d:%02d", months[parts.tm_mon],
                    parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  out.append(text.data(), static_cast<std::size_t>(size));
}

}  // namespace sidecar_executor
