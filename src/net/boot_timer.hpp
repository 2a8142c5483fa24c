#pragma once
// Time that counts suspend (CLOCK_BOOTTIME): leases go on ending while a machine sleeps.

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "net/cancellation.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::net {

/// Since the machine's start.
std::chrono::nanoseconds boot_now();

/// Until boot_now() is `when` or later. False when `cancellation` ended the wait early.
asio::awaitable<bool> sleep_until_boot(std::chrono::nanoseconds when, Cancellation& cancellation);

}  // namespace sidecar_executor::net
