#include "net/boot_timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <ctime>
#include <stdexcept>

namespace sidecar_executor::net {
using std::chrono::nanoseconds;

namespace {

/// Longer waits are cut: a timer of 292 years is not asked of the kernel.
constexpr nanoseconds longest = std::chrono::hours(24 * 365);

int armed_timer(nanoseconds when) {
  const int fd = ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (fd < 0) return fd;
  // 0 would disarm it.
  const nanoseconds at = std::max(std::min(when, boot_now() + longest), nanoseconds(1));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at);
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(seconds.count());
  spec.it_value.tv_nsec = static_cast<long>((at - seconds).count());
  ::timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, nullptr);
  return fd;
}

}  // namespace

nanoseconds boot_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::seconds(now.tv_sec) + nanoseconds(now.tv_nsec);
}

asio::awaitable<bool> sleep_until_boot(nanoseconds when, Cancellation& cancellation) {
  while (!cancellation.cancelled() && boot_now() < when) {
    const int fd = armed_timer(when);
    if (fd < 0) {
      // No descriptor left: the other clock, a minute at a time.
      co_await sleep_for(std::min<nanoseconds>(when - boot_now(), std::chrono::minutes(1)),
                         cancellation);
      continue;
    }
    asio::posix::stream_descriptor timer(co_await asio::this_coro::executor, fd);
    const auto hook = cancellation.on_cancel([&timer] { timer.cancel(); });
    boost::system::error_code ec;
    co_await timer.async_wait(asio::posix::stream_descriptor::wait_read,
                              asio::redirect_error(asio::use_awaitable, ec));
  }
  co_return !cancellation.cancelled();
}

}  // namespace sidecar_executor::net
