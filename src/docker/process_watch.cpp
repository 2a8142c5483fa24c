#include "docker/process_watch.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <system_error>

#include "base/file.hpp"

namespace sidecar_executor::docker {
namespace {

constexpr std::size_t id_length = 64;
constexpr std::size_t cgroup_limit = 64 * 1024;  // some twenty lines

Error no_witness(std::string what, int error) {
  return {ErrorKind::invalid, std::move(what) + ": " + std::generic_category().message(error)};
}

// glibc has a function for it from 2.36 on; the call is the same everywhere.
int pidfd_open(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)); }

Result<std::string> read_cgroup(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return file_error(path, errno);
  return read_up_to(file.get(), path, cgroup_limit);
}

}  // namespace

bool cgroup_names(std::string_view cgroup_file, std::string_view container_id) {
  return container_id.size() == id_length &&
         cgroup_file.find(container_id) != std::string_view::npos;
}

Result<ProcessWatch> ProcessWatch::open(const asio::any_io_executor& executor, int pid,
                                        std::string_view container_id, const std::string& proc) {
  const int fd = pid > 0 ? pidfd_open(pid) : -1;
  if (fd < 0) return no_witness("pidfd of process " + std::to_string(pid), pid > 0 ? errno : ESRCH);
  asio::posix::stream_descriptor pidfd(executor, fd);
  // Only now: what is read is of the process behind the descriptor, or of nobody.
  const auto cgroup = read_cgroup(proc + "/" + std::to_string(pid) + "/cgroup");
  if (!cgroup) return cgroup.error();
  if (!cgroup_names(*cgroup, container_id)) {
    return Error{ErrorKind::not_found,
                 "process " + std::to_string(pid) + " is not in a cgroup of the container"};
  }
  return ProcessWatch(std::move(pidfd));
}

asio::awaitable<bool> ProcessWatch::ended(net::Cancellation& cancellation) {
  if (cancellation.cancelled()) co_return false;
  const auto hook = cancellation.on_cancel([this] {
    boost::system::error_code ignored;
    pidfd_.cancel(ignored);
  });
  boost::system::error_code ec;
  co_await pidfd_.async_wait(asio::posix::descriptor_base::wait_read,
                             asio::redirect_error(asio::use_awaitable, ec));
  co_return !ec && !cancellation.cancelled();
}

}  // namespace sidecar_executor::docker
