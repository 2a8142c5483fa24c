#pragma once
// Pure: Docker's log stream with time stamps → entries. An entry is one line, or 16 KiB of a longer
// one, and has its own stamp: `2026-01-02T15:04:05.123456789Z text`. In a container with a TTY the
// entries stand behind one another without frames.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "docker/frames.hpp"

namespace sidecar_executor::docker {

/// Some of an entry's text: all of it, unless the entry came in pieces. Views are valid until the
/// next call.
struct LogPiece {
  LogStream stream = LogStream::out;
  std::string_view stamp;  ///< empty: the entry has none
  std::string_view text;   ///< with \n where the line ends; may be empty
  bool begins = false;
  bool ends = false;
};

class LogEntries {
 public:
  explicit LogEntries(bool tty) : tty_(tty) {}

  /// What came; next() takes it apart. Not before next() has said false.
  void feed(std::string_view bytes) { bytes_ = bytes; }
  /// False: more bytes are needed. Error: parse_frame_header()'s.
  Result<bool> next(LogPiece& piece);
  /// An entry has begun and not ended.
  [[nodiscard]] bool inside() const { return begun_; }
  /// Of the last entry.
  [[nodiscard]] std::string_view stamp() const { return {stamp_.data(), stamp_size_}; }

 private:
  enum class At : std::uint8_t { header, stamp, text };
  Result<bool> take_header();
  bool take_stamp(LogPiece& piece);
  bool take_text(LogPiece& piece);
  [[nodiscard]] std::string_view available() const;
  void consume(std::size_t size);
  LogPiece piece(std::string_view text, bool ends);

  bool tty_;
  std::string_view bytes_;
  At at_ = At::header;
  std::array<unsigned char, frame_header_size> header_{};
  std::size_t have_ = 0;  // of the header, or of what may be a stamp
  FrameHeader frame_;
  std::size_t left_ = 0;  // of the frame; with a TTY, of the 16 KiB
  std::array<char, 40> stamp_{};
  std::size_t stamp_size_ = 0;
  bool begun_ = false;
};

}  // namespace sidecar_executor::docker
