// Log entries with their stamps: together they are the frames' payload again.
#include <array>
#include <string>

#include "base/stamp.hpp"
#include "docker/frames.hpp"
#include "docker/log_entries.hpp"
#include "docker/log_position.hpp"
#include "fuzz/fuzz_target.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

struct Read {
  std::array<std::string, 2> text;  // with the stamps, stdout and stderr
  std::size_t ends = 0;
  bool good = true;
  bool operator==(const Read&) const = default;
};

void take(const sx::docker::LogPiece& piece, Read& out, sx::docker::LogPosition& position) {
  auto& text = out.text[piece.stream == sx::docker::LogStream::err ? 1 : 0];
  if (piece.begins && !piece.stamp.empty()) {
    require(sx::is_stamp(piece.stamp), "a stamp is one");
    text.append(piece.stamp).append(" ");
  }
  text += piece.text;
  if (!piece.ends) return;
  ++out.ends;
  position.took(piece.stamp, piece.stream);
}

Read entries(std::string_view input, std::size_t step, bool tty) {
  sx::docker::LogEntries reader(tty);
  sx::docker::LogPosition position;
  Read out;
  sx::fuzz::in_steps(input, step, [&](std::string_view bytes) {
    if (!out.good) return;
    reader.feed(bytes);
    for (sx::docker::LogPiece piece;;) {
      const auto next = reader.next(piece);
      out.good = next.has_value();
      if (!next || !*next) return;
      take(piece, out, position);
    }
  });
  require(!position.begin_again().empty(), "a place to go on from");
  return out;
}

std::array<std::string, 2> payload(std::string_view input, bool tty) {
  std::array<std::string, 2> out;
  sx::docker::FrameDecoder decoder(tty);
  // An error ends it, as it ends the entries.
  static_cast<void>(
      decoder.feed(input, [&out](sx::docker::LogStream stream, std::string_view text, bool) {
        out[stream == sx::docker::LogStream::err ? 1 : 0] += text;
      }));
  return out;
}

}  // namespace

SX_FUZZ_TARGET(log_entries) {
  constexpr std::size_t longest_stamp = 40;
  for (const bool tty : {false, true}) {
    const Read whole = entries(input, input.size() + 1, tty);
    const auto expected = payload(input, tty);
    std::size_t missing = 0;
    for (const std::size_t stream : {0U, 1U}) {
      require(expected[stream].starts_with(whole.text[stream]), "the payload, and nothing else");
      missing += expected[stream].size() - whole.text[stream].size();
    }
    // What may still become a stamp, of the entry that is not complete.
    require(missing <= longest_stamp, "all of the payload");
    for (const auto step : sx::fuzz::steps_for(input))
      require(entries(input, step, tty) == whole, "the same entries, however they come");
  }
}
