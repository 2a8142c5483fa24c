#include "relay/lines.hpp"

#include <algorithm>

namespace sidecar_executor::relay {
namespace {

/// What a line may leave behind as memory for the next one.
constexpr std::size_t kept_capacity = 64 * 1024;

std::string_view without_cr(std::string_view text) {
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

void Lines::add(Stream stream, std::string_view stamp, std::string_view text) {
  release();
  stream_ = stream;
  stamp_ = stamp;
  input_ = text;
}

bool Lines::next(Line& line) {
  release();
  if (input_.empty()) return false;
  Held& held = of(stream_);
  const auto end = input_.find('\n');
  if (end == std::string_view::npos) {
    Held& longer = held_[held_[0].text.size() >= held_[1].text.size() ? 0 : 1];
    const auto together = held_[0].text.size() + held_[1].text.size() + input_.size();
    if (together > limit_ && !longer.text.empty()) {
      line = give(&longer == held_.data() ? Stream::out : Stream::err, true);
      return true;
    }
    hold(held, input_);
    input_ = {};
    return false;
  }
  const std::string_view text = input_.substr(0, end);
  input_.remove_prefix(end + 1);
  if (held.begun) {
    hold(held, text);
    line = give(stream_, false);
    line.text = without_cr(line.text);
  } else {
    line = {stream_, stamp_, without_cr(text), false};
    held.entry_at = 0;
  }
  return true;
}

bool Lines::finish(Line& line) {
  release();
  input_ = {};
  for (const Stream stream : {Stream::out, Stream::err}) {
    if (!of(stream).begun) continue;
    line = give(stream, false);
    line.text = without_cr(line.text);
    return true;
  }
  return false;
}

void Lines::begin_entry(Stream stream) {
  release();
  stream_ = stream;
  of(stream).entry_at = of(stream).text.size();
}

void Lines::undo_entry() {
  release();
  input_ = {};
  Held& held = of(stream_);
  held.text.resize(std::min(held.text.size(), held.entry_at));
  held.begun = !held.text.empty();
}

Line Lines::give(Stream stream, bool cut) {
  Held& held = of(stream);
  given_ = &held;
  return {stream, {held.stamp.data(), held.stamp_size}, held.text, cut};
}

void Lines::hold(Held& held, std::string_view text) {
  if (!held.begun) {
    held.begun = true;
    held.stamp_size = std::min(stamp_.size(), held.stamp.size());
    std::copy_n(stamp_.begin(), held.stamp_size, held.stamp.begin());
  }
  held.text += text;
}

void Lines::release() {
  if (given_ == nullptr) return;
  if (given_->text.capacity() > kept_capacity) {
    given_->text = std::string();
  } else {
    given_->text.clear();
  }
  given_->begun = false;
  given_->entry_at = 0;
  given_ = nullptr;
}

}  // namespace sidecar_executor::relay
