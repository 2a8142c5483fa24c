#include "docker/parameters.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "docker/parameter_table.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_shown = 100;

bool has_name(const ParameterFlag& flag, std::string_view key) {
  if (flag.name == key) return true;
  const auto aliases = split_blanks(flag.aliases);
  return std::find(aliases.begin(), aliases.end(), key) != aliases.end();
}

/// What has been read so far, beside the result itself.
struct Growing {
  ParameterValues out;
  std::vector<std::string> file_env;
  std::vector<std::pair<std::string, std::string>> file_labels;
};

/// What is wrong with one parameter; nullopt when it was taken.
std::optional<std::string> read_one(const mesos::Parameter& parameter,
                                    const ParameterInputs& inputs, Growing& growing) {
  std::string_view key = parameter.key;
  if (key.starts_with("--")) key.remove_prefix(2);
  if (split_blanks(key).empty()) return "parameter with an empty key";
  const std::string shown = "parameter \"" + one_line(key, longest_shown) + "\"";
  const auto flags = parameter_flags();
  const auto flag = std::find_if(flags.begin(), flags.end(),
                                 [key](const ParameterFlag& row) { return has_name(row, key); });
  if (flag == flags.end()) return shown + " is not supported";
  const auto taken = flag->read({inputs, *flag, growing.out, growing.file_env, growing.file_labels},
                                parameter.value);
  if (!taken) return shown + ": " + taken.error().message;
  if (flag->since > 0) growing.out.needs.push_back({std::string(flag->name), flag->since});
  return std::nullopt;
}

bool has(const json::object& object, std::string_view name) { return object.contains(name); }

/// What Docker refuses when it is asked for together: the first of two gives way. The faults'
/// texts.
std::vector<std::string> without_conflicts(ParameterValues& values) {
  std::vector<std::string> out;
  auto* host = values.body.if_contains("HostConfig");
  auto* health = values.body.if_contains("Healthcheck");
  const auto drop = [&out](json::object& from, std::string_view member, std::string_view flag,
                           std::string_view with) {
    from.erase(member);
    out.push_back("parameter \"" + std::string(flag) + "\": cannot be combined with " +
                  std::string(with));
  };
  if (host != nullptr && has(host->get_object(), "NanoCpus")) {
    auto& object = host->get_object();
    if (has(object, "CpuPeriod")) drop(object, "CpuPeriod", "cpu-period", "cpus");
    if (has(object, "CpuQuota")) drop(object, "CpuQuota", "cpu-quota", "cpus");
  }
  if (host != nullptr && has(host->get_object(), "LogConfig")) {
    auto& log = host->get_object()["LogConfig"].get_object();
    const auto* type = log.if_contains("Type");
    if (type != nullptr && *type == "none" && has(log, "Config"))
      drop(log, "Config", "log-opt", "log-driver none");
  }
  if (health != nullptr && has(health->get_object(), "None")) {
    auto& object = health->get_object();
    if (object.size() > 1) {
      drop(object, "None", "no-healthcheck", "the health- parameters");
    } else {
      object = {{"Test", json::array{"NONE"}}};
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> unknown_to_docker(const std::vector<ApiNeed>& needs, int minor) {
  std::vector<std::string> out;
  for (const auto& need : needs) {
    if (minor == 0 || need.minor <= minor) continue;
    out.push_back("parameter \"" + need.parameter + "\" needs Docker API 1." +
                  std::to_string(need.minor) + ", this Docker has 1." + std::to_string(minor));
  }
  return out;
}

Result<void> parameter_fault(const std::string& where, const std::string& what, bool strict,
                             std::vector<std::string>& warnings) {
  if (strict) {
    return Error{ErrorKind::invalid, where + ": " + what + " (EXECUTOR_STRICT_PARAMETERS is true)"};
  }
  warnings.push_back(what + ", ignoring");
  return boost::system::in_place_value;
}

Result<ParameterValues> read_parameters(const std::vector<mesos::Parameter>& parameters,
                                        const ParameterInputs& inputs) {
  constexpr const char* field = "container.docker.parameters";
  Growing growing;
  auto& out = growing.out;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto fault = read_one(parameters[i], inputs, growing);
    if (!fault) continue;
    const auto where = std::string(field) + "[" + std::to_string(i) + "]";
    auto said = parameter_fault(where, *fault, inputs.strict, out.warnings);
    if (!said) return said.error();
  }
  for (const auto& fault : without_conflicts(out)) {
    auto said = parameter_fault(field, fault, inputs.strict, out.warnings);
    if (!said) return said.error();
  }
  std::move(out.env.begin(), out.env.end(), std::back_inserter(growing.file_env));
  out.env = std::move(growing.file_env);
  for (const auto& [name, value] : out.labels) set_label(growing.file_labels, name, value);
  out.labels = std::move(growing.file_labels);
  return std::move(out);
}

void set_label(std::vector<std::pair<std::string, std::string>>& labels, std::string_view name,
               std::string_view value) {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [name](const auto& label) { return label.first == name; });
  if (found != labels.end()) {
    found->second = value;
  } else {
    labels.emplace_back(name, value);
  }
}

}  // namespace sidecar_executor::docker
