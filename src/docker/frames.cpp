#include "docker/frames.hpp"

#include <algorithm>

namespace sidecar_executor::docker {
namespace {

constexpr std::size_t header_size = 8;
/// stdcopy.Systemerr: dockerd's own words, `Error grabbing logs: ...`.
constexpr unsigned char system_error = 3;

}  // namespace

Result<void> FrameDecoder::feed(std::string_view bytes, const Sink& sink) {
  if (tty_) {
    if (!bytes.empty()) sink(LogStream::out, bytes, false);
    return boost::system::in_place_value;
  }
  while (!bytes.empty()) {
    if (have_ < header_size) {
      header_[have_++] = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (have_ < header_size) continue;
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
  if (header_[0] > system_error || header_[1] != 0 || header_[2] != 0 || header_[3] != 0) {
    have_ = 0;
    return Error{ErrorKind::protocol,
                 "Docker's log stream is not framed as expected (a container with a TTY?)"};
  }
  // Stream 0 is stdin, which no log holds; stdcopy counts it as stdout.
  stream_ = header_[0] <= 1 ? LogStream::out : LogStream::err;
  left_ = 0;
  for (std::size_t i = 4; i < header_size; ++i) left_ = (left_ << 8U) | header_[i];
  if (left_ == 0) {
    have_ = 0;
    sink(stream_, {}, true);
  }
  return boost::system::in_place_value;
}

}  // namespace sidecar_executor::docker
