// HTTP's chunked bodies.
#include <string>

#include "fuzz/fuzz_target.hpp"
#include "net/chunked.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

struct Body {
  std::string payload;
  bool good = true;
  bool done = false;
  bool operator==(const Body&) const = default;
};

Body decode(std::string_view input, std::size_t step) {
  sx::net::ChunkDecoder decoder;
  Body out;
  sx::fuzz::in_steps(input, step, [&](std::string_view piece) {
    if (!out.good || decoder.done()) return;
    std::string bytes(piece);
    const auto size = decoder.decode(bytes.data(), bytes.size());
    out.good = size.has_value();
    if (!size) return;
    require(*size <= bytes.size(), "nothing that was not there");
    out.payload += bytes.substr(0, *size);
  });
  out.done = decoder.done();
  return out;
}

}  // namespace

SX_FUZZ_TARGET(chunked) {
  const Body whole = decode(input, input.size() + 1);
  // The payload before a fault is not given out, so where it came in pieces there is more of it.
  for (const auto step : sx::fuzz::steps_for(input)) {
    const Body pieces = decode(input, step);
    require(pieces.good == whole.good && pieces.done == whole.done, "judged alike");
    if (whole.good) require(pieces == whole, "the same body, however it comes");
  }
  std::string body;
  for (std::size_t at = 0; at < input.size(); at += 10) {
    const auto chunk = input.substr(at, 10);
    body += (chunk.size() == 10 ? "a\r\n" : std::to_string(chunk.size()) + ";x=1\r\n");
    body.append(chunk).append("\r\n");
  }
  const Body again = decode(body + "0\r\n\r\n", 3);
  require(again.good && again.done && again.payload == input, "any bytes can be chunks");
}
