#include "relay/log_relay.hpp"

namespace sidecar_executor::relay {
namespace {

RecordFields as_json(RecordFields fields) {
  fields.format = SyslogFormat::json;
  return fields;
}

/// Written at once: a quarter of what may wait for a slow reader of stdout.
constexpr std::size_t enough_copied = 64 * 1024;

}  // namespace

LogRelay::LogRelay(Sink& sink, const RecordFields& fields, OutputBuffer* copy)
    : sink_(sink),
      copy_(copy),
      record_(fields),
      copy_record_(as_json(fields)),
      batch_(sink.framing()) {}

void LogRelay::say(std::string_view stamp, std::string_view text) {
  take({Stream::out, stamp, text, false});
}

void LogRelay::add(Stream stream, std::string_view stamp, std::string_view text) {
  lines_.add(stream, stamp, text);
}

bool LogRelay::next_line() {
  Line line;
  if (!lines_.next(line) && !(ended_ && lines_.finish(line))) return false;
  ++counters_.lines;
  counters_.bytes += line.text.size();
  if (line.cut) ++counters_.cut;
  take(line);
  return true;
}

void LogRelay::take(const Line& line) {
  if (record_.begin(line) > 1) ++counters_.parted;
  taken_ = true;
  if (copy_ == nullptr) return;
  copy_record_.begin(line);
  while (copy_record_.append(copy_text_)) {
    if (copy_text_.size() >= enough_copied) write_copy();
  }
}

void LogRelay::write_copy() {
  if (copy_ != nullptr && !copy_text_.empty()) copy_->write(copy_text_);
  copy_text_.clear();
}

void LogRelay::end_copy() {
  copy_ = nullptr;
  copy_text_.clear();
}

bool LogRelay::fill() {
  for (;;) {
    if (batch_.full()) return true;
    if (taken_ && batch_.append(record_)) continue;
    taken_ = false;
    if (!next_line()) return false;
  }
}

asio::awaitable<void> LogRelay::flush(net::Cancellation& cancellation) {
  // First: a collector that is away can hold up the send for ever.
  write_copy();
  if (!batch_.empty()) co_await sink_.send(batch_, cancellation);
  batch_.clear();
}

}  // namespace sidecar_executor::relay
