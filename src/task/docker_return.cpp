#include "task/docker_return.hpp"

#include <algorithm>
#include <utility>

#include "base/go_duration.hpp"

namespace sidecar_executor::task {
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::nanoseconds longest_pause = std::chrono::seconds(2);

}  // namespace

bool is_no_answer(const Error& error) {
  return error.kind == ErrorKind::unreachable || error.kind == ErrorKind::timeout;
}

bool tells_nothing(const Error& error) {
  return is_no_answer(error) || error.kind == ErrorKind::unavailable ||
         error.kind == ErrorKind::protocol;
}

asio::awaitable<Result<void>> DockerReturn::wait(Error error, net::Cancellation& cancellation) {
  if (!since_) since_ = SteadyClock::now();
  for (;;) {
    if (SteadyClock::now() + pause_ > *since_ + patience_) {
      error.message += "; gave up after " + format_for_people(patience_);
      co_return error;
    }
    const auto pause = std::exchange(pause_, std::min(pause_ * 2, longest_pause));
    if (!co_await net::sleep_for(pause, cancellation)) co_return cancelled("launch");
    const auto answer = co_await engine_.negotiate(&cancellation);
    if (cancellation.cancelled()) co_return cancelled("launch");
    if (answer) {
      say_back(*answer);
      co_return boost::system::in_place_value;
    }
    if (said_) continue;
    said_ = true;
    log_.warning("Docker does not answer, waiting for it",
                 {{"host", engine_.address().display()}, {"error", error.message}});
  }
}

void DockerReturn::say_back(const std::string& server) {
  if (!said_ || std::exchange(back_said_, true)) return;
  log_.info("Docker answers again",
            {{"server", server}, {"away", format_for_people(SteadyClock::now() - *since_)}});
}

}  // namespace sidecar_executor::task
