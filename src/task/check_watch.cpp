#include "task/check_watch.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "base/go_duration.hpp"

namespace sidecar_executor::task {
namespace {

/// Whatever interval_seconds says: 0 would be a loop without end.
constexpr Nanoseconds least_interval = std::chrono::milliseconds(100);

}  // namespace

CheckWatch::CheckWatch(docker::Engine& engine, Log& log, Inputs inputs)
    : engine_(engine), log_(log), in_(std::move(inputs)) {}

asio::awaitable<void> CheckWatch::run(net::Cancellation& cancellation) {
  const mesos::Check& check = in_.check;
  log_.info("Checks begin after their delay", {{"check", in_.name},
                                               {"delay", format_for_people(check.delay)},
                                               {"interval", format_for_people(check.interval)}});
  CheckProbe probe(co_await asio::this_coro::executor, engine_, cancellation);
  Nanoseconds wait = check.delay;
  while (co_await net::sleep_for(wait, cancellation)) {
    const CheckResult seen = co_await probe.run(check, in_.target());
    if (cancellation.cancelled()) co_return;
    log_result(seen);
    if (!std::holds_alternative<NotPerformed>(seen) && !in_.on_result(seen)) co_return;
    wait = std::max(check.interval, least_interval);
  }
}

/// Trouble that is not the task's: once a change, not once a check.
void CheckWatch::log_result(const CheckResult& seen) {
  const auto* not_performed = std::get_if<NotPerformed>(&seen);
  const std::string trouble = not_performed != nullptr ? not_performed->why : std::string();
  if (trouble.empty()) {
    log_.debug("Checked", {{"check", in_.name}, {"result", describe(seen)}});
    if (!trouble_.empty()) log_.info("Checks can be done again", {{"check", in_.name}});
  } else if (trouble != trouble_) {
    log_.warning("A check cannot be done, this does not count",
                 {{"check", in_.name}, {"why", trouble}});
  }
  trouble_ = trouble;
}

}  // namespace sidecar_executor::task
