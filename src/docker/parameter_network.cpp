// Readers: networks, addresses, names and ports.

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "docker/parameter_readers.hpp"
#include "docker/parameter_values.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

bool is_mac_address(std::string_view text) {
  // 02:42:ac:11:00:02, 02-42-ac-11-00-02 or 0242.ac11.0002
  const auto mark = text.find_first_of(":-.");
  if (mark == std::string_view::npos) return false;
  const std::size_t digits = text[mark] == '.' ? 4 : 2;
  const auto parts = split(text, text[mark]);
  return parts.size() * digits == 12 &&
         std::all_of(parts.begin(), parts.end(), [digits](const std::string& part) {
           return part.size() == digits &&
                  part.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
         });
}

std::string without_brackets(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return std::string(text);
}

bool is_domain(std::string_view text) {
  const auto labels = split(text, '.');
  // Docker wants a letter in it: 1.2 was meant as an address.
  const bool is_number = text.find_first_not_of("0123456789.-") == std::string_view::npos;
  return !is_number && std::all_of(labels.begin(), labels.end(),
                                   [](const std::string& label) { return is_word(label, "-_"); });
}

// Members of EndpointsConfig[network], whether they come alone or in the long form of `network`.

Result<void> put_ip(json::object& endpoint, std::string_view value) {
  if (!is_ipv4_address(value)) return expected("an IPv4 address");
  object_at(endpoint["IPAMConfig"])["IPv4Address"] = value;
  return taken();
}

Result<void> put_ip6(json::object& endpoint, std::string_view value) {
  if (is_ipv4_address(value) || !is_ip_address(value)) return expected("an IPv6 address");
  object_at(endpoint["IPAMConfig"])["IPv6Address"] = value;
  return taken();
}

Result<void> put_link_local(json::object& endpoint, std::string_view value) {
  if (!is_ip_address(value)) return expected("an IP address");
  array_at(object_at(endpoint["IPAMConfig"])["LinkLocalIPs"]).emplace_back(value);
  return taken();
}

Result<void> put_alias(json::object& endpoint, std::string_view value) {
  if (value.empty()) return expected("a name, found nothing");
  array_at(endpoint["Aliases"]).emplace_back(value);
  return taken();
}

Result<void> put_mac(json::object& endpoint, std::string_view value) {
  if (!is_mac_address(value)) return expected("a MAC address such as 02:42:ac:11:00:02");
  endpoint["MacAddress"] = value;
  return taken();
}

Result<void> put_network_field(NetworkRequest& request, const KeyValue& field) {
  const std::string key = to_lower(field.key);
  const std::string value = field.value.value_or("");
  auto& endpoint = request.endpoint;
  if (key == "name") {
    request.name = value;
    return taken();
  }
  if (key == "alias") return put_alias(endpoint, value);
  if (key == "ip") return put_ip(endpoint, value);
  if (key == "ip6") return put_ip6(endpoint, value);
  if (key == "link-local-ip") return put_link_local(endpoint, value);
  if (key == "mac-address") return put_mac(endpoint, value);
  if (key == "driver-opt") {
    const auto pair = split_key_value(value);
    if (pair.key.empty() || !pair.value) return expected("driver-opt=name=value");
    object_at(endpoint["DriverOpts"])[pair.key] = *pair.value;
    return taken();
  }
  if (key == "gw-priority") {
    const auto number = parse_decimal(value);
    if (!number) return expected("a whole number as gw-priority");
    endpoint["GwPriority"] = *number;
    return taken();
  }
  return expected(
      "fields of a network: name, alias, ip, ip6, link-local-ip, mac-address, driver-opt, "
      "gw-priority");
}

/// One published port: [address:][host port]:container port[/protocol].
struct Published {
  std::string address;
  std::string host;       ///< port or range, empty = any
  std::string container;  ///< port or range
  std::string protocol;   ///< empty = tcp
};

