#pragma once
// A way through an HTTP proxy (RFC 9110, CONNECT).

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include "base/error.hpp"
#include "net/address.hpp"
#include "net/proxy.hpp"

namespace sidecar_executor::net {

/// `socket` is connected to the proxy; afterwards what goes over it reaches `server`. Has no time
/// limit of its own: whoever closes the socket ends it, with an error that says so. Errors:
/// unreachable, unauthorized (407), refused, protocol; they name the proxy.
boost::asio::awaitable<Result<void>> open_tunnel(
    boost::asio::generic::stream_protocol::socket& socket, const Address& server,
    const Proxy& proxy);

}  // namespace sidecar_executor::net
