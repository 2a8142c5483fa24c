#include "net/side_thread.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <system_error>
#include <thread>

namespace sidecar_executor::net {
namespace {

/// Shared by the waiting coroutine and the thread: whoever is last frees it.
struct Job {
  explicit Job(std::function<void()> what) : work(std::move(what)) {}
  ~Job() {
    if (event >= 0) ::close(event);
  }
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  std::function<void()> work;
  int event = -1;  // an eventfd: writing to a pipe that the reader has left would be SIGPIPE
  std::atomic<bool> done = false;  // orders what `work` wrote between the threads
};

void run(Job& job) {
  job.work();
  job.done = true;
  ::eventfd_write(job.event, 1);
}

Error no_thread(const std::string& why) { return {ErrorKind::unavailable, why}; }

}  // namespace

asio::awaitable<Result<void>> in_side_thread(std::function<void()> work, Duration limit,
                                             Cancellation* cancellation) {
  const Error cancelled{ErrorKind::cancelled, "cancelled"};
  if (cancellation != nullptr && cancellation->cancelled()) co_return cancelled;
  auto job = std::make_shared<Job>(std::move(work));
  job->event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int copy = job->event < 0 ? -1 : ::fcntl(job->event, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) co_return no_thread(std::generic_category().message(errno));
  asio::posix::stream_descriptor answer(co_await asio::this_coro::executor, copy);
  try {
    std::thread([job] { run(*job); }).detach();
  } catch (const std::system_error& error) {
    co_return no_thread(error.what());
  }
  const auto stop = [&answer] {
    boost::system::error_code ignored;
    answer.cancel(ignored);
  };
  Cancellation::Registration hook;
  if (cancellation != nullptr) hook = cancellation->on_cancel(stop);
  Deadline deadline(answer.get_executor(), limit, stop);
  boost::system::error_code ec;
  co_await answer.async_wait(asio::posix::descriptor_base::wait_read,
                             asio::redirect_error(asio::use_awaitable, ec));
  if (cancellation != nullptr && cancellation->cancelled()) co_return cancelled;
  if (!job->done) co_return Error{ErrorKind::timeout, "no answer within " + limit_text(limit)};
  co_return boost::system::in_place_value;
}

}  // namespace sidecar_executor::net
