#pragma once
// Pure: an answer of Vault as a flat list of its values. Numbers keep the text they came with (a
// secret `1.10` must not become 1.1), and everything is overwritten when it goes.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor::vault {

/// One JSON value. Objects and arrays are there as values, too, without text.
struct Node {
  enum class Kind { text, number, boolean, null, object, array };
  std::vector<std::string> path;  ///< {"data", "password"}; of arrays the index: {"errors", "0"}
  Kind kind = Kind::null;
  std::string text;
};

class Answer {
 public:
  using Path = std::initializer_list<std::string_view>;

  /// Errors (protocol) never show anything of `body`. Values deeper than four levels are left out.
  static Result<Answer> parse(std::string_view body);
  Answer() = default;
  ~Answer();
  Answer(Answer&&) noexcept = default;
  Answer& operator=(Answer&&) noexcept = default;
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  /// nullptr when there is none.
  [[nodiscard]] const Node* find(Path path) const;
  /// The text of a JSON string, empty when there is none.
  [[nodiscard]] std::string text(Path path) const;
  [[nodiscard]] std::optional<std::int64_t> number(Path path) const;
  [[nodiscard]] bool is_true(Path path) const;
  /// Names in the object at `path`, in order.
  [[nodiscard]] std::vector<std::string> names_in(Path path) const;
  /// The strings of the array at `path`.
  [[nodiscard]] std::vector<std::string> texts_in(Path path) const;

 private:
  std::vector<Node> nodes_;
};

}  // namespace sidecar_executor::vault
