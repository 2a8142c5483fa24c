#include "docker/parameters.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"
#include "docker/api_version.hpp"
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
  // Objects keep the order of names and find one at once: label files may be long.
  json::object labels;
  std::vector<std::string> file_env;
  json::object file_labels;
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
  const auto taken = flag->read(
      {inputs, *flag, growing.out, growing.labels, growing.file_env, growing.file_labels},
      parameter.value);
  if (!taken) return shown + ": " + taken.error().message;
  if (flag->since > 0) growing.out.needs.push_back({std::string(flag->name), flag->since});
  return std::nullopt;
}

/// Takes `member` away when it is there: what Docker refuses beside `with`.
void drop(json::object& from, std::string_view member, std::string_view flag, std::string_view with,
          std::vector<std::string>& faults) {
  if (from.erase(member) == 0) return;
  faults.push_back("parameter \"" + std::string(flag) + "\": cannot be combined with " +
                   std::string(with));
}

void settle_host(json::object& host, std::vector<std::string>& faults) {
  const auto* cpus = host.if_contains("NanoCpus");
  if (cpus != nullptr && *cpus != 0) {  // 0 is no limit
    drop(host, "CpuPeriod", "cpu-period", "cpus", faults);
    drop(host, "CpuQuota", "cpu-quota", "cpus", faults);
  }
  auto* log = host.if_contains("LogConfig");
  if (log == nullptr) return;
  const auto* type = log->get_object().if_contains("Type");
  if (type != nullptr && *type == "none")
    drop(log->get_object(), "Config", "log-opt", "log-driver none", faults);
}

void settle_health(json::object& health, std::vector<std::string>& faults) {
  if (!health.contains("None")) return;
  // 0 is how `docker run` says that an interval, a time or a number is not asked for.
  const bool others = std::any_of(health.begin(), health.end(), [](const auto& member) {
    return member.key() != "None" && member.value() != 0;
  });
  if (others) {
    drop(health, "None", "no-healthcheck", "the health- parameters", faults);
  } else {
    health = {{"Test", json::array{"NONE"}}};
  }
}

/// What Docker refuses when it is asked for together: the first of two gives way. The faults'
/// texts.
std::vector<std::string> without_conflicts(json::object& body) {
  std::vector<std::string> faults;
  if (auto* host = body.if_contains("HostConfig")) settle_host(host->get_object(), faults);
  auto* health = body.if_contains("Healthcheck");
  if (health == nullptr) return faults;
  settle_health(health->get_object(), faults);
  if (health->get_object().empty()) body.erase("Healthcheck");
  return faults;
}

std::string version_of(int minor) { return "1." + std::to_string(minor); }

}  // namespace

std::vector<std::string> unknown_to_docker(const std::vector<ApiNeed>& needs, int minor) {
  std::vector<std::string> out;
  // A Docker with which our newest is spoken may well know more.
  const auto spoken = minor == newest_api_minor ? "the executor speaks at most " + version_of(minor)
                                                : "this Docker has " + version_of(minor);
  for (const auto& need : needs) {
    if (minor == 0 || need.minor <= minor) continue;
    auto text = "parameter \"" + need.parameter + "\" needs Docker API " + version_of(need.minor) +
                ", " + spoken;
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
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
  for (const auto& fault : without_conflicts(out.body)) {
    auto said = parameter_fault(field, fault, inputs.strict, out.warnings);
    if (!said) return said.error();
  }
  std::move(out.env.begin(), out.env.end(), std::back_inserter(growing.file_env));
  out.env = std::move(growing.file_env);
  auto& labels = growing.file_labels;
  for (const auto& label : growing.labels) labels[label.key()] = label.value();
  for (const auto& label : labels)
    out.labels.emplace_back(label.key(), std::string(label.value().get_string()));
  return std::move(out);
}

}  // namespace sidecar_executor::docker
