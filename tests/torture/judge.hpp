#pragma once
// Pure: what is wrong with the way a task went.

#include <string>
#include <vector>

#include "torture/task_run.hpp"

namespace sx_torture {

/// Empty: all is well.
std::vector<std::string> violations_of(const Observed& observed);

/// State of the terminal update, `none` without one.
std::string end_of(const Observed& observed);

}  // namespace sx_torture
