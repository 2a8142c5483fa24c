#pragma once
// Pure: what `sidecar-executor doctor` found, how it is told, and what follows from facts that
// somebody else has fetched.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.hpp"

namespace sidecar_executor::app {

enum class Level { ok, warn, fail };

/// `warn`: tasks run, but not with everything. `fail`: tasks fail, or those that need it do.
struct Finding {
  Level level = Level::ok;
  std::string check;   ///< `docker`
  std::string found;   ///< what is so
  std::string advice;  ///< what to do about it; empty when it is well
};
using Findings = std::vector<Finding>;

void add(Findings& to, Level level, const char* check, std::string_view found,
         std::string_view advice = {});
/// `where: text`; the text alone when it names the place already.
std::string at(const std::string& where, const std::string& text);

/// `fail  docker    what was found; what to do about it`, a line each, and a line that counts.
/// Values in URLs that are secret are not shown.
std::string as_text(const Findings& findings);
/// An array of {"check","status","detail","advice"}.
std::string as_json(const Findings& findings);
/// 0 all is well, or warnings only; 1 something failed.
int exit_code(const Findings& findings);

/// `api_minor`: 41 for API 1.41, 0 when the daemon does not say. `by_variable`: DOCKER_API_VERSION
/// has it.
Finding judge_docker(const std::string& found, int api_minor, bool by_variable);

/// Of GET /info: which limits the kernel lets Docker enforce.
Finding judge_limits(std::string_view info, const Settings& settings);

/// RLIMIT_NOFILE.
Finding judge_open_files(std::uint64_t limit);

/// Free bytes of the sandbox's disk, for us.
Finding judge_space(const std::string& folder, std::uint64_t free_bytes);

/// `512 MiB`, `12.3 GiB`.
std::string bytes_for_people(std::uint64_t bytes);

}  // namespace sidecar_executor::app
