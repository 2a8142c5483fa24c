#pragma once
// Docker's multiplexed log stream: 8 bytes of header (byte 0 the stream, bytes 4-7 the big-endian
// length), then that many bytes. A container with a TTY has no frames.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/error.hpp"

namespace sidecar_executor::docker {

enum class LogStream : std::uint8_t { out = 1, err = 2 };

/// Bytes in at any border, pieces of payload out as they come: nothing is held but the header.
class FrameDecoder {
 public:
  using Sink = std::function<void(LogStream, std::string_view payload, bool end_of_frame)>;
  explicit FrameDecoder(bool tty) : tty_(tty) {}

  /// Error (protocol): a header whose stream is above 3 or whose bytes 1-3 are not 0. Stream 3 is
  /// dockerd's own error text (stdcopy.Systemerr) and comes out as stderr.
  Result<void> feed(std::string_view bytes, const Sink& sink);

 private:
  Result<void> begin_frame(const Sink& sink);

  bool tty_;
  unsigned char header_[8] = {};
  std::size_t have_ = 0;
  std::uint32_t left_ = 0;
  LogStream stream_ = LogStream::out;
};

}  // namespace sidecar_executor::docker
