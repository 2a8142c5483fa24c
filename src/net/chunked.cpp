#include "net/chunked.hpp"

#include <algorithm>
#include <cstring>

namespace sidecar_executor::net {
namespace {

constexpr int most_digits = 15;
constexpr std::size_t longest_line = 16 * 1024;  // of an extension or a trailer: nobody sends them

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::size_t> ChunkDecoder::decode(char* data, std::size_t size) {
  std::size_t out = 0;
  std::size_t at = 0;
  while (at < size && at_ != At::done) {
    if (at_ == At::payload) {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, size - at));
      std::memmove(data + out, data + at, part);
      out += part;
      at += part;
      left_ -= part;
      if (left_ == 0) at_ = At::payload_end;
      continue;
    }
    if (!framing(data[at++])) return std::nullopt;
  }
  return out;
}

/// One byte that is no payload. Lines end in \r\n; a bare \n is taken as well.
bool ChunkDecoder::framing(char c) {
  switch (at_) {
    case At::size: {
      const int value = hex_value(c);
      if (value >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(value);
        return ++digits_ <= most_digits;
      }
      if (digits_ == 0) return false;
      if (c == '\n') return end_of_size();
      at_ = At::extension;
      return c == '\r' || c == ';' || c == ' ' || c == '\t';
    }
    case At::extension:
      return c == '\n' ? end_of_size() : ++line_ < longest_line;
    case At::payload_end:
      if (c == '\n') at_ = At::size;
      return c == '\n' || c == '\r';
    case At::trailer:
      if (c == '\n' && line_ == 0) at_ = At::done;
      if (c == '\n') line_ = 0;
      return c == '\n' || c == '\r' || ++line_ < longest_line;
    case At::payload:
    case At::done:
      break;
  }
  return true;
}

bool ChunkDecoder::end_of_size() {
  at_ = left_ == 0 ? At::trailer : At::payload;
  digits_ = 0;
  line_ = 0;
  return true;
}

}  // namespace sidecar_executor::net
