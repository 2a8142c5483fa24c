#pragma once
// Reads JSON that somebody else wrote: every access is allowed, whatever the value is; the first
// thing that is wrong is kept with its path and what was found there.

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace sidecar_executor::mesos {

/// A place in a document. Absent and null are the same, as in protobuf's JSON.
class JsonField {
 public:
  /// `problem` takes the first error of this field and of all below it; must outlive them.
  JsonField(const boost::json::value* value, std::string path, std::string& problem)
      : value_(value != nullptr && value->is_null() ? nullptr : value),
        path_(std::move(path)),
        problem_(&problem) {}

  [[nodiscard]] bool present() const { return value_ != nullptr; }
  [[nodiscard]] const boost::json::value* value() const { return value_; }

  /// A member; absent when this is absent.
  JsonField operator[](std::string_view key) const {
    const boost::json::value* member = nullptr;
    if (value_ != nullptr && !value_->is_object()) {
      expected("an object");
    } else if (value_ != nullptr) {
      member = value_->get_object().if_contains(key);
    }
    std::string path = path_;
    if (!path.empty()) path += '.';
    return {member, path += key, *problem_};
  }

  /// Calls `visit` with every element; absent = no element.
  template <typename Visit>
  void each(Visit&& visit) const {
    if (value_ == nullptr) return;
    if (!value_->is_array()) return expected("an array");
    std::size_t index = 0;
    for (const auto& element : value_->get_array()) {
      visit(JsonField(&element, path_ + "[" + std::to_string(index++) + "]", *problem_));
    }
  }

  /// Calls `visit` with the name and the value of every member; absent = no member.
  template <typename Visit>
  void members(Visit&& visit) const {
    if (value_ == nullptr) return;
    if (!value_->is_object()) return expected("an object");
    for (const auto& member : value_->get_object()) {
      visit(std::string(member.key()), (*this)[member.key()]);
    }
  }

  [[nodiscard]] std::optional<std::string> text() const {
    if (value_ == nullptr) return std::nullopt;
    if (const auto* string = value_->if_string()) return std::string(std::string_view(*string));
    expected("a string");
    return std::nullopt;
  }
  [[nodiscard]] std::string text_or_empty() const { return text().value_or(""); }
  [[nodiscard]] std::string required_text() const {
    if (value_ == nullptr) missing();
    return text_or_empty();
  }

  [[nodiscard]] bool flag() const {
    if (value_ == nullptr) return false;
    if (const auto* boolean = value_->if_bool()) return *boolean;
    expected("true or false");
    return false;
  }

  /// Whole, from 0 to `limit`; a double without fraction counts as whole.
  [[nodiscard]] std::optional<std::int64_t> whole(
      std::int64_t limit = std::numeric_limits<std::int64_t>::max()) const {
    if (value_ == nullptr) return std::nullopt;
    std::optional<std::int64_t> found;
    if (const auto* number = value_->if_int64()) {
      found = *number;
    } else if (const auto* real = value_->if_double()) {
      if (std::trunc(*real) == *real && std::fabs(*real) < 9e18) {
        found = static_cast<std::int64_t>(*real);
      }
    }  // a uint64 is one that int64 cannot hold
    if (found && *found >= 0 && *found <= limit) return found;
    expected("a whole number from 0 to " + std::to_string(limit));
    return std::nullopt;
  }

  /// Zero or more; "Infinity" as protobuf's JSON writes it.
  [[nodiscard]] std::optional<double> amount() const {
    if (value_ == nullptr) return std::nullopt;
    std::optional<double> found;
    if (value_->is_number()) {
      found = value_->to_number<double>();
    } else if (const auto* string = value_->if_string(); string && *string == "Infinity") {
      found = std::numeric_limits<double>::infinity();
    }
    if (found && *found >= 0) return found;
    expected("a number that is not negative");
    return std::nullopt;
  }

  void missing() const { wrong("missing"); }
  void expected(std::string_view what) const {
    wrong("expected " + std::string(what) + ", found " +
          (value_ == nullptr ? "nothing" : shown(*value_)));
  }
  void wrong(const std::string& what) const {
    if (problem_->empty()) *problem_ = path_ + ": " + what;
  }

 private:
  /// Containers by kind: their text may be long, and hold a secret.
  static std::string shown(const boost::json::value& value) {
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    if (const auto* string = value.if_string()) return "\"" + one_line(*string, 80) + "\"";
    return boost::json::serialize(value);
  }

  const boost::json::value* value_;
  std::string path_;
  std::string* problem_;
};

}  // namespace sidecar_executor::mesos
