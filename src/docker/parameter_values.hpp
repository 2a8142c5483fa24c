#pragma once
// Values of `docker run` flags, as Docker's command line reads them. nullopt: not of that form.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sidecar_executor::docker {

/// `512m`, `1.5g`, `64MiB`, `1024`: bytes, units of 1024 (go-units RAMInBytes).
std::optional<std::int64_t> parse_bytes(std::string_view text);

/// `1.5`, `1/2`: CPUs in thousand-millionths; nine decimals are all there are.
std::optional<std::int64_t> parse_nano_cpus(std::string_view text);

/// One CSV record as Go's encoding/csv reads it: `a,"b,c",d`. Never empty.
std::optional<std::vector<std::string>> parse_csv(std::string_view text);

/// `name=value`; without `=` the value is nullopt.
struct KeyValue {
  std::string key;
  std::optional<std::string> value;
};
KeyValue split_key_value(std::string_view text);

/// IPv4 or IPv6, without brackets, port or zone.
bool is_ip_address(std::string_view text);
bool is_ipv4_address(std::string_view text);

/// `-5`, `+5`, `0500` (five hundred): whole numbers that Docker reads in decimal only, as Go's
/// Atoi.
std::optional<std::int64_t> parse_decimal(std::string_view text);

/// 1 to 65535 in decimal.
std::optional<std::uint16_t> parse_port(std::string_view text);

/// `80` or `80-90`: first and last.
std::optional<std::pair<std::uint16_t, std::uint16_t>> parse_port_range(std::string_view text);

/// `tcp`, `UDP`: in lower case; nothing is tcp; nullopt for anything but tcp, udp and sctp.
std::optional<std::string> parse_protocol(std::string_view text);

}  // namespace sidecar_executor::docker
