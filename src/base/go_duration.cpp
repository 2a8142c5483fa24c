#include "base/go_duration.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>

#include "base/text.hpp"

namespace sidecar_executor {
namespace {

using std::chrono::nanoseconds;

/// Go counts in an unsigned 64-bit number and lets it reach 2^63, so that the smallest duration
/// can be written.
constexpr std::uint64_t magnitude_limit = std::uint64_t{1} << 63;

struct Unit {
  std::string_view name;
  std::uint64_t nanoseconds;
};
constexpr Unit units[] = {
    {"ns", 1},
    {"us", 1'000},
    {"\xC2\xB5s", 1'000},  // µ, U+00B5
    {"\xCE\xBCs", 1'000},  // μ, U+03BC
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint64_t> take_whole(std::string_view& text) {
  std::uint64_t value = 0;
  while (!text.empty() && is_digit(text.front())) {
    if (value > magnitude_limit / 10) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(text.front() - '0');
    if (value > magnitude_limit) return std::nullopt;
    text.remove_prefix(1);
  }
  return value;
}

struct Fraction {
  std::uint64_t digits = 0;
  double scale = 1;
};

/// Digits beyond what 63 bits hold are read and ignored, as Go does.
Fraction take_fraction(std::string_view& text) {
  Fraction out;
  bool full = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1)) {
    if (full || out.digits > (magnitude_limit - 1) / 10) {
      full = true;
      continue;
    }
    out.digits = out.digits * 10 + static_cast<std::uint64_t>(text.front() - '0');
    out.scale *= 10;
  }
  return out;
}

std::optional<std::uint64_t> take_unit(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != '.' && !is_digit(text[end])) ++end;
  const std::string_view name = text.substr(0, end);
  for (const Unit& unit : units) {
    if (unit.name == name) {
      text.remove_prefix(end);
      return unit.nanoseconds;
    }
  }
  return std::nullopt;
}

/// One `1.5h` of a duration, in nanoseconds.
std::optional<std::uint64_t> take_part(std::string_view& text) {
  const std::size_t before = text.size();
  const auto whole = take_whole(text);
  if (!whole) return std::nullopt;
  bool any_digit = text.size() != before;
  Fraction fraction;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    const std::size_t dot = text.size();
    fraction = take_fraction(text);
    any_digit = any_digit || text.size() != dot;
  }
  if (!any_digit) return std::nullopt;
  const auto unit = take_unit(text);
  if (!unit || *whole > magnitude_limit / *unit) return std::nullopt;
  std::uint64_t value = *whole * *unit;
  if (fraction.digits > 0) {
    value += static_cast<std::uint64_t>(static_cast<double>(fraction.digits) *
                                        (static_cast<double>(*unit) / fraction.scale));
  }
  if (value > magnitude_limit) return std::nullopt;
  return value;
}

std::optional<nanoseconds> parse(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return nanoseconds(0);
  if (text.empty()) return std::nullopt;
  std::uint64_t total = 0;
  while (!text.empty()) {
    const auto part = take_part(text);
    if (!part || *part > magnitude_limit - total) return std::nullopt;
    total += *part;
  }
  if (negative) return nanoseconds(static_cast<std::int64_t>(~total + 1));
  if (total == magnitude_limit) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(total));
}

std::uint64_t magnitude(nanoseconds value) {
  const auto bits = static_cast<std::uint64_t>(value.count());
  return value.count() < 0 ? ~bits + 1 : bits;
}

/// `value` / 10^places without trailing zeros.
std::string decimal(std::uint64_t value, int places) {
  std::string digits = fmt::format("{:0{}}", value, places + 1);
  std::string fraction = digits.substr(digits.size() - static_cast<std::size_t>(places));
  digits.resize(digits.size() - static_cast<std::size_t>(places));
  while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  return fraction.empty() ? digits : digits + "." + fraction;
}

std::string with_rest(std::uint64_t first, char first_unit, std::uint64_t rest, char rest_unit) {
  if (rest == 0) return fmt::format("{}{}", first, first_unit);
  return fmt::format("{}{}{:02}{}", first, first_unit, rest, rest_unit);
}

}  // namespace

Result<nanoseconds> parse_go_duration(std::string_view text) {
  if (const auto value = parse(text)) return *value;
  return Error{ErrorKind::invalid,
               "\"" + one_line(text, 100) + "\" is not a duration such as 300ms, 2s or 1m40s"};
}

std::string format_go_duration(nanoseconds value) {
  const std::uint64_t all = magnitude(value);
  if (all == 0) return "0s";
  std::string text;
  if (all < 1'000) {
    text = decimal(all, 0) + "ns";
  } else if (all < 1'000'000) {
    text = decimal(all, 3) + "\xC2\xB5s";
  } else if (all < 1'000'000'000) {
    text = decimal(all, 6) + "ms";
  } else {
    constexpr std::uint64_t minute = 60'000'000'000;
    const std::uint64_t minutes = all / minute;
    if (minutes >= 60) text += fmt::format("{}h", minutes / 60);
    if (minutes > 0) text += fmt::format("{}m", minutes % 60);
    text += decimal(all % minute, 9) + "s";
  }
  return value.count() < 0 ? "-" + text : text;
}

std::string format_for_people(nanoseconds value) {
  const std::uint64_t all = magnitude(value);
  const auto rounded = [all](std::uint64_t unit) { return all / unit + (all % unit >= unit / 2); };
  std::string text;
  if (all == 0) {
    return "0s";
  } else if (all < 1'000) {
    text = fmt::format("{}ns", all);
  } else if (all < 999'500) {
    text = fmt::format("{}us", rounded(1'000));
  } else if (all < 999'500'000) {
    text = fmt::format("{}ms", rounded(1'000'000));
  } else if (const auto tenths = rounded(100'000'000); tenths < 600) {
    text = decimal(tenths, 1) + "s";
  } else if (const auto seconds = rounded(1'000'000'000); seconds < 3600) {
    text = with_rest(seconds / 60, 'm', seconds % 60, 's');
  } else if (const auto minutes = rounded(60'000'000'000); minutes < 48 * 60) {
    text = with_rest(minutes / 60, 'h', minutes % 60, 'm');
  } else {
    const auto hours = rounded(3'600'000'000'000);
    text = with_rest(hours / 24, 'd', hours % 24, 'h');
  }
  return value.count() < 0 ? "-" + text : text;
}

}  // namespace sidecar_executor
