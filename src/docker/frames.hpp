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

/// Of one frame.
struct FrameHeader {
  LogStream stream = LogStream::out;
  std::uint32_t size = 0;  ///< bytes of payload
};
inline constexpr std::size_t frame_header_size = 8;

/// `header` has frame_header_size bytes. Error (protocol): a stream above 3, or bytes 1-3 are not
/// 0. Stream 3 is dockerd's own error text (stdcopy.Systemerr) and comes out as stderr.
Result<FrameHeader> parse_frame_header(const unsigned char* header);

/// Bytes in at any border, pieces of payload out as they come: nothing is held but the header.
class FrameDecoder {
 public:
  using Sink = std::function<void(LogStream, std::string_view payload, bool end_of_frame)>;
  explicit FrameDecoder(bool tty) : tty_(tty) {}

  /// Error: parse_frame_header()'s.
  Result<void> feed(std::string_view bytes, const Sink& sink);

 private:
  Result<void> begin_frame(const Sink& sink);

  bool tty_;
  unsigned char header_[frame_header_size] = {};
  std::size_t have_ = 0;
  std::uint32_t left_ = 0;
  LogStream stream_ = LogStream::out;
};

}  // namespace sidecar_executor::docker
