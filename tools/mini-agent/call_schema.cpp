#include "call_schema.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "call_schema_tables.hpp"
#include "wire_json.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string unexpected(std::string_view what, const Field& field) {
  return "Not expecting a JSON " + std::string(what) + " for field " + quoted(field.name);
}

class Converter {
 public:
  std::string error;

  json::object message(const json::object& from, const Schema& schema) {
    json::object to;
    std::map<std::string_view, const json::value*> sorted;  // the agent goes through them sorted
    for (const auto& member : from) sorted[member.key()] = &member.value();
    for (const auto& [name, value] : sorted) {
      const auto field = std::find_if(schema.fields.begin(), schema.fields.end(),
                                      [&name](const Field& f) { return f.name == name; });
      if (field == schema.fields.end()) continue;
      if (field->repeated) to[name] = json::array();
      add(to, *field, *value);
      if (!error.empty()) return to;
      if (field->repeated && to[name].as_array().empty()) to.erase(name);
    }
    return to;
  }

 private:
  static void put(json::object& to, const Field& field, json::value value) {
    if (field.repeated) {
      to[field.name].as_array().push_back(std::move(value));
    } else {
      to[field.name] = std::move(value);
    }
  }

  void add(json::object& to, const Field& field, const json::value& value) {
    if (value.is_null()) return;
    if (const auto* array = value.if_array()) {
      if (!field.repeated) {
        error = unexpected("array", field);
        return;
      }
      for (const auto& element : *array) {
        add(to, field, element);
        if (!error.empty()) return;
      }
    } else if (const auto* object = value.if_object()) {
      if (field.kind != Kind::Message) {
        error = unexpected("object", field);
        return;
      }
      put(to, field, field.message ? message(*object, *field.message) : *object);
    } else if (const auto* text = value.if_string()) {
      add_string(to, field, std::string_view(*text));
    } else if (value.is_bool()) {
      if (field.kind != Kind::Bool) error = unexpected("boolean", field);
      put(to, field, value);
    } else {
      if (field.kind != Kind::Number) error = unexpected("number", field);
      put(to, field, value);
    }
  }

  void add_string(json::object& to, const Field& field, std::string_view text) {
    switch (field.kind) {
      case Kind::String:
        return put(to, field, json::value(text));
      case Kind::Bytes:
        if (const DecodedBase64 bytes = decode_base64(text); !bytes.error.empty()) {
          error = "Failed to base64 decode bytes field " + quoted(field.name) + ": " + bytes.error;
        }
        return put(to, field, json::value(text));
      case Kind::Enum:
        return add_enum(to, field, text);
      case Kind::Bool:
      case Kind::Number:
        return add_quoted(to, field, text);
      case Kind::Message:
        error = unexpected("string", field);
        return;
    }
  }

  void add_enum(json::object& to, const Field& field, std::string_view text) {
    const auto& known = field.enum_values;
    if (known.empty() || std::find(known.begin(), known.end(), text) != known.end()) {
      put(to, field, json::value(text));
    } else if (field.required) {
      error = "Failed to find enum for '" + std::string(text) + "'";
    }
  }

  // "healthy":"true" and "timestamp":"1795379494.6" are taken (03-update-text-edge-cases).
  void add_quoted(json::object& to, const Field& field, std::string_view text) {
    const bool number = field.kind == Kind::Number;
    ParsedJson inner = parse_as_agent(text);
    if (inner.error.empty() && (number ? !inner.value.is_number() : !inner.value.is_bool())) {
      inner.error = "Unexpected JSON type parsed";
    }
    if (!inner.error.empty()) {
      error = "Failed to parse '" + std::string(text) + "' as a JSON " +
              (number ? "number" : "boolean") + " for field " + quoted(field.name) + ": " +
              inner.error;
      return;
    }
    put(to, field, std::move(inner.value));
  }
};

// Own missing fields first, then those of the fields that are there, as protobuf lists them.
void find_missing(const json::object& object, const Schema& schema, const std::string& prefix,
                  std::vector<std::string>& missing) {
  for (const Field& field : schema.fields) {
    if (field.required && !object.contains(field.name)) {
      missing.push_back(prefix + std::string(field.name));
    }
  }
  for (const Field& field : schema.fields) {
    const json::value* value = field.message ? object.if_contains(field.name) : nullptr;
    if (value == nullptr) continue;
    const std::string path = prefix + std::string(field.name);
    if (!field.repeated) {
      find_missing(value->as_object(), *field.message, path + ".", missing);
      continue;
    }
    std::size_t index = 0;
    for (const auto& element : value->as_array()) {
      find_missing(element.as_object(), *field.message, path + "[" + std::to_string(index++) + "].",
                   missing);
    }
  }
}

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

ConvertedCall convert_call(const boost::json::value& body) {
  ConvertedCall result;
  const auto* object = body.if_object();
  if (object == nullptr) {
    result.error = "Expecting a JSON object";
    return result;
  }
  Converter converter;
  result.call = converter.message(*object, kCall);
  result.error = converter.error;
  if (!result.error.empty()) return result;
  std::vector<std::string> missing;
  find_missing(result.call, kCall, "", missing);
  for (const auto& path : missing) {
    result.error += (result.error.empty() ? "Missing required fields: " : ", ") + path;
  }
  return result;
}

DecodedBase64 decode_base64(std::string_view text) {
  DecodedBase64 result;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) {
      result.error = "Invalid character '" + std::string(1, c) + "'";
      return result;
    }
    bits = (bits << 6) | static_cast<unsigned>(digit);
    held += 6;
    if (held >= 8) {
      held -= 8;
      result.bytes.push_back(static_cast<char>((bits >> held) & 0xff));
    }
  }
  return result;
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&bytes](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    const unsigned bits = (byte(i) << 16) | (byte(i + 1) << 8) | byte(i + 2);
    out += kAlphabet[bits >> 18];
    out += kAlphabet[(bits >> 12) & 63];
    out += i + 1 < bytes.size() ? kAlphabet[(bits >> 6) & 63] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[bits & 63] : '=';
  }
  return out;
}

}  // namespace mini_agent
