#include "docker/log_entries.hpp"

#include <algorithm>
#include <utility>

#include "base/stamp.hpp"

namespace sidecar_executor::docker {
namespace {

/// moby daemon/logger/copier.go: what has no \n by then is an entry of its own.
constexpr std::size_t piece_size = 16 * 1024;
constexpr std::size_t usual_stamp = 30;  // 2026-01-02T15:04:05.123456789Z

}  // namespace

Result<bool> LogEntries::next(LogPiece& piece) {
  while (!bytes_.empty()) {
    if (at_ == At::header) {
      auto taken = take_header();
      if (!taken || !*taken) return taken;
    }
    if (at_ == At::stamp && take_stamp(piece)) return true;
    if (at_ == At::text && take_text(piece)) return true;
  }
  return false;
}

/// False: not there yet.
Result<bool> LogEntries::take_header() {
  if (tty_) {
    left_ = piece_size;
  } else {
    const auto size = std::min(frame_header_size - have_, bytes_.size());
    std::copy_n(bytes_.begin(), size, header_.begin() + static_cast<std::ptrdiff_t>(have_));
    bytes_.remove_prefix(size);
    have_ += size;
    if (have_ < frame_header_size) return false;
    have_ = 0;
    const auto header = parse_frame_header(header_.data());
    if (!header) return header.error();
    frame_ = *header;
    left_ = frame_.size;
    if (left_ == 0) return true;  // nothing in it: the next header
  }
  at_ = At::stamp;
  stamp_size_ = 0;
  begun_ = false;
  return true;
}

std::string_view LogEntries::available() const {
  // Before its text an entry of a TTY has no limit.
  return tty_ && at_ == At::stamp ? bytes_ : bytes_.substr(0, std::min(left_, bytes_.size()));
}

void LogEntries::consume(std::size_t size) {
  bytes_.remove_prefix(size);
  if (!tty_ || at_ == At::text) left_ -= size;
}

/// True: there is no stamp, and `piece` is what was taken for the beginning of one.
bool LogEntries::take_stamp(LogPiece& piece) {
  const auto there = available();
  // As Docker writes it, and all there: nearly always.
  if (have_ == 0 && there.size() > usual_stamp + 1 && there[usual_stamp] == ' ' &&
      is_stamp(there.substr(0, usual_stamp))) {
    std::copy_n(there.begin(), usual_stamp, stamp_.begin());
    stamp_size_ = usual_stamp;
    consume(usual_stamp + 1);
    at_ = At::text;
    return false;
  }
  const auto look = there.substr(0, stamp_.size() - have_);
  const auto blank = look.find_first_of(" \n");
  const auto size = blank == std::string_view::npos ? look.size() : blank;
  std::copy_n(look.begin(), size, stamp_.begin() + static_cast<std::ptrdiff_t>(have_));
  have_ += size;
  const bool found =
      blank != std::string_view::npos && look[blank] == ' ' && is_stamp({stamp_.data(), have_});
  consume(size + (found ? 1 : 0));
  if (found) {
    stamp_size_ = std::exchange(have_, 0);
    at_ = At::text;
    if (tty_ || left_ > 0) return false;
    piece = this->piece({}, true);
    return true;
  }
  const bool undecided = blank == std::string_view::npos && have_ < stamp_.size();
  const bool over = !tty_ && left_ == 0;
  if (undecided && !over) return false;
  at_ = At::text;
  const std::string_view text(stamp_.data(), std::exchange(have_, 0));
  if (tty_) left_ -= text.size();
  if (text.empty()) return false;
  piece = this->piece(text, over);
  return true;
}

bool LogEntries::take_text(LogPiece& piece) {
  auto text = available();
  if (text.empty()) return false;
  bool ends = text.size() == left_;
  if (tty_) {
    const auto end = text.find('\n');
    if (end != std::string_view::npos) {
      text = text.substr(0, end + 1);
      ends = true;
    }
  }
  consume(text.size());
  piece = this->piece(text, ends);
  return true;
}

LogPiece LogEntries::piece(std::string_view text, bool ends) {
  const LogPiece out{tty_ ? LogStream::out : frame_.stream,
                     {stamp_.data(), stamp_size_},
                     text,
                     !std::exchange(begun_, true),
                     ends};
  if (ends) {
    begun_ = false;
    at_ = At::header;
  }
  return out;
}

}  // namespace sidecar_executor::docker
