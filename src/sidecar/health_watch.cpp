#include "sidecar/health_watch.hpp"

#include <algorithm>

#include "base/go_duration.hpp"
#include "base/stamp.hpp"

namespace sidecar_executor::sidecar {
using SteadyClock = std::chrono::steady_clock;

namespace {

/// Whatever the setting says: Sidecar itself checks every few seconds only.
constexpr std::chrono::nanoseconds least_interval = std::chrono::milliseconds(100);

}  // namespace

HealthWatch::HealthWatch(Client& client, Log& log, HealthWatchConfig config, Handlers handlers)
    : client_(client),
      log_(log),
      config_(std::move(config)),
      handlers_(std::move(handlers)),
      judge_(config_.max_fails) {}

asio::awaitable<void> HealthWatch::run(net::Cancellation& cancellation) {
  log_.info("Health checking begins after the back-off",
            {{"backoff", format_go_duration(config_.backoff)},
             {"interval", format_go_duration(config_.poll_interval)}});
  auto wait = config_.backoff;
  const auto interval = std::max(config_.poll_interval, least_interval);
  while (co_await net::sleep_for(wait, cancellation)) {
    const auto began = SteadyClock::now();
    const Observation seen = co_await client_.status(config_.id12, cancellation);
    if (cancellation.cancelled()) co_return;
    if (judge(seen)) co_return;
    wait =
        std::max<std::chrono::nanoseconds>(interval - (SteadyClock::now() - began), least_interval);
  }
}

/// True when the limit is reached and there is nothing more to watch.
bool HealthWatch::judge(const Observation& seen) {
  const auto verdict = judge_.observe(seen);
  if (const auto* status = std::get_if<Status>(&seen)) {
    log_.debug("Sidecar says", {{"status", std::string(to_string(*status))},
                                {"fails", std::to_string(judge_.fails())}});
  }
  if (verdict.trouble && !verdict.trouble->empty()) {
    log_.warning("Sidecar cannot tell the service's health, taken as healthy",
                 {{"why", *verdict.trouble}});
  } else if (verdict.trouble) {
    log_.info("Sidecar tells the service's health again");
  }
  if (verdict.changed) tell_change(*verdict.changed, std::get<Status>(seen), verdict.limit_reached);
  if (verdict.limit_reached) {
    log_.warning("Sidecar says once too often that the service is not healthy",
                 {{"fails", std::to_string(judge_.fails())}, {"since", since_}});
    handlers_.on_limit(verdict.limit_message);
  }
  return verdict.limit_reached;
}

void HealthWatch::tell_change(bool healthy, Status status, bool limit_reached) {
  const std::string name(to_string(status));
  since_ = format_utc(std::chrono::system_clock::now());
  log_.info("Health changed", {{"healthy", healthy ? "true" : "false"}, {"sidecar", name}});
  handlers_.on_known(healthy, name + " since " + since_);
  // The limit's own update says it all.
  if (!limit_reached) handlers_.on_changed(healthy, "Sidecar says " + name);
}

}  // namespace sidecar_executor::sidecar
