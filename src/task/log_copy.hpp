#pragma once
// Copies the container's last output to the executor's own stdout and stderr (behaviour.md 8).

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "docker/engine.hpp"
#include "net/output_pump.hpp"

namespace sidecar_executor::task {

struct LogCopyRequest {
  std::string container_id;
  std::chrono::nanoseconds since{0};  ///< how far back from the end: LogsSince
  bool tty = false;                   ///< no frames, all of it is stdout
  std::chrono::nanoseconds limit{0};  ///< for all of it
  std::string folder;                 ///< for a spool file of a long log: the sandbox
  /// The container's, by Docker's clock; unknown = now, by ours.
  std::optional<std::chrono::system_clock::time_point> end;
};

/// Docker's `since`: whole seconds since 1970, `back` from the container's end.
std::string log_since(std::chrono::system_clock::time_point end, std::chrono::nanoseconds back);

struct LogCopyOutputs {
  OutputBuffer& out;
  OutputBuffer& err;
  net::OutputPump& out_pump;
  net::OutputPump& err_pump;
};

struct LogCopied {
  std::uint64_t bytes = 0;
  bool oldest_left_out = false;  ///< there was more than the limit
  std::string tail;              ///< the last 4 KiB of it
};

/// At most 10 MiB, the newest, and no more lines than dockerd can give in the time; a line on
/// stderr says so when something was left out. Memory does not grow with the log.
asio::awaitable<Result<LogCopied>> copy_logs(docker::Engine& engine, LogCopyRequest request,
                                             LogCopyOutputs outputs,
                                             net::Cancellation& cancellation);

}  // namespace sidecar_executor::task
