#include "wire_json.hpp"

#include <cerrno>
#include <cinttypes>
#include <cstdlib>

namespace mini_agent {
namespace {

namespace json = boost::json;

constexpr int kEnd = -1;
// Deeper nesting is refused by the agent too; here it keeps the recursion small.
constexpr int kMaxDepth = 200;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  ParsedJson run() {
    ParsedJson result;
    if (!value(result.value, 0)) {
      result.error = "syntax error at line " + std::to_string(line_) + " near: " + rest_of_line();
      return result;
    }
    const std::size_t used = position_ - (unread_ ? 1 : 0);
    const std::size_t last = text_.find_last_not_of(" \t\n\r\v\f");
    if (last != std::string_view::npos && used <= last) {
      result.error = "Parsed JSON included non-whitespace trailing characters: " +
                     std::string(text_.substr(used, last + 1 - used));
    }
    return result;
  }

 private:
  int take() {
    if (unread_) {
      unread_ = false;
      return last_;
    }
    if (position_ == text_.size()) return last_ = kEnd;
    if (last_ == '\n') ++line_;
    last_ = static_cast<unsigned char>(text_[position_++]);
    return last_;
  }

  void put_back() { unread_ = last_ != kEnd; }

  void skip_blanks() {
    int c = take();
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') c = take();
    put_back();
  }

  bool expect(char wanted) {
    skip_blanks();
    if (take() == wanted) return true;
    put_back();
    return false;
  }

  bool word(std::string_view rest) {
    for (const char c : rest) {
      if (take() != c) {
        put_back();
        return false;
      }
    }
    return true;
  }

  bool value(json::value& out, int depth) {
    if (depth > kMaxDepth) return false;
    skip_blanks();
    const int c = take();
    switch (c) {
      case 'n':
        out = nullptr;
        return word("ull");
      case 't':
        out = true;
        return word("rue");
      case 'f':
        out = false;
        return word("alse");
      case '"':
        return string(out.emplace_string());
      case '[':
        return array(out.emplace_array(), depth);
      case '{':
        return object(out.emplace_object(), depth);
      default:
        put_back();
        return (c == '-' || (c >= '0' && c <= '9')) && number(out);
    }
  }

  bool array(json::array& out, int depth) {
    if (expect(']')) return true;
    do {
      if (!value(out.emplace_back(nullptr), depth + 1)) return false;
    } while (expect(','));
    return expect(']');
  }

  bool object(json::object& out, int depth) {
    if (expect('}')) return true;
    do {
      json::string key;
      if (!expect('"') || !string(key) || !expect(':')) return false;
      if (!value(out[key], depth + 1)) return false;
    } while (expect(','));
    return expect('}');
  }

  bool number(json::value& out) {
    std::string digits;
    for (int c = take(); c != kEnd; c = take()) {
      if ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E') {
        digits.push_back(static_cast<char>(c));
      } else {
        put_back();
        break;
      }
    }
    char* end = nullptr;
    errno = 0;
    const std::intmax_t whole = std::strtoimax(digits.c_str(), &end, 10);
    if (errno == 0 && *end == '\0') {
      out = static_cast<std::int64_t>(whole);
      return true;
    }
    out = std::strtod(digits.c_str(), &end);
    return *end == '\0';
  }

  bool string(json::string& out) {
    for (;;) {
      const int c = take();
      if (c < ' ') {
        put_back();
        return false;
      }
      if (c == '"') return true;
      if (c != '\\') {
        out.push_back(static_cast<char>(c));
      } else if (!escape(out)) {
        return false;
      }
    }
  }

  bool escape(json::string& out) {
    switch (const int c = take()) {
      case '"':
      case '\\':
      case '/':
        out.push_back(static_cast<char>(c));
        return true;
      case 'b':
        out.push_back('\b');
        return true;
      case 'f':
        out.push_back('\f');
        return true;
      case 'n':
        out.push_back('\n');
        return true;
      case 'r':
        out.push_back('\r');
        return true;
      case 't':
        out.push_back('\t');
        return true;
      case 'u':
        return code_point(out);
      default:
        return false;
    }
  }

  int four_hex_digits() {
    int result = 0;
    for (int i = 0; i < 4; ++i) {
      const int c = take();
      if (c >= '0' && c <= '9') {
        result = result * 16 + (c - '0');
      } else if (c >= 'a' && c <= 'f') {
        result = result * 16 + (c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        result = result * 16 + (c - 'A' + 10);
      } else {
        put_back();
        return kEnd;
      }
    }
    return result;
  }

  bool code_point(json::string& out) {
    int point = four_hex_digits();
    if (point == kEnd) return false;
    if (point >= 0xd800 && point <= 0xdfff) {
      if (point >= 0xdc00) return false;
      if (take() != '\\' || take() != 'u') {
        put_back();
        return false;
      }
      const int second = four_hex_digits();
      if (second < 0xdc00 || second > 0xdfff) return false;
      point = 0x10000 + ((point - 0xd800) << 10) + (second - 0xdc00);
    }
    append_utf8(out, static_cast<unsigned>(point));
    return true;
  }

  static void append_utf8(json::string& out, unsigned point) {
    const auto put = [&out](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | (point >> 6));
      put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
      put(0xe0 | (point >> 12));
      put(0x80 | ((point >> 6) & 0x3f));
      put(0x80 | (point & 0x3f));
    } else {
      put(0xf0 | (point >> 18));
      put(0x80 | ((point >> 12) & 0x3f));
      put(0x80 | ((point >> 6) & 0x3f));
      put(0x80 | (point & 0x3f));
    }
  }

  std::string rest_of_line() {
    std::string rest;
    for (int c = take(); c != kEnd && c != '\n'; c = take()) {
      if (c >= ' ') rest.push_back(static_cast<char>(c));
    }
    return rest;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  int last_ = kEnd;
  int line_ = 1;
  bool unread_ = false;
};

}  // namespace

ParsedJson parse_as_agent(std::string_view text) { return Parser(text).run(); }

}  // namespace mini_agent
