// Addresses of servers and proxies: read, shown and read again.
#include "fuzz/fuzz_target.hpp"
#include "net/address.hpp"
#include "net/proxy.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

void check_url(std::string_view input) {
  const auto url = sx::net::parse_url(input);
  if (!url) {
    require(sx::fuzz::is_for_people(url.error().message, 400), "the error's text");
    return;
  }
  if (url->address.is_unix()) return;
  require(url->path.starts_with('/') && url->address.port != 0, "a path and a port");
  require(url->path.find_first_of(" \r\n") == std::string::npos, "a path is one word of a request");
  require(url->address.authority().find_first_of("\r\n") == std::string::npos,
          "and so is the host of a header");
}

void check_host_port(std::string_view input) {
  const auto address = sx::net::parse_host_port(input);
  if (!address) {
    require(sx::fuzz::is_for_people(address.error().message, 400), "the error's text");
    return;
  }
  const auto again = sx::net::parse_host_port(address->authority());
  require(again && again->host == address->host && again->port == address->port,
          "shown, it is read as the same");
  sx::net::is_excepted(input, *address);
}

/// Whatever is before the host may be a password.
void check_proxy(std::string_view input) {
  const auto proxy =
      sx::net::parse_proxy("u:" + std::string(sx::fuzz::secret_mark) + "@" + std::string(input));
  if (proxy) {
    require(!proxy->authorization.empty(), "user and password are used");
    require(proxy->authorization.find_first_of("\r\n") == std::string::npos, "in a header");
  } else {
    require(!sx::fuzz::has_secret(proxy.error().message), "and not shown");
  }
}

}  // namespace

SX_FUZZ_TARGET(urls) {
  check_url(input);
  check_host_port(input);
  check_proxy(input);
  sx::net::Address server;
  server.host = "10.1.2.3";
  server.port = 443;
  sx::net::is_excepted(input, server);
  server.host = "2001:db8::1";
  sx::net::is_excepted(input, server);
}
