#pragma once
// What blocks and cannot be made not to (getaddrinfo, a file on a network disk that is gone), in a
// short-lived thread beside the loop.

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "base/error.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::net {

/// Runs `work` and waits for it. `work` throws nothing, owns what it uses and touches nothing of
/// the loop: it may outlive a call that ended early. Errors: timeout, cancelled, unavailable (no
/// thread).
asio::awaitable<Result<void>> in_side_thread(std::function<void()> work, Duration limit,
                                             Cancellation* cancellation = nullptr);

}  // namespace sidecar_executor::net
