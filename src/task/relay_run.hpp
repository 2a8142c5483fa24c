#pragma once
// The log relay of one container: all its parts, started and ended together (relay.md).

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "base/settings.hpp"
#include "docker/engine.hpp"
#include "docker/inspect.hpp"
#include "net/deadline.hpp"
#include "relay/log_relay.hpp"
#include "relay/sink.hpp"
#include "task/log_follow.hpp"

namespace sidecar_executor::task {

/// RelaySyslog or RelaySyslogStartupOnly.
bool relays(const Settings& settings);

/// Where they go.
relay::SinkConfig sink_config(const Settings& settings);

class RelayRun {
 public:
  /// `labels` are the container's; SendDockerLabels picks from them.
  RelayRun(const asio::any_io_executor& executor, docker::Engine& engine, Log& log,
           const Settings& settings, const docker::ContainerState& container,
           const std::vector<std::pair<std::string, std::string>>& labels);

  /// To the end of the log, of RelaySyslogStartupTime, or give_up(). Spawned once.
  asio::awaitable<void> run();
  void container_ended() { follow_.container_ended(); }
  /// Waits for the end of the relay, at most `limit`. True: ContainerLogsStdout has brought all of
  /// the log to stdout. False: it brings no more from now on, stdout is the caller's; what is still
  /// on its way to the collector goes on.
  asio::awaitable<bool> in_stdout(net::Duration limit);
  /// Until everything was sent, but not longer than `limit`; then it is given up.
  asio::awaitable<void> finish(net::Duration limit);
  void give_up() { follow_.give_up(); }

 private:
  void log_start() const;
  void log_totals();

  Log& log_;
  const Settings& settings_;
  OutputBuffer* copy_;       // of ContainerLogsStdout
  std::size_t lost_before_;  // bytes that stdout did not take
  relay::Sink sink_;
  relay::LogRelay relay_;
  LogFollow follow_;
  std::string container_id_;
  net::Signal over_;
  bool is_over_ = false;
  bool to_the_end_ = false;
};

}  // namespace sidecar_executor::task
