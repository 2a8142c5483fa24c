#pragma once
// The launch's patience with a Docker that is away: being restarted, hanging, not there yet.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "task/launch_tools.hpp"

namespace sidecar_executor::task {

/// No answer came: the connection could not be made or broke, or our deadline passed. What was
/// asked for may have been done all the same.
bool is_no_answer(const Error& error);

/// Of a question about a container: no answer, or one that tells nothing of it (5xx, not HTTP).
bool tells_nothing(const Error& error);

/// One step of the launch has one. Its time runs from the first failure on, so a daemon that
/// answers pings and cuts every call is given up too.
class DockerReturn {
 public:
  explicit DockerReturn(const LaunchTools& tools)
      : engine_(tools.engine), log_(tools.log), patience_(tools.docker_patience) {}

  /// After a call without answer (`error`): waits until Docker answers a ping. Errors: cancelled,
  /// or `error` again with the time that was waited in vain. The version is negotiated anew, the
  /// daemon may be another one. Logs that it waits and that Docker is back, once each.
  asio::awaitable<Result<void>> wait(Error error, net::Cancellation& cancellation);

 private:
  void say_back(const std::string& server);

  docker::Engine& engine_;
  Log& log_;
  net::Duration patience_;
  std::optional<std::chrono::steady_clock::time_point> since_;  // first failure
  std::chrono::nanoseconds pause_ = std::chrono::milliseconds(100);
  bool said_ = false;
  bool back_said_ = false;
};

}  // namespace sidecar_executor::task
