#include "relay/escape.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.hpp"

namespace sidecar_executor::relay {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::size_t step = 16;

/// What stands for one character: the character itself or its escape.
struct Piece {
  std::size_t taken = 1;
  std::size_t size = 0;
  std::array<char, most_growth> text{};
};

bool is_plain_json(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

Piece as_is(std::string_view text, std::size_t taken) {
  Piece piece{taken, taken, {}};
  std::memcpy(piece.text.data(), text.data(), taken);
  return piece;
}

Piece escape(std::string_view with, std::size_t taken) {
  Piece piece{taken, with.size(), {}};
  std::memcpy(piece.text.data(), with.data(), with.size());
  return piece;
}

Piece json_ascii(unsigned char c) {
  switch (c) {
    case '"':
      return escape("\\\"", 1);
    case '\\':
      return escape("\\\\", 1);
    case '\n':
      return escape("\\n", 1);
    case '\r':
      return escape("\\r", 1);
    case '\t':
      return escape("\\t", 1);
    default:
      break;
  }
  constexpr std::string_view hex = "0123456789abcdef";
  const char code[] = {'\\', 'u', '0', '0', hex[c >> 4U], hex[c & 15U]};
  return escape({code, sizeof code}, 1);
}

struct Json {
  static bool plain(unsigned char c) { return is_plain_json(c); }
  static Piece piece(std::string_view text) {
    const auto c = static_cast<unsigned char>(text.front());
    if (plain(c)) return as_is(text, 1);
    if (c < 0x80) return json_ascii(c);
    const auto size = utf8_character_size(text);
    if (size == 0) return escape("\\ufffd", 1);
    if (text.starts_with("\xE2\x80\xA8")) return escape("\\u2028", 3);
    if (text.starts_with("\xE2\x80\xA9")) return escape("\\u2029", 3);
    return as_is(text, size);
  }
};

struct Utf8 {
  static bool plain(unsigned char c) { return c < 0x80; }
  static Piece piece(std::string_view text) {
    const auto size = utf8_character_size(text);
    return size == 0 ? escape(replacement, 1) : as_is(text, size);
  }
};

/// Bytes at the beginning that need no change. 16 at a time: the compiler makes one comparison of
/// them, and log lines are long runs of such bytes.
template <class Form>
std::size_t plain_run(std::string_view text) {
  std::size_t at = 0;
  while (text.size() - at >= step) {
    bool all = true;
    for (std::size_t i = 0; i < step; ++i) {
      all &= Form::plain(static_cast<unsigned char>(text[at + i]));
    }
    if (!all) break;
    at += step;
  }
  while (at < text.size() && Form::plain(static_cast<unsigned char>(text[at]))) ++at;
  return at;
}

template <class Form>
void append(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t run = plain_run<Form>(text);
    out.append(text, 0, run);
    text.remove_prefix(run);
    if (text.empty()) return;
    const Piece piece = Form::piece(text);
    out.append(piece.text.data(), piece.size);
    text.remove_prefix(piece.taken);
  }
}

template <class Form>
Fit fit(std::string_view text, std::size_t room) {
  Fit done;
  while (!text.empty()) {
    const std::size_t run = std::min(plain_run<Form>(text), room - done.size);
    done.taken += run;
    done.size += run;
    text.remove_prefix(run);
    if (text.empty() || done.size == room) break;
    const Piece piece = Form::piece(text);
    if (done.size + piece.size > room) break;
    done.taken += piece.taken;
    done.size += piece.size;
    text.remove_prefix(piece.taken);
  }
  return done;
}

}  // namespace

void append_json(std::string& out, std::string_view text) { append<Json>(out, text); }
Fit fit_json(std::string_view text, std::size_t room) { return fit<Json>(text, room); }
void append_utf8(std::string& out, std::string_view text) { append<Utf8>(out, text); }
Fit fit_utf8(std::string_view text, std::size_t room) { return fit<Utf8>(text, room); }

}  // namespace sidecar_executor::relay
