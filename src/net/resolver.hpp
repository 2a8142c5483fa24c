#pragma once
// Names to addresses. Numeric addresses and `localhost` need no look-up; the rest is getaddrinfo in
// a short-lived thread (Asio's resolver keeps its thread for ever).

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::net {

/// Addresses in the order to try them. Errors: not_found (no such name), unreachable (no name
/// service), timeout, cancelled; the messages name the host. The thread may outlive a call that
/// ended early; it touches nothing of the loop.
asio::awaitable<Result<std::vector<asio::ip::address>>> resolve(
    std::string host, Duration limit, Cancellation* cancellation = nullptr);

/// Once at start: static glibc would load whatever modules nsswitch.conf names.
void use_builtin_name_services();

}  // namespace sidecar_executor::net
