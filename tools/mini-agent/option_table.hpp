// One row of the command line, for the files that list options.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "options.hpp"

namespace mini_agent {

using Setter = std::function<void(Options&, const std::string&)>;

struct Option {
  std::string_view name;
  std::string_view argument;  // empty: a switch
  std::string_view help;
  Setter set;
};

// Throws UsageError.
[[noreturn]] void bad(const std::string& value, const std::string& wanted);
Nanoseconds duration(const std::string& text);
long number(const std::string& text, long low, long high);
std::vector<std::string> split_at_commas(const std::string& text);

// options_services.cpp
std::vector<Option> sidecar_options();
std::vector<Option> vault_options();

}  // namespace mini_agent
