#include "net/deadline.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace sidecar_executor::net {

std::string limit_text(Duration limit) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

SteadyTime end_of(Duration limit) {
  const SteadyTime now = std::chrono::steady_clock::now();
  return limit > SteadyTime::max() - now ? SteadyTime::max() : now + limit;
}

Duration left_until(SteadyTime end) {
  if (end == SteadyTime::max()) return Duration::max();
  return std::max<Duration>(end - std::chrono::steady_clock::now(), Duration(1));
}

struct Deadline::State {
  State(const asio::any_io_executor& executor, std::function<void()> action)
      : timer(executor), expire(std::move(action)) {}

  asio::steady_timer timer;
  std::function<void()> expire;
  bool expired = false;
  std::uint64_t generation = 0;  // a cancelled wait may already be queued with success
};

Deadline::Deadline(const asio::any_io_executor& executor, Duration limit,
                   std::function<void()> expire)
    : state_(std::make_shared<State>(executor, std::move(expire))) {
  restart(limit);
}

Deadline::~Deadline() {
  ++state_->generation;
  state_->timer.cancel();
}

void Deadline::restart(Duration limit) {
  const std::uint64_t generation = ++state_->generation;
  if (limit == Duration::max()) {
    state_->timer.cancel();
    return;
  }
  state_->timer.expires_after(limit);
  state_->timer.async_wait([state = state_, generation](const boost::system::error_code& ec) {
    if (ec || generation != state->generation) return;
    state->expired = true;
    state->expire();
  });
}

bool Deadline::expired() const { return state_->expired; }

asio::awaitable<bool> sleep_for(Duration time, Cancellation& cancellation) {
  if (cancellation.cancelled()) co_return false;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(time);
  const auto hook = cancellation.on_cancel([&timer] { timer.cancel(); });
  boost::system::error_code ec;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  co_return !cancellation.cancelled();
}

Signal::Signal(const asio::any_io_executor& executor) : timer_(executor) {}

void Signal::raise() {
  raised_ = true;
  timer_.cancel();
}

asio::awaitable<void> Signal::wait(SteadyTime until) {
  if (!raised_) {
    timer_.expires_at(until);
    boost::system::error_code ec;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
  }
  raised_ = false;
}

}  // namespace sidecar_executor::net
