#pragma once
// Pure: which proxy leads to a server, by the variables that Go's programs use.

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "net/address.hpp"

namespace sidecar_executor::net {

/// An HTTP proxy that is asked to CONNECT; never itself spoken to by TLS.
struct Proxy {
  Address address;
  std::string authorization;  ///< value of Proxy-Authorization; empty = none
};

/// `http://[user:password@]host[:port]`, or without the scheme. Errors (invalid) do not show user
/// and password.
Result<Proxy> parse_proxy(std::string_view text);

/// True when `no_proxy` (NO_PROXY: names, .domains, addresses, CIDR blocks, each with an optional
/// :port, or `*`) takes the server out.
bool is_excepted(std::string_view no_proxy, const Address& server);

/// Of HTTPS_PROXY or HTTP_PROXY (upper case first, as in Go), NO_PROXY; never for this host itself.
/// nullopt = none. Errors name the variable.
Result<std::optional<Proxy>> proxy_from_environment(const Lookup& lookup, const Address& server);

}  // namespace sidecar_executor::net
