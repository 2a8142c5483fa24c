#pragma once
// Second witness of a container's end: a pidfd on its init process, where Docker's pids are ours
// (behaviour.md 5). It knows that the process has ended, never how.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "net/cancellation.hpp"

namespace sidecar_executor {
namespace asio = boost::asio;
}

namespace sidecar_executor::docker {

/// Does a line of /proc/<pid>/cgroup (version 1 or 2) name the container? By the full id: paths are
/// `/docker/<id>`, `/system.slice/docker-<id>.scope`, `/../<id>`.
bool cgroup_names(std::string_view cgroup_file, std::string_view container_id);

class ProcessWatch {
 public:
  /// An error says why there is no witness: no pidfd here, another pid name space, a pid that is
  /// somebody else's. Pids are reused: ask Docker again for the pid after this.
  static Result<ProcessWatch> open(const asio::any_io_executor& executor, int pid,
                                   std::string_view container_id,
                                   const std::string& proc = "/proc");

  /// Until the process has ended: true. False when `cancellation` ended the wait.
  asio::awaitable<bool> ended(net::Cancellation& cancellation);

 private:
  explicit ProcessWatch(asio::posix::stream_descriptor pidfd) : pidfd_(std::move(pidfd)) {}
  asio::posix::stream_descriptor pidfd_;
};

}  // namespace sidecar_executor::docker
