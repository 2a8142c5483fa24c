#include "docker/frames.hpp"

#include <algorithm>

namespace sidecar_executor::docker {
namespace {

/// stdcopy.Systemerr: dockerd's own words, `Error grabbing logs: ...`.
constexpr unsigned char system_error = 3;

}  // namespace

Result<FrameHeader> parse_frame_header(const unsigned char* header) {
  if (header[0] > system_error || header[1] != 0 || header[2] != 0 || header[3] != 0) {
    return Error{ErrorKind::protocol,
                 "Docker's log stream is not framed as expected (a container with a TTY?)"};
  }
  FrameHeader out;
  // Stream 0 is stdin, which no log holds; stdcopy counts it as stdout.
  out.stream = header[0] <= 1 ? LogStream::out : LogStream::err;
  for (std::size_t i = 4; i < frame_header_size; ++i) out.size = (out.size << 8U) | header[i];
  return out;
}

Result<void> FrameDecoder::feed(std::string_view bytes, const Sink& sink) {
  if (tty_) {
    if (!bytes.empty()) sink(LogStream::out, bytes, false);
    return boost::system::in_place_value;
  }
  while (!bytes.empty()) {
    if (have_ < frame_header_size) {
      header_[have_++] = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (have_ < frame_header_size) continue;
      auto begun = begin_frame(sink);
      if (!begun) return begun;
      continue;
    }
    const auto size = std::min<std::size_t>(left_, bytes.size());
    left_ -= static_cast<std::uint32_t>(size);
    const bool end = left_ == 0;
    if (end) have_ = 0;
    sink(stream_, bytes.substr(0, size), end);
    bytes.remove_prefix(size);
  }
  return boost::system::in_place_value;
}

Result<void> FrameDecoder::begin_frame(const Sink& sink) {
  const auto header = parse_frame_header(header_);
  if (!header || header->size == 0) have_ = 0;
  if (!header) return header.error();
  stream_ = header->stream;
  left_ = header->size;
  if (left_ == 0) sink(stream_, {}, true);
  return boost::system::in_place_value;
}

}  // namespace sidecar_executor::docker
