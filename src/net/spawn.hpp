#pragma once
// Starts a coroutine on the loop. One place, because every co_spawn with a type of its own costs 8
// KB.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "net/deadline.hpp"

namespace sidecar_executor::net {

/// Its exceptions are bugs: they come out of the loop's run().
void spawn(const asio::any_io_executor& executor, asio::awaitable<void> work);

}  // namespace sidecar_executor::net
