#pragma once
// Pure: takes the chunks' framing (RFC 9112 7.1) out of a body as it comes, in place. dockerd sends
// each log line as a chunk of its own: a parser that stops at each costs more than all the rest.

#include <cstddef>
#include <cstdint>
#include <optional>

namespace sidecar_executor::net {

class ChunkDecoder {
 public:
  /// Moves the payload of `data[0, size)` to its beginning; how many bytes that are. nullopt: this
  /// is no chunked body.
  std::optional<std::size_t> decode(char* data, std::size_t size);
  /// The last chunk and the trailer were there.
  [[nodiscard]] bool done() const { return at_ == At::done; }

 private:
  enum class At : std::uint8_t { size, extension, payload, payload_end, trailer, done };
  bool framing(char c);
  bool end_of_size();

  At at_ = At::size;
  std::uint64_t left_ = 0;  // of the chunk
  int digits_ = 0;          // of its size
  std::size_t line_ = 0;    // bytes of the trailer's line, or of the extension
};

}  // namespace sidecar_executor::net
