#pragma once
// Where figures end up: files, and the part of a page that is between two marks.

#include <string>

namespace sx_bench {

std::string read_file(const std::string& path);
void write_file(const std::string& path, const std::string& text);  ///< throws

/// When, on what, and how busy it was: numbers without it say little.
std::string circumstances();

/// Replaces what is between the lines `<!-- MARK: begin -->` and `<!-- MARK: end -->`; throws when
/// they are not there.
void update_page(const std::string& path, const std::string& mark, const std::string& content);

}  // namespace sx_bench
