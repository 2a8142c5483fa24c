// Docker's multiplexed streams: the payload does not depend on where the bytes were cut.
#include <array>
#include <string>

#include "docker/frames.hpp"
#include "fuzz/fuzz_target.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

struct Payload {
  std::array<std::string, 2> of;  // stdout, stderr
  std::size_t frames = 0;
  bool good = true;
  bool operator==(const Payload&) const = default;
};

Payload decode(std::string_view input, std::size_t step, bool tty) {
  sx::docker::FrameDecoder decoder(tty);
  Payload out;
  sx::fuzz::in_steps(input, step, [&](std::string_view piece) {
    if (!out.good) return;  // the connection is dropped then
    const auto fed = decoder.feed(
        piece, [&out](sx::docker::LogStream stream, std::string_view payload, bool end) {
          out.of[stream == sx::docker::LogStream::err ? 1 : 0] += payload;
          if (end) ++out.frames;
        });
    out.good = fed.has_value();
  });
  return out;
}

std::string frame(char stream, std::string_view payload) {
  std::string out{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>((payload.size() >> static_cast<unsigned>(shift)) & 0xFFU);
  return out += payload;
}

}  // namespace

SX_FUZZ_TARGET(docker_frames) {
  const std::size_t all = input.size() + 1;
  for (const bool tty : {false, true}) {
    const Payload whole = decode(input, all, tty);
    for (const auto step : sx::fuzz::steps_for(input))
      require(decode(input, step, tty) == whole, "the same payload, however it comes");
    require(whole.of[0].size() + whole.of[1].size() + (tty ? 0 : 8 * whole.frames) <= input.size(),
            "nothing that was not there");
  }
  require(decode(input, all, true).of[0] == input, "a TTY has no frames");
  const auto middle = input.size() / 2;
  const Payload framed =
      decode(frame(1, input.substr(0, middle)) + frame(2, input.substr(middle)), 5, false);
  require(framed.good && framed.frames == 2 && framed.of[0] + framed.of[1] == input,
          "any bytes can be in frames");
}
