#pragma once
// Small text tools that more than one room needs.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sidecar_executor {

/// Bytes of the valid UTF-8 character that `text`, not empty, begins with; 0 when it begins with
/// none.
std::size_t utf8_character_size(std::string_view text);

/// Valid UTF-8: every bad byte becomes U+FFFD. Control characters stay.
std::string to_utf8(std::string_view bytes);

/// to_utf8, then at most `limit` bytes, cut at a character with `...` at the end.
std::string clip_utf8(std::string_view bytes, std::size_t limit);

/// One line for a log or a message: to_utf8, clipped, control characters as spaces.
std::string one_line(std::string_view bytes, std::size_t limit = 500);

std::string to_lower(std::string_view text);  ///< ASCII only
bool all_digits(std::string_view text);       ///< 0 to 9, one at least
/// ASCII letters, digits and `marks`, one at least.
bool is_word(std::string_view text, std::string_view marks);

/// `a,b,,c` at ',' → a, b, "", c. Empty text → no element.
std::vector<std::string> split(std::string_view text, char separator);

/// Splits as a POSIX shell does (blanks, '...', "...", backslash), expanding nothing.
/// nullopt when a quote is not closed or a backslash ends the text.
std::optional<std::vector<std::string>> split_shell_words(std::string_view text);

/// Runs of blanks, tabs and newlines separate words.
std::vector<std::string> split_blanks(std::string_view text);

}  // namespace sidecar_executor