std::optional<Published> long_form(std::string_view text) {
  Published out;
  const auto fields = parse_csv(text);
  if (!fields) return std::nullopt;
  for (const auto& field : *fields) {
    const auto pair = split_key_value(field);
    const auto key = to_lower(pair.key);
    if (!pair.value) return std::nullopt;
    if (key == "target") {
      out.container = *pair.value;
    } else if (key == "published") {
      out.host = *pair.value;
    } else if (key == "protocol") {
      out.protocol = *pair.value;
    } else if (key != "mode" || (*pair.value != "host" && *pair.value != "ingress")) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<Published> short_form(std::string_view text) {
  Published out;
  if (const auto slash = text.find('/'); slash != std::string_view::npos) {
    out.protocol = text.substr(slash + 1);
    text = text.substr(0, slash);
  }
  const auto last = text.rfind(':');
  out.container = text.substr(last == std::string_view::npos ? 0 : last + 1);
  if (last == std::string_view::npos) return out;
  text = text.substr(0, last);
  const auto colon = text.rfind(':');
  out.host = text.substr(colon == std::string_view::npos ? 0 : colon + 1);
  if (colon == std::string_view::npos) return out;
  out.address = without_brackets(text.substr(0, colon));
  // `:8080:80`: no address is any.
  if (!out.address.empty() && !is_ip_address(out.address)) return std::nullopt;
  return out;
}

void add_binding(const ParameterReading& reading, const std::string& port,
                 const Published& published, const std::string& host_port) {
  object_at(reading.out.body["ExposedPorts"])[port].emplace_object();
  json::object binding{{"HostPort", host_port}};
  if (!published.address.empty()) binding["HostIp"] = published.address;
  auto& list = array_at(object_at(target_of(reading))[port]);
  const json::value value(std::move(binding));
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

}  // namespace

Result<void> read_add_host(const ParameterReading& reading, std::string_view value) {
  auto form = expected("name:address, name=address or name:host-gateway");
  // An IPv6 address has colons of its own: = comes first, then the first colon.
  auto separator = value.find('=');
  if (separator == std::string_view::npos) separator = value.find(':');
  if (separator == std::string_view::npos || separator == 0) return form;
  const auto address = without_brackets(value.substr(separator + 1));
  if (address != "host-gateway" && !is_ip_address(address)) return form;
  array_at(target_of(reading))
      .emplace_back(std::string(value.substr(0, separator)) + ":" + address);
  return taken();
}

Result<void> read_dns(const ParameterReading& reading, std::string_view value) {
  if (!is_ip_address(value)) return expected("an IP address");
  array_at(target_of(reading)).emplace_back(value);
  return taken();
}

Result<void> read_dns_search(const ParameterReading& reading, std::string_view value) {
  const bool none = value == ".";
  if (!none && value.ends_with('.')) value.remove_suffix(1);  // as Docker does
  if (!none && !is_domain(value)) return expected("a domain, or . for none");
  array_at(target_of(reading)).emplace_back(value);
  return taken();
}

Result<void> read_expose(const ParameterReading& reading, std::string_view value) {
  const auto slash = value.find('/');
  const auto ports = parse_port_range(value.substr(0, slash));
  const auto protocol =
      parse_protocol(slash == std::string_view::npos ? "" : value.substr(slash + 1));
  if (!ports || !protocol) return expected("port[-port][/tcp|udp|sctp]");
  for (unsigned port = ports->first; port <= ports->second; ++port)
    object_at(target_of(reading))[std::to_string(port) + "/" + *protocol].emplace_object();
  return taken();
}

Result<void> read_publish(const ParameterReading& reading, std::string_view value) {
  auto form = expected("[address:][host port:]container port[/protocol]");
  const auto published =
      value.find('=') == std::string_view::npos ? short_form(value) : long_form(value);
  if (!published) return form;
  const auto inside = parse_port_range(published->container);
  const auto protocol = parse_protocol(published->protocol);
  // `0` is any port, as none is.
  const bool any = published->host.empty() || published->host == "0";
  const auto outside = any ? inside : parse_port_range(published->host);
  if (!inside || !protocol || !outside) return form;
  const bool pairwise = outside->second - outside->first == inside->second - inside->first;
  // Several host ports for one container port: Docker takes a free one.
  if (!pairwise && inside->first != inside->second)
    return expected("as many host ports as container ports");
  for (unsigned i = 0; i <= unsigned(inside->second - inside->first); ++i) {
    auto host = any ? published->host : std::to_string(outside->first + i);
    if (!pairwise) host = published->host;
    add_binding(reading, std::to_string(inside->first + i) + "/" + *protocol, *published, host);
  }
  return taken();
}

Result<void> read_link(const ParameterReading& reading, std::string_view value) {
  const auto parts = split(value, ':');
  if (parts.empty() || parts.size() > 2 || parts.front().empty() || parts.back().empty())
    return expected("container[:alias]");
  array_at(target_of(reading)).emplace_back(value);
  return taken();
}

Result<void> read_network(const ParameterReading& reading, std::string_view value) {
  NetworkRequest request;
  request.name = value;
  if (value.find('=') != std::string_view::npos) {
    const auto fields = parse_csv(value);
    if (!fields) return expected("a name, or name=NAME with fields such as alias=web");
    request.name.clear();
    for (const auto& field : *fields) {
      const auto read = put_network_field(request, split_key_value(field));
      if (!read) return read.error();
    }
  }
  if (request.name.empty()) return expected("the name of a network");
  reading.out.networks.push_back(std::move(request));
  return taken();
}

Result<void> read_ip(const ParameterReading& reading, std::string_view value) {
  return put_ip(reading.out.endpoint, value);
}

Result<void> read_ip6(const ParameterReading& reading, std::string_view value) {
  return put_ip6(reading.out.endpoint, value);
}

Result<void> read_link_local_ip(const ParameterReading& reading, std::string_view value) {
  return put_link_local(reading.out.endpoint, value);
}

Result<void> read_network_alias(const ParameterReading& reading, std::string_view value) {
  return put_alias(reading.out.endpoint, value);
}

Result<void> read_mac_address(const ParameterReading& reading, std::string_view value) {
  return put_mac(reading.out.endpoint, value);
}

}  // namespace sidecar_executor::docker
