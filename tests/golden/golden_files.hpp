#pragma once
// Golden files: reading, and comparing create bodies as Docker understands them.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace sidecar_executor::golden {

namespace json = boost::json;

inline std::filesystem::path folder(const std::string& name) {
  return std::filesystem::path(SX_SOURCE_DIR) / "tests/golden" / name;
}

/// File names without `.json`, sorted.
inline std::vector<std::string> scenarios(const std::string& name) {
  std::vector<std::string> out;
  for (const auto& file : std::filesystem::directory_iterator(folder(name)))
    if (file.path().extension() == ".json") out.push_back(file.path().stem());
  std::sort(out.begin(), out.end());
  return out;
}

inline json::object read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return json::parse(text.str()).as_object();
}

/// gtest's names hold letters, digits and _ only.
inline std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string out = info.param;
  for (char& c : out)
    if (c == '-' || c == '.') c = '_';
  return out;
}

/// Without what Docker takes for absent: null, empty objects and arrays as members. Keys sorted.
/// The members of ExposedPorts are empty objects that mean something: they stay.
inline json::value canonical(const json::value& value, bool keep_empty = false) {
  if (value.is_array()) {
    json::array out;
    for (const auto& item : value.get_array()) out.push_back(canonical(item));
    return out;
  }
  if (!value.is_object()) return value;
  std::vector<std::pair<std::string, json::value>> members;
  for (const auto& member : value.get_object()) {
    auto kept = canonical(member.value(), member.key() == "ExposedPorts");
    const bool empty = kept.is_null() || (kept.is_object() && kept.get_object().empty()) ||
                       (kept.is_array() && kept.get_array().empty());
    if (!empty || keep_empty) members.emplace_back(member.key(), std::move(kept));
  }
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  json::object out;
  for (auto& [key, kept] : members) out[key] = std::move(kept);
  return out;
}

/// One value a line, so that gtest's diff is readable.
inline void print(const json::value& value, std::string& out, const std::string& indent = "") {
  const auto list = [&](char open, char close, const auto& items, const auto& one) {
    out += open;
    bool first = true;
    for (const auto& item : items) {
      out += first ? "\n " : ",\n ";
      first = false;
      out += indent;
      one(item);
    }
    if (!first) out += "\n" + indent;
    out += close;
  };
  if (value.is_object()) {
    list('{', '}', value.get_object(), [&](const auto& member) {
      out += json::serialize(json::value(member.key())) + ": ";
      print(member.value(), out, indent + " ");
    });
  } else if (value.is_array()) {
    list('[', ']', value.get_array(), [&](const auto& item) { print(item, out, indent + " "); });
  } else {
    out += json::serialize(value);
  }
}

inline std::string printed(const json::value& value) {
  std::string out;
  print(value, out);
  return out + "\n";
}

}  // namespace sidecar_executor::golden
