#include "net/output_pump.hpp"

#include <fcntl.h>

namespace sidecar_executor::net {

OutputPump::OutputPump(asio::any_io_executor executor, OutputBuffer& buffer)
    : buffer_(buffer), descriptor_(executor), empty_(executor) {
  buffer_.on_pending = [this] { watch(); };
}

OutputPump::~OutputPump() { buffer_.on_pending = nullptr; }

void OutputPump::watch() {
  if (watching_ || closed_) return;
  if (!descriptor_.is_open()) {
    const int copy = ::fcntl(buffer_.fd(), F_DUPFD_CLOEXEC, 3);
    boost::system::error_code ec;
    if (copy < 0) return;
    // A regular file cannot be watched, and never lets anything wait.
    descriptor_.assign(copy, ec);
    if (ec) {
      ::close(copy);
      return;
    }
  }
  watching_ = true;
  descriptor_.async_wait(
      asio::posix::descriptor_base::wait_write,
      [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& ec) {
        if (alive.expired()) return;
        watching_ = false;
        if (ec) return;
        if (buffer_.flush()) {
          empty_.raise();
        } else {
          watch();
        }
      });
}

asio::awaitable<bool> OutputPump::drained(Duration limit) {
  const SteadyTime end = std::chrono::steady_clock::now() + limit;
  while (buffer_.pending() && !closed_) {
    watch();
    if (std::chrono::steady_clock::now() >= end) co_return false;
    co_await empty_.wait(end);
  }
  co_return !buffer_.pending();
}

void OutputPump::close() {
  closed_ = true;
  boost::system::error_code ignored;
  descriptor_.close(ignored);
  empty_.raise();
}

}  // namespace sidecar_executor::net
