#pragma once
// Programs of a test, found like those that are installed.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace sidecar_executor::test {

/// First on the PATH while this lives.
class FolderOnPath {
 public:
  explicit FolderOnPath(std::filesystem::path folder) : folder_(std::move(folder)) {
    const char* path = std::getenv("PATH");
    before_ = path == nullptr ? "" : path;
    ::setenv("PATH", (folder_.string() + ":" + before_).c_str(), 1);
  }
  ~FolderOnPath() { ::setenv("PATH", before_.c_str(), 1); }
  FolderOnPath(const FolderOnPath&) = delete;
  FolderOnPath& operator=(const FolderOnPath&) = delete;

  /// Of /bin/sh.
  void program(const std::string& name, const std::string& script) const {
    const auto file = folder_ / name;
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

 private:
  std::filesystem::path folder_;
  std::string before_;
};

}  // namespace sidecar_executor::test
