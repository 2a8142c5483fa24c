#include "sidecar/state_scanner.hpp"

#include <charconv>
#include <cmath>
#include <cstring>

#include "sidecar/skip_block.hpp"

namespace sidecar_executor::sidecar {
namespace {

constexpr int depth_limit = 64;  // of the whole document
/// Host names have at most 253 bytes; a longer key is not ours, a longer number no status.
constexpr std::size_t token_limit = 1024;
constexpr std::uint32_t replacement_character = 0xFFFD;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

StateScanner::StateScanner(std::string host, std::string service_id)
    : host_(std::move(host)), service_id_(std::move(service_id)) {}

std::string_view StateScanner::wanted_key() const {
  switch (level_) {
    case 0:
      return "Servers";
    case 1:
      return host_;
    case 2:
      return "Services";
    case 3:
      return service_id_;
    default:
      return "Status";
  }
}

StateScanner::Progress StateScanner::feed(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end && progress_ == Progress::reading) step(at, end);
  return progress_;
}

StateScanner::Progress StateScanner::finish() {
  if (progress_ == Progress::reading) progress_ = Progress::unparsable;
  return progress_;
}

void StateScanner::step(const char*& at, const char* end) {
  switch (inside_) {
    case Inside::nothing:
      return between_tokens(*at++);
    case Inside::key:
      return read_key(at, end);
    case Inside::string:
      return read_string(at, end);
    case Inside::scalar:
      return read_scalar(at, end);
    case Inside::skipped:
      return skip(at, end);
  }
}

void StateScanner::between_tokens(char c) {
  if (is_blank(c)) return;
  switch (expect_) {
    case Expect::value:
      return begin_value(c);
    case Expect::key_or_end:
      if (c == '}') return end_of_object();
      [[fallthrough]];
    case Expect::key:
      if (c != '"') break;
      token_.clear();
      inside_ = Inside::key;
      return;
    case Expect::colon:
      if (c != ':') break;
      expect_ = Expect::value;
      return;
    case Expect::comma_or_end:
      if (c == '}') return end_of_object();
      if (c != ',') break;
      expect_ = Expect::key;
      return;
  }
  progress_ = Progress::unparsable;
}

void StateScanner::begin_value(char c) {
  expect_ = Expect::comma_or_end;
  const bool into = level_ < 0 || (wanted_ && level_ < 4);
  if (c == '{' && into) {
    ++level_;
    expect_ = Expect::key_or_end;
  } else if (level_ < 0) {
    progress_ = Progress::unparsable;  // a state document is an object
  } else if (c == '{' || c == '[') {
    depth_ = 1;
    in_string_ = false;
    escaped_ = false;
    inside_ = Inside::skipped;
  } else if (c == '"') {
    escaped_ = false;
    inside_ = Inside::string;
  } else if (c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n') {
    token_.assign(1, c);
    inside_ = Inside::scalar;
  } else {
    progress_ = Progress::unparsable;
  }
}

void StateScanner::end_of_object() {
  switch (level_) {
    case 0:
      progress_ = Progress::host_missing;
      return;
    // The first match counts: another entry of this host further on is not looked for.
    case 2:
    case 3:
      progress_ = Progress::service_missing;
      return;
    case 4:
      progress_ = Progress::unparsable;
      return;  // an entry without Status
    default:
      break;
  }
  --level_;
  expect_ = Expect::comma_or_end;
}

// ---- keys --------------------------------------------------------------------------------------

void StateScanner::read_key(const char*& at, const char* end) {
  while (at != end) {
    const char c = *at++;
    if (hex_left_ > 0) {
      const int digit = hex_value(c);
      if (digit < 0) {
        progress_ = Progress::unparsable;
        return;
      }
      unit_ = unit_ * 16 + static_cast<std::uint32_t>(digit);
      if (--hex_left_ == 0) add_code_unit(unit_);
    } else if (escaped_) {
      escaped_ = false;
      add_escape(c);
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      return finish_key();
    } else {
      add_key_byte(c);
    }
  }
}

void StateScanner::add_key_byte(char c) {
  end_lone_surrogate();
  add_to_token(c);
}

/// One byte more than the limit is kept, which shows that the token was too long.
void StateScanner::add_to_token(char c) {
  if (token_.size() <= token_limit) token_ += c;
}

/// Half a pair stands for something: were it dropped, "ho\ud800st" would be "host".
void StateScanner::end_lone_surrogate() {
  if (high_surrogate_ == 0) return;
  high_surrogate_ = 0;
  add_utf8(replacement_character);
}

void StateScanner::add_escape(char c) {
  constexpr std::string_view from = "\"\\/bfnrt";
  constexpr std::string_view to = "\"\\/\b\f\n\r\t";
  if (c == 'u') {
    hex_left_ = 4;
    unit_ = 0;
    return;
  }
  const auto which = from.find(c);
  if (which == std::string_view::npos) {
    progress_ = Progress::unparsable;
    return;
  }
  add_key_byte(to[which]);
}

void StateScanner::add_code_unit(std::uint32_t unit) {
  if (high_surrogate_ != 0 && unit >= 0xDC00 && unit <= 0xDFFF) {
    const std::uint32_t high = high_surrogate_;
    high_surrogate_ = 0;
    return add_utf8(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
  }
  end_lone_surrogate();
  if (unit >= 0xD800 && unit <= 0xDBFF) {
    high_surrogate_ = unit;  // nothing is added until its other half comes
    return;
  }
  add_utf8(unit >= 0xDC00 && unit <= 0xDFFF ? replacement_character : unit);
}

void StateScanner::add_utf8(std::uint32_t code_point) {
  const auto byte = [this](std::uint32_t value) { add_to_token(static_cast<char>(value)); };
  if (code_point < 0x80) return byte(code_point);
  if (code_point < 0x800) {
    byte(0xC0 | (code_point >> 6));
  } else if (code_point < 0x10000) {
    byte(0xE0 | (code_point >> 12));
    byte(0x80 | ((code_point >> 6) & 0x3F));
  } else {
    byte(0xF0 | (code_point >> 18));
    byte(0x80 | ((code_point >> 12) & 0x3F));
    byte(0x80 | ((code_point >> 6) & 0x3F));
  }
  byte(0x80 | (code_point & 0x3F));
}

void StateScanner::finish_key() {
  end_lone_surrogate();
  wanted_ = token_.size() <= token_limit && token_ == wanted_key();
  inside_ = Inside::nothing;
  expect_ = Expect::colon;
}

// ---- values ------------------------------------------------------------------------------------

void StateScanner::read_string(const char*& at, const char* end) {
  while (at != end) {
    const char c = *at++;
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      inside_ = Inside::nothing;
      if (wanted_ && level_ == 4) progress_ = Progress::unparsable;  // Status is a number
      return;
    }
  }
}

void StateScanner::read_scalar(const char*& at, const char* end) {
  while (at != end) {
    const char c = *at;
    if (c == ',' || c == '}' || c == ']' || is_blank(c)) {
      inside_ = Inside::nothing;
      return finish_scalar();
    }
    ++at;
    add_to_token(c);
  }
}

void StateScanner::finish_scalar() {
  if (!wanted_ || level_ != 4) return;
  double value = 0;
  const auto [end, ec] = std::from_chars(token_.data(), token_.data() + token_.size(), value);
  const bool good = token_.size() <= token_limit && ec == std::errc{} &&
                    end == token_.data() + token_.size() && value == std::floor(value) &&
                    std::fabs(value) < 1e9;
  progress_ = good ? Progress::found : Progress::unparsable;
  if (good) status_ = static_cast<std::int64_t>(value);
}

int StateScanner::skip_limit() const { return depth_limit - (level_ + 1); }

void StateScanner::skip(const char*& at, const char* end) {
  while (at != end) {
    // Whole blocks in which the skipped value cannot end; needs to know what the first byte is.
    if (!escaped_ && static_cast<std::size_t>(end - at) >= skip_block_size) {
      if (skip_block(at, in_string_, depth_, skip_limit())) {
        at += skip_block_size;
        continue;
      }
      // The end may be in this block: byte by byte through it.
      const char* const block_end = at + skip_block_size;
      while (at != block_end && inside_ == Inside::skipped && progress_ == Progress::reading) {
        skip_byte(*at++);
      }
    } else {
      skip_byte(*at++);
    }
    if (inside_ != Inside::skipped || progress_ != Progress::reading) return;
  }
}

void StateScanner::skip_byte(char c) {
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return;
  }
  switch (c) {
    case '"':
      in_string_ = true;
      return;
    case '{':
    case '[':
      if (++depth_ > skip_limit()) progress_ = Progress::unparsable;
      return;
    case '}':
    case ']':
      if (--depth_ == 0) inside_ = Inside::nothing;
      return;
    default:
      return;
  }
}

}  // namespace sidecar_executor::sidecar
