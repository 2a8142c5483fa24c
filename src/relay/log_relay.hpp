#pragma once
// Lines of a container → records → a collector, and on request a copy to the executor's stdout.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "relay/batch.hpp"
#include "relay/lines.hpp"
#include "relay/record.hpp"
#include "relay/sink.hpp"

namespace sidecar_executor::relay {

/// add() some text, then fill() and flush() until fill() says false. Memory is bounded by that.
class LogRelay {
 public:
  struct Counters {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;   ///< of lines, without their ends
    std::uint64_t cut = 0;     ///< lines that were longer than 1 MiB
    std::uint64_t parted = 0;  ///< lines that needed more than one record
  };

  /// `copy` gets the JSON of each line too; may be null.
  LogRelay(Sink& sink, const RecordFields& fields, OutputBuffer* copy);

  /// A line of our own; the views have to live until fill() has said false.
  void say(std::string_view stamp, std::string_view text);
  void begin_entry(Stream stream) { lines_.begin_entry(stream); }
  void undo_entry() { lines_.undo_entry(); }
  /// The views have to live until fill() has said false.
  void add(Stream stream, std::string_view stamp, std::string_view text);
  /// No more comes: what has no newline is a line, too. Then fill().
  void end() { ended_ = true; }

  /// Makes records of what was added. True: flush() before the next call.
  bool fill();
  /// The copy is written before the collector is waited for.
  asio::awaitable<void> flush(net::Cancellation& cancellation);
  /// From now on nothing is written to the copy.
  void end_copy();

  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] bool labels_left_out() const { return record_.labels_left_out(); }

 private:
  bool next_line();
  void take(const Line& line);
  void write_copy();

  Sink& sink_;
  OutputBuffer* copy_;
  Lines lines_;
  Record record_;
  Record copy_record_;
  Batch batch_;
  std::string copy_text_;
  Counters counters_;
  bool taken_ = false;  // the line has records that are not in the batch yet
  bool ended_ = false;
};

}  // namespace sidecar_executor::relay
