#pragma once
// Empties an OutputBuffer whose reader was slow, when the descriptor takes bytes again.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

#include "base/log.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::net {

class OutputPump {
 public:
  /// Works on a duplicate of the buffer's descriptor; registers itself as on_pending.
  OutputPump(asio::any_io_executor executor, OutputBuffer& buffer);
  ~OutputPump();
  OutputPump(const OutputPump&) = delete;
  OutputPump& operator=(const OutputPump&) = delete;

  /// Until nothing waits in the buffer, or `limit` has passed (false).
  asio::awaitable<bool> drained(Duration limit);
  /// No more waits: what is left stays in the buffer.
  void close();

 private:
  void watch();
  OutputBuffer& buffer_;
  asio::posix::stream_descriptor descriptor_;
  Signal empty_;
  bool watching_ = false;
  bool closed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a wait may end after the pump
};

}  // namespace sidecar_executor::net
