#pragma once

#include <string>

#include "options.hpp"

namespace mini_agent {

// The executor's absolute path: --executor, or sidecar-executor next to this program or, in a
// build folder, two folders above. Throws UsageError.
std::string locate_executor(const Options& options);

}  // namespace mini_agent
