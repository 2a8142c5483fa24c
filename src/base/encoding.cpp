#include "base/encoding.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>

namespace sidecar_executor {
namespace {

/// OpenSSL counts in int: long input goes in pieces, each a multiple of both 3 and 4.
constexpr std::size_t piece = std::size_t{12} << 20;

const unsigned char* as_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* as_bytes(char* data) { return reinterpret_cast<unsigned char*>(data); }

bool is_alphabet(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Without blanks and padding; nullopt when something else is in it.
std::optional<std::string> digits_of(std::string_view text) {
  std::string digits;
  digits.reserve(text.size() + 3);
  std::size_t padding = 0;
  for (const char c : text) {
    if (is_space(c)) continue;
    if (c == '=') {
      ++padding;
    } else if (padding > 0 || !is_alphabet(c)) {
      return std::nullopt;
    } else {
      digits += c;
    }
  }
  if (digits.size() % 4 == 1) return std::nullopt;
  if (padding > 0 && (padding > 2 || (digits.size() + padding) % 4 != 0)) return std::nullopt;
  return digits;
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL writes a NUL behind it
  std::size_t written = 0;
  while (!bytes.empty()) {
    const std::size_t size = std::min(piece, bytes.size());
    written += static_cast<std::size_t>(
        EVP_EncodeBlock(as_bytes(out.data() + written), as_bytes(bytes), static_cast<int>(size)));
    bytes.remove_prefix(size);
  }
  out.resize(written);
  return out;
}

std::string base64url_encode(std::string_view bytes) {
  std::string out = base64_encode(bytes);
  std::replace(out.begin(), out.end(), '+', '-');
  std::replace(out.begin(), out.end(), '/', '_');
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  auto digits = digits_of(text);
  if (!digits) return std::nullopt;
  const std::size_t padding = (4 - digits->size() % 4) % 4;
  digits->append(padding, '=');
  std::string out(digits->size() / 4 * 3, '\0');
  std::size_t written = 0;
  for (std::size_t at = 0; at < digits->size(); at += piece) {
    const std::size_t size = std::min(piece, digits->size() - at);
    const int got = EVP_DecodeBlock(as_bytes(out.data() + written), as_bytes(digits->data() + at),
                                    static_cast<int>(size));
    if (got < 0) return std::nullopt;
    written += static_cast<std::size_t>(got);
  }
  out.resize(written - padding);  // OpenSSL counts padding as zero bytes
  return out;
}

std::string percent_encode(std::string_view text, std::string_view kept) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::string basic_authorization(std::string user_info) {
  if (user_info.find(':') == std::string::npos) user_info += ':';
  return "Basic " + base64_encode(user_info);
}

std::optional<char> percent_escape(std::string_view text, std::size_t at) {
  constexpr std::size_t size = 3;  // %41
  if (at + size > text.size() || text[at] != '%') return std::nullopt;
  unsigned byte = 0;
  const auto* const end = text.data() + at + size;
  const auto [read, error] = std::from_chars(text.data() + at + 1, end, byte, 16);
  if (error != std::errc{} || read != end) return std::nullopt;
  return static_cast<char>(byte);
}

}  // namespace sidecar_executor
