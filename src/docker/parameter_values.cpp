#include "docker/parameter_values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// `""`, `b`, `k`, `kb`, `kib`, ...: the power of 1024.
std::optional<int> power_of(std::string_view suffix) {
  const std::string lower = to_lower(suffix);
  if (lower.empty() || lower == "b") return 0;
  constexpr std::string_view units = "kmgtp";
  const auto unit = units.find(lower.front());
  if (unit == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(lower).substr(1);
  if (!rest.empty() && rest != "b" && rest != "ib") return std::nullopt;
  return static_cast<int>(unit) + 1;
}

constexpr std::int64_t nano = 1'000'000'000;

std::optional<std::int64_t> nano_cpus_of_fraction(std::string_view above, std::string_view below) {
  constexpr std::int64_t most = 1'000'000;  // CPUs; keeps the product in range
  if (!all_digits(above) || !all_digits(below)) return std::nullopt;
  const auto a = number<std::int64_t>(above);
  const auto b = number<std::int64_t>(below);
  if (!a || !b || *b == 0 || *a > most || (*a * nano) % *b != 0) return std::nullopt;
  return *a * nano / *b;
}

}  // namespace

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  const auto last = text.find_last_of("0123456789. ");
  if (last == std::string_view::npos || text.front() == '-' || text.front() == '+')
    return std::nullopt;
  const auto power = power_of(text.substr(last + 1));
  auto digits = text.substr(0, last + 1);
  if (digits.ends_with(' ')) digits.remove_suffix(1);
  const auto value = number<double>(digits);
  if (!power || !value) return std::nullopt;
  const double bytes = std::trunc(*value * std::pow(1024.0, *power));
  if (!(bytes >= 0 && bytes < 9.2e18)) return std::nullopt;
  return static_cast<std::int64_t>(bytes);
}

std::optional<std::int64_t> parse_nano_cpus(std::string_view text) {
  if (const auto slash = text.find('/'); slash != std::string_view::npos)
    return nano_cpus_of_fraction(text.substr(0, slash), text.substr(slash + 1));
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  std::string fraction(dot == std::string_view::npos ? "" : text.substr(dot + 1));
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!whole.empty() && (!all_digits(whole) || whole.size() > 6)) return std::nullopt;
  if (!fraction.empty() && !all_digits(fraction)) return std::nullopt;
  constexpr std::size_t decimals = 9;
  while (fraction.size() > decimals && fraction.back() == '0') fraction.pop_back();
  if (fraction.size() > decimals) return std::nullopt;
  fraction.resize(decimals, '0');
  return number<std::int64_t>(whole.empty() ? "0" : whole).value_or(0) * nano +
         number<std::int64_t>(fraction).value_or(0);
}

std::optional<std::vector<std::string>> parse_csv(std::string_view text) {
  std::vector<std::string> out;
  if (text.empty()) return std::nullopt;
  for (std::size_t at = 0;; ++at) {
    std::string field;
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        if (at == text.size()) return std::nullopt;  // not closed
        if (text[at] == '"' && (at + 1 == text.size() || text[at + 1] != '"')) break;
        if (text[at] == '"') ++at;
        field += text[at];
      }
      ++at;
      if (at < text.size() && text[at] != ',') return std::nullopt;
    } else {
      while (at < text.size() && text[at] != ',') field += text[at++];
      if (field.find('"') != std::string::npos) return std::nullopt;
    }
    out.push_back(std::move(field));
    if (at >= text.size()) return out;
  }
}

KeyValue split_key_value(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos) return {std::string(text), std::nullopt};
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

bool is_ipv4_address(std::string_view text) {
  in_addr address{};
  return ::inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

bool is_ip_address(std::string_view text) {
  in6_addr address{};
  return is_ipv4_address(text) || ::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}

std::optional<std::int64_t> parse_decimal(std::string_view text) {
  const bool plus = text.starts_with('+');
  const auto digits = plus || text.starts_with('-') ? text.substr(1) : text;
  if (!all_digits(digits)) return std::nullopt;
  return number<std::int64_t>(plus ? digits : text);
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  if (!all_digits(text)) return std::nullopt;
  const auto port = number<std::uint16_t>(text);
  return port && *port > 0 ? port : std::nullopt;
}

std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_port_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_port(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : parse_port(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return std::pair{*first, *last};
}

std::optional<std::string> parse_protocol(std::string_view text) {
  if (text.empty()) return "tcp";
  auto lower = to_lower(text);
  if (lower != "tcp" && lower != "udp" && lower != "sctp") return std::nullopt;
  return lower;
}

}  // namespace sidecar_executor::docker
