#include "net/proxy.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace sidecar_executor::net {
namespace ip = boost::asio::ip;

namespace {

constexpr std::string_view form = "a proxy such as http://host:3128";

std::string trimmed(std::string_view text) {
  const auto words = split_blanks(text);
  return words.empty() ? std::string() : words.front();
}

/// %41 → A, in user and password.
std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = percent_escape(text, i);
    out += byte.value_or(text[i]);
    if (byte) i += 2;
  }
  return out;
}

std::optional<ip::address> as_ip(std::string_view host) {
  boost::system::error_code ec;
  const auto address = ip::make_address(std::string(host), ec);
  return ec ? std::nullopt : std::optional<ip::address>(address);
}

bool in_block(std::string_view block, const ip::address& address) {
  boost::system::error_code ec;
  if (address.is_v4()) {
    const auto network = ip::make_network_v4(std::string(block), ec);
    return !ec && network.canonical() ==
                      ip::network_v4(address.to_v4(), network.prefix_length()).canonical();
  }
  const auto network = ip::make_network_v6(std::string(block), ec);
  return !ec && network.canonical() ==
                    ip::network_v6(address.to_v6(), network.prefix_length()).canonical();
}

bool excepts(const std::string& entry, const Address& server) {
  if (entry == "*") return true;
  const auto server_ip = as_ip(server.host);
  if (entry.find('/') != std::string::npos) return server_ip && in_block(entry, *server_ip);
  std::string host = entry;
  if (const auto with_port = parse_host_port(entry)) {
    if (with_port->port != server.port) return false;
    host = with_port->host;
  }
  if (const auto entry_ip = as_ip(host)) return server_ip && *entry_ip == *server_ip;
  const std::string name = to_lower(server.host);
  if (host.starts_with("*.")) host.erase(0, 1);
  if (host.starts_with('.')) return name.ends_with(host);
  return name == host || name.ends_with("." + host);
}

}  // namespace

Result<Proxy> parse_proxy(std::string_view text) {
  std::string rest = trimmed(text);
  const auto scheme = rest.find("://");
  if (scheme != std::string::npos && to_lower(rest.substr(0, scheme)) != "http") {
    // `user:password@http://host` has its password before the ://.
    if (rest.substr(0, scheme).find_first_of(":@") != std::string::npos)
      return Error{ErrorKind::invalid, "it is not " + std::string(form)};
    return Error{ErrorKind::invalid, "its scheme " + one_line(rest.substr(0, scheme), 20) +
                                         " is not supported; it has to be " + std::string(form)};
  }
  if (scheme != std::string::npos) rest.erase(0, scheme + 3);
  rest = rest.substr(0, rest.find('/'));
  Proxy proxy;
  if (const auto at = rest.rfind('@'); at != std::string::npos) {
    proxy.authorization = basic_authorization(decoded(rest.substr(0, at)));
    rest.erase(0, at + 1);
  }
  auto address = parse_host_port(rest);
  if (!address) address = parse_host_port(rest + ":80");
  if (!address) return Error{ErrorKind::invalid, "it is not " + std::string(form)};
  proxy.address = std::move(*address);
  return proxy;
}

bool is_excepted(std::string_view no_proxy, const Address& server) {
  const auto entries = split(no_proxy, ',');
  return std::any_of(entries.begin(), entries.end(), [&server](const std::string& entry) {
    const std::string name = to_lower(trimmed(entry));
    return !name.empty() && excepts(name, server);
  });
}

Result<std::optional<Proxy>> proxy_from_environment(const Lookup& lookup, const Address& server) {
  // golang.org/x/net/http/httpproxy: upper case first.
  const auto either = [&lookup](std::string& name) {
    auto value = lookup(name).value_or("");
    if (!value.empty()) return value;
    name = to_lower(name);
    return lookup(name).value_or("");
  };
  if (server.is_unix() || server.host == "localhost") return std::optional<Proxy>();
  if (const auto own = as_ip(server.host); own && own->is_loopback()) return std::optional<Proxy>();
  std::string name = server.tls ? "HTTPS_PROXY" : "HTTP_PROXY";
  const std::string value = either(name);
  if (value.empty()) return std::optional<Proxy>();
  std::string exceptions = "NO_PROXY";
  if (is_excepted(either(exceptions), server)) return std::optional<Proxy>();
  auto proxy = parse_proxy(value);
  if (!proxy) return proxy.error().during(name);
  return std::optional<Proxy>(std::move(*proxy));
}

}  // namespace sidecar_executor::net
