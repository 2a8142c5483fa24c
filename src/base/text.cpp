#include "base/text.hpp"

#include <algorithm>
#include <cstdint>

namespace sidecar_executor {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

/// Reads one shell word; `at` is at its first character. False: a quote or a backslash is open.
bool take_shell_word(std::string_view text, std::size_t& at, std::string& word) {
  while (at < text.size() && !is_blank(text[at])) {
    const char c = text[at++];
    if (c == '\'') {
      const std::size_t end = text.find('\'', at);
      if (end == std::string_view::npos) return false;
      word += text.substr(at, end - at);
      at = end + 1;
    } else if (c == '"') {
      for (; at < text.size() && text[at] != '"'; ++at) {
        // Between double quotes a backslash only stands before what would be special there.
        constexpr std::string_view special = "$`\"\\\n";
        if (text[at] == '\\' && at + 1 < text.size() &&
            special.find(text[at + 1]) != std::string_view::npos) {
          ++at;
          if (text[at] == '\n') continue;
        }
        word += text[at];
      }
      if (at == text.size()) return false;
      ++at;
    } else if (c == '\\') {
      if (at == text.size()) return false;
      if (text[at] != '\n') word += text[at];
      ++at;
    } else {
      word += c;
    }
  }
  return true;
}

}  // namespace

/// Overlong forms, surrogates and everything above U+10FFFF are invalid (Unicode table 3-7).
std::size_t utf8_character_size(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  std::size_t size = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
  }
  if (size == 0 || text.size() < size || at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  return size;
}

std::string to_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t size = utf8_character_size(bytes);
    out += size > 0 ? bytes.substr(0, size) : replacement;
    bytes.remove_prefix(size > 0 ? size : 1);
  }
  return out;
}

std::string clip_utf8(std::string_view bytes, std::size_t limit) {
  // Cleaning never shortens, so what lies far behind the limit need not be looked at. Four bytes
  // more: the cut may break a character, which must not show.
  const bool too_long = bytes.size() > limit;
  std::string text = to_utf8(too_long ? bytes.substr(0, limit + 4) : bytes);
  if (!too_long && text.size() <= limit) return text;
  constexpr std::string_view dots = "...";
  std::size_t end = limit > dots.size() ? limit - dots.size() : limit;
  while (end > 0 && is_continuation(text[end])) --end;
  text.resize(end);
  if (limit > dots.size()) text += dots;
  return text;
}

std::string one_line(std::string_view bytes, std::size_t limit) {
  std::string text = clip_utf8(bytes, limit);
  for (char& c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7F) c = ' ';
  }
  return text;
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool all_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_word(std::string_view text, std::string_view marks) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [marks](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != std::string_view::npos;
  });
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  if (text.empty()) return out;
  for (;;) {
    const std::size_t end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::vector<std::string>> split_shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  for (;;) {
    while (at < text.size() && is_blank(text[at])) ++at;
    if (at == text.size()) return words;
    std::string word;
    if (!take_shell_word(text, at, word)) return std::nullopt;
    words.push_back(std::move(word));
  }
}

std::vector<std::string> split_blanks(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && !is_blank(text[end])) ++end;
    if (end > at) words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

}  // namespace sidecar_executor
