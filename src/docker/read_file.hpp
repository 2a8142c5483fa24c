#pragma once
// How pure code of this room comes to a file's contents: it is handed a function.

#include <functional>
#include <string>

#include "base/error.hpp"

namespace sidecar_executor::docker {

/// Gives a file's bytes; not_found for one that does not exist.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

}  // namespace sidecar_executor::docker
