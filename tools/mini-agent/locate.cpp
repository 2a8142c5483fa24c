#include "locate.hpp"

#include <filesystem>

namespace mini_agent {

namespace fs = std::filesystem;

std::string locate_executor(const Options& options) {
  if (!options.executor.empty()) return fs::absolute(options.executor).string();
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& folder : {here, here / ".." / ".."}) {
    const fs::path candidate = folder / "sidecar-executor";
    if (fs::is_regular_file(candidate)) return fs::canonical(candidate).string();
  }
  if (!options.spawn) return "sidecar-executor";
  throw UsageError("no sidecar-executor next to mini-agent in " + here.string() +
                   "; name one with --executor");
}

}  // namespace mini_agent
