#pragma once
// Pure: the bytes of a container's two streams, as they come, → lines. Split at \n, one \r before
// it dropped. A line that is there in one piece is not copied.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace sidecar_executor::relay {

enum class Stream : std::uint8_t { out, err };

/// Valid until the next call.
struct Line {
  Stream stream = Stream::out;
  std::string_view stamp;  ///< RFC 3339, of its first piece; empty = unknown
  std::string_view text;
  bool cut = false;  ///< more of the line follows as another one: it is longer than the limit
};

class Lines {
 public:
  /// Bytes that unfinished lines of both streams may have together.
  static constexpr std::size_t default_limit = 1024 * 1024;
  explicit Lines(std::size_t limit = default_limit) : limit_(limit) {}

  /// More of a stream; next() takes it apart. `stamp` has at most 40 bytes, more are cut off.
  void add(Stream stream, std::string_view stamp, std::string_view text);
  /// False: everything that was added has been used.
  bool next(Line& line);
  /// At the end of the log: a last line without \n. False when there is none (any more).
  bool finish(Line& line);

  /// The entry that begins now may be broken off: undo_entry() takes its bytes back, as far as they
  /// are not part of a line that was given out.
  void begin_entry(Stream stream);
  void undo_entry();

 private:
  struct Held {
    std::string text;
    std::array<char, 40> stamp{};
    std::size_t stamp_size = 0;
    bool begun = false;        // an empty piece begins a line, too
    std::size_t entry_at = 0;  // size of text when the entry began
  };
  Held& of(Stream stream) { return held_[static_cast<std::size_t>(stream)]; }
  Line give(Stream stream, bool cut);
  void hold(Held& held, std::string_view text);
  void release();

  std::size_t limit_;
  std::array<Held, 2> held_;
  Held* given_ = nullptr;  // its text is in the caller's hands
  Stream stream_ = Stream::out;
  std::string_view stamp_;
  std::string_view input_;
};

}  // namespace sidecar_executor::relay
