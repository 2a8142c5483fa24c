#include "base/pretty_json.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace sidecar_executor {
namespace json = boost::json;

namespace {

void append(std::string& out, const json::value& value, const std::string& indent) {
  const std::string inner = indent + "  ";
  const char* separator = "\n";
  if (value.is_object() && !value.get_object().empty()) {
    out += '{';
    for (const auto& member : value.get_object()) {
      out.append(separator).append(inner);
      out.append(json::serialize(json::value(member.key()))).append(": ");
      append(out, member.value(), inner);
      separator = ",\n";
    }
    out.append("\n").append(indent).append("}");
  } else if (value.is_array() && !value.get_array().empty()) {
    out += '[';
    for (const auto& item : value.get_array()) {
      out.append(separator).append(inner);
      append(out, item, inner);
      separator = ",\n";
    }
    out.append("\n").append(indent).append("]");
  } else {
    out += json::serialize(value);
  }
}

void drop_non_numbers(json::value& value) {
  if (const auto* number = value.if_double(); number != nullptr && !std::isfinite(*number)) {
    value = nullptr;
  } else if (auto* array = value.if_array()) {
    for (auto& item : *array) drop_non_numbers(item);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) drop_non_numbers(member.value());
  }
}

}  // namespace

std::string pretty_json(const json::value& value) {
  std::string out;
  append(out, value, "");
  return out;
}

std::string json_text(const json::value& value) {
  std::string text = json::serialize(value);
  if (text.find("Infinity") == std::string::npos && text.find("NaN") == std::string::npos)
    return text;
  json::value finite = value;
  drop_non_numbers(finite);
  return json::serialize(finite);
}

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value != nullptr ? value->if_string() : nullptr;
  return text != nullptr ? std::string(*text) : std::string{};
}

}  // namespace sidecar_executor
