#pragma once
// Notices the end of a container when it happens: Docker's wait call, opened before the start so
// that a container that lives 1 ms is not missed. A daemon that goes away never makes a running
// container dead: reconnect, inspect, go on waiting (behaviour.md 5).

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "docker/engine.hpp"
#include "docker/inspect.hpp"

namespace sidecar_executor::docker {

struct ContainerExit {
  std::optional<int> exit_code;
  bool oom_killed = false;
  bool removed = false;
  std::string docker_error;
  std::optional<std::chrono::system_clock::time_point> finished_at;
};

class ExitWatch {
 public:
  struct Handlers {
    std::function<void(const ContainerExit&)> on_ended;     ///< once
    std::function<void(const ContainerState&)> on_running;  ///< Docker was asked, and it runs
  };

  ExitWatch(asio::any_io_executor executor, Engine& engine, Log& log, Handlers handlers);

  /// Before the start. An error is no reason not to start: run() then begins with a look.
  asio::awaitable<Result<void>> open(std::string container_id);

  /// Until the container has ended or close(). Spawned once, after the start.
  asio::awaitable<void> run();

  /// Ask Docker now: somebody has reason to think that it ended.
  void check_now();
  void close();

 private:
  enum class Seen { ended, running, unknown };
  asio::awaitable<Seen> look(std::optional<int> exit_code);
  asio::awaitable<void> after_wait(int exit_code);
  asio::awaitable<void> wait_again();
  void ended(ContainerExit exit);

  Engine& engine_;
  Log& log_;
  Handlers handlers_;
  net::Cancellation closed_;
  net::HttpConnection wait_;
  net::Signal checked_;
  std::string id_;
  bool waiting_ = false;  // the wait call is open
  bool asked_ = false;    // check_now() came
  bool done_ = false;
  bool paused_said_ = false;
  bool trouble_said_ = false;
  int failures_ = 0;
};

}  // namespace sidecar_executor::docker
