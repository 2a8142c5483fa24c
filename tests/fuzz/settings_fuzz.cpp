// The environment of the executor, a variable a line. Whatever it holds, each setting has a value,
// and a bad one is named.
#include <map>

#include "base/settings.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz_target.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

std::map<std::string, std::string, std::less<>> variables_of(std::string_view input) {
  std::map<std::string, std::string, std::less<>> out;
  for (const auto& line : sx::split(input, '\n')) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) out[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return out;
}

}  // namespace

SX_FUZZ_TARGET(settings) {
  const auto variables = variables_of(input);
  const sx::Lookup lookup = [&variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
  std::vector<std::string> names;
  names.reserve(variables.size());
  for (const auto& [name, value] : variables) names.push_back(name);
  static const std::size_t count =
      sx::load_settings([](std::string_view) { return std::optional<std::string>(); }, {}, "host")
          .report.size();
  const auto loaded = sx::load_settings(lookup, names, "host");
  require(loaded.report.size() == count, "every setting has a value");
  for (const auto& problem : loaded.problems) {
    require(sx::fuzz::is_for_people(problem, 1000), "a problem is a line");
    require(problem.find("EXECUTOR_") != std::string::npos, "that names the variable");
  }
  require(loaded.settings.kill_task_timeout.count() >= 0, "no negative grace");
}
