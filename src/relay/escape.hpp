#pragma once
// Pure: text of any bytes → what may stand in a record, in pieces of bounded size.

#include <cstddef>
#include <string>
#include <string_view>

namespace sidecar_executor::relay {

/// The longest beginning of `text` that fits into `room` bytes; characters stay whole.
struct Fit {
  std::size_t taken = 0;  ///< bytes of the text
  std::size_t size = 0;   ///< bytes of the result
};

/// As Go's encoding/json escapes strings (up to Go 1.21: \u0008 and \u000c; HTML escaping on):
/// `<>&` as \u003c \u003e \u0026, U+2028/9, control characters; each bad byte of UTF-8 as \ufffd.
void append_json(std::string& out, std::string_view text);
Fit fit_json(std::string_view text, std::size_t room);

/// UTF-8; each bad byte as U+FFFD.
void append_utf8(std::string& out, std::string_view text);
Fit fit_utf8(std::string_view text, std::size_t room);

/// No text grows by more than this factor.
inline constexpr std::size_t most_growth = 6;

}  // namespace sidecar_executor::relay
