#pragma once
// Reads a container's log as Docker gives it, from its first line to its last, and hands it to the
// relay. A daemon that goes away costs no line and brings none twice.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/timeouts.hpp"
#include "docker/engine.hpp"
#include "docker/log_entries.hpp"
#include "docker/log_position.hpp"
#include "net/cancellation.hpp"
#include "net/deadline.hpp"
#include "relay/log_relay.hpp"

namespace sidecar_executor::task {

class LogFollow {
 public:
  struct Container {
    std::string id;
    bool tty = false;
  };
  /// Tests shorten them.
  struct Limits {
    net::Duration first_retry = timeouts::log_first_retry;
    net::Duration last_retry = timeouts::log_last_retry;
    net::Duration end = timeouts::log_end;
  };

  LogFollow(const asio::any_io_executor& executor, docker::Engine& engine, relay::LogRelay& relay,
            Log& log, Container container)
      : LogFollow(executor, engine, relay, log, std::move(container), Limits()) {}
  LogFollow(const asio::any_io_executor& executor, docker::Engine& engine, relay::LogRelay& relay,
            Log& log, Container container, Limits limits);

  /// Until the container has ended and its last line was handed over, stop() or give_up(). True:
  /// the log was read to its end. Spawned once.
  asio::awaitable<bool> run();

  /// Docker has said so: the end of the stream is the end of the log.
  void container_ended();
  /// Reads no more; what was read is still sent.
  void stop();
  /// What was not sent by now is lost.
  void give_up();

 private:
  enum class Next { read_on, at_end, no_use };
  asio::awaitable<Result<void>> read(docker::Engine::LogQuery query);
  asio::awaitable<Result<void>> last_look();
  asio::awaitable<Result<void>> take(std::string_view bytes);
  asio::awaitable<void> gather(net::HttpConnection& connection, std::size_t got);
  asio::awaitable<Next> after(Result<void> end);
  asio::awaitable<void> send();
  asio::awaitable<void> pause();
  [[nodiscard]] bool stopped() const { return reading_.cancelled(); }

  docker::Engine& engine_;
  relay::LogRelay& relay_;
  Log& log_;
  Container container_;
  Limits limits_;
  net::Cancellation reading_;
  net::Cancellation sending_;
  net::Signal woken_;
  docker::LogEntries entries_;
  docker::LogPosition position_;
  std::string buffer_;
  net::SteadyTime last_read_{};
  std::int64_t gathered_ = 0;                        // entries since then
  net::Duration each_takes_ = timeouts::log_gather;  // from one entry to the next, of late
  int failures_ = 0;                                 // streams in a row that gave nothing
  bool skip_ = false;  // the entry that is being read was taken before
  bool ended_ = false;
  bool trouble_said_ = false;
};

}  // namespace sidecar_executor::task
