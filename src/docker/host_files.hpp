#pragma once
// Files of the host that a task names: read and made at the edge, for code that only decides.

#include <string>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor::docker {

/// A regular file of at most 1 MiB. not_found when there is none; anything else that cannot be read
/// (a directory, a FIFO: opening one would block the loop) is invalid and says why.
Result<std::string> read_host_file(const std::string& path);

/// Makes each folder with its parents; one that is there already, as whatever, is left alone.
/// Errors (invalid) name the folder.
Result<void> make_directories(const std::vector<std::string>& folders);

}  // namespace sidecar_executor::docker
