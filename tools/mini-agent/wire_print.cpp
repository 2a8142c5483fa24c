#include <charconv>
#include <cmath>

#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

void print_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += std::isnan(number) ? "\"NaN\"" : number > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return;
  }
  char buffer[64];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), number).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void print(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& member : *object) {
      if (out.back() != '{') out += ',';
      out += json::serialize(member.key());
      out += ':';
      print(out, member.value());
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& element : *array) {
      if (out.back() != '[') out += ',';
      print(out, element);
    }
    out += ']';
  } else if (value.is_double()) {
    print_double(out, value.get_double());
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string print_as_agent(const boost::json::value& value) {
  std::string out;
  print(out, value);
  return out;
}

bool is_valid_utf8(std::string_view text) {
  const auto byte = [&text](std::size_t i) -> unsigned {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned first = byte(i);
    std::size_t length = first < 0x80                     ? 1
                         : first >= 0xc2 && first < 0xe0  ? 2
                         : (first & 0xf0) == 0xe0         ? 3
                         : first >= 0xf0 && first <= 0xf4 ? 4
                                                          : 0;
    if (length == 0) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    const unsigned second = byte(i + 1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
      return false;
    }
    i += length;
  }
  return true;
}

}  // namespace mini_agent
