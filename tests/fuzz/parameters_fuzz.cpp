// docker.parameters, one a line: `key=value`. Strict and lenient reading agree, and no warning
// shows a value.
#include <boost/json.hpp>

#include "base/text.hpp"
#include "docker/parameters.hpp"
#include "fuzz/fuzz_target.hpp"

namespace json = boost::json;
namespace sx = sidecar_executor;
using sx::fuzz::require;
using Parameters = std::vector<sx::mesos::Parameter>;

namespace {

Parameters parameters_of(std::string_view input) {
  Parameters out;
  for (const auto& line : sx::split(input, '\n')) {
    if (out.size() == 50) break;
    const auto equals = line.find('=');
    out.push_back({line.substr(0, equals),
                   equals == std::string::npos ? std::string() : line.substr(equals + 1)});
  }
  return out;
}

sx::Result<sx::docker::ParameterValues> read(const Parameters& parameters, bool strict) {
  sx::docker::ParameterInputs inputs;
  inputs.executor_environment = [](std::string_view name) {
    return name == "HOME" ? std::optional<std::string>("/root") : std::nullopt;
  };
  inputs.read_file = [](const std::string& path) -> sx::Result<std::string> {
    if (path.find("none") != std::string::npos)
      return sx::Error{sx::ErrorKind::not_found, "no such file"};
    return std::string("A=1\n# no\n\nB\nHOME\n{}");
  };
  inputs.sandbox = "/sandbox";
  inputs.strict = strict;
  return sx::docker::read_parameters(parameters, inputs);
}

std::string all_of(const sx::docker::ParameterValues& values) {
  std::string out = json::serialize(values.body) + json::serialize(values.endpoint);
  for (const auto& text : values.env) out.append(text).append("\n");
  for (const auto& [name, value] : values.labels)
    out.append(name).append("=").append(value).append("\n");
  for (const auto& network : values.networks)
    out += network.name + json::serialize(network.endpoint) + "\n";
  return out + values.platform;
}

/// Keys are shown, and so is the name of a variable.
void check_secrets(Parameters parameters) {
  for (auto& [key, value] : parameters) {
    if (sx::fuzz::has_secret(key) || sx::fuzz::has_secret(value)) return;
    const auto equals = value.rfind('=');
    if (equals == std::string::npos && (key.ends_with("env") || key.ends_with('e'))) continue;
    value.insert(equals == std::string::npos ? value.size() / 2 : equals + 1,
                 sx::fuzz::secret_mark);
  }
  const auto values = read(parameters, false);
  require(values.has_value(), "lenient reading takes what it can");
  for (const auto& warning : values->warnings)
    require(!sx::fuzz::has_secret(warning), "no warning shows a value");
  const auto strict = read(parameters, true);
  if (!strict) require(!sx::fuzz::has_secret(strict.error().message), "no error shows a value");
}

}  // namespace

SX_FUZZ_TARGET(parameters) {
  const Parameters parameters = parameters_of(input);
  const auto lenient = read(parameters, false);
  require(lenient.has_value(), "lenient reading takes what it can");
  for (const auto& warning : lenient->warnings)
    require(sx::fuzz::is_for_people(warning, 1000), "a warning is a line");
  const auto strict = read(parameters, true);
  require(strict.has_value() == lenient->warnings.empty(), "strict fails where lenient warns");
  if (strict) require(all_of(*strict) == all_of(*lenient), "and reads the same otherwise");
  check_secrets(parameters);
}
