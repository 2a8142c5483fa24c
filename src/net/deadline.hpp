#pragma once
// Time limits on the loop. A deadline closes what an operation waits on and remembers that it did.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/cancellation.hpp"

namespace sidecar_executor {
namespace asio = boost::asio;
}

namespace sidecar_executor::net {

using Duration = std::chrono::nanoseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

/// For messages: `10 s`, `250 ms`.
std::string limit_text(Duration limit);

/// When a limit that begins now is over; SteadyTime::max() for one that has no end.
SteadyTime end_of(Duration limit);
/// Time that is left, at least a tick; Duration::max() until SteadyTime::max().
Duration left_until(SteadyTime end);

/// Runs `expire` once unless it is destroyed or restarted before. A limit of Duration::max() never
/// expires.
class Deadline {
 public:
  Deadline(const asio::any_io_executor& executor, Duration limit, std::function<void()> expire);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void restart(Duration limit);
  [[nodiscard]] bool expired() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Waits. False when `cancellation` ended the wait early (or was cancelled before).
asio::awaitable<bool> sleep_for(Duration time, Cancellation& cancellation);

/// A flag that one coroutine waits for and anybody raises: no value, no queue. Raised before the
/// wait = the wait ends at once.
class Signal {
 public:
  explicit Signal(const asio::any_io_executor& executor);
  [[nodiscard]] asio::any_io_executor executor() { return timer_.get_executor(); }
  void raise();
  /// Until raise(), or until `until` (a time; time_point::max() = for ever). Clears the flag.
  asio::awaitable<void> wait(SteadyTime until = SteadyTime::max());

 private:
  asio::steady_timer timer_;
  bool raised_ = false;
};

}  // namespace sidecar_executor::net
