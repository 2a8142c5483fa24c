#pragma once
// Asks Sidecar how healthy our service is, for as long as the container runs.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "base/log.hpp"
#include "sidecar/client.hpp"
#include "sidecar/health.hpp"

namespace sidecar_executor::sidecar {

struct HealthWatchConfig {
  std::string id12;                        ///< the service: first 12 characters of the container id
  std::chrono::nanoseconds backoff;        ///< SidecarBackoff, from the container's start
  std::chrono::nanoseconds poll_interval;  ///< SidecarPollInterval; at least 100 ms are kept
  std::int64_t max_fails = 3;              ///< SidecarMaxFails
};

class HealthWatch {
 public:
  struct Handlers {
    std::function<void(bool healthy, std::string message)> on_changed;
    std::function<void(std::string message)> on_limit;  ///< once
    /// Before either of them: what Sidecar says and since when, for people.
    std::function<void(bool healthy, std::string text)> on_known;
  };
  HealthWatch(Client& client, Log& log, HealthWatchConfig config, Handlers handlers);

  /// Until the limit is reached or `cancellation`.
  asio::awaitable<void> run(net::Cancellation& cancellation);

 private:
  bool judge(const Observation& seen);
  void tell_change(bool healthy, Status status, bool limit_reached);
  Client& client_;
  Log& log_;
  HealthWatchConfig config_;
  Handlers handlers_;
  HealthJudge judge_;
  std::string since_;  ///< when the known health began
};

}  // namespace sidecar_executor::sidecar
