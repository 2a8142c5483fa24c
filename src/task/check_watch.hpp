#pragma once
// Does a check again and again for as long as the container runs: after the delay, then each time
// when the interval has passed since the end of the one before. Never two at a time.

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "base/log.hpp"
#include "task/check_probe.hpp"

namespace sidecar_executor::task {

class CheckWatch {
 public:
  struct Inputs {
    std::string name;  ///< for the log: `HTTP health check`
    mesos::Check check;
    /// Asked each time: a container that was restarted may have another address.
    std::function<CheckTarget()> target;
    /// Of each that was performed; false = that was the last one.
    std::function<bool(const CheckResult&)> on_result;
  };
  CheckWatch(docker::Engine& engine, Log& log, Inputs inputs);

  /// Until on_result says so, or `cancellation`.
  asio::awaitable<void> run(net::Cancellation& cancellation);

 private:
  void log_result(const CheckResult& seen);

  docker::Engine& engine_;
  Log& log_;
  Inputs in_;
  std::string trouble_;  ///< why the last one could not be performed
};

}  // namespace sidecar_executor::task
