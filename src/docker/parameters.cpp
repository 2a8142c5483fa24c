#include "docker/parameters.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

constexpr std::size_t longest_shown = 100;

Error expected(std::string_view what) {
  return Error{ErrorKind::invalid, "expected " + std::string(what)};
}

/// The member of the create body that `target` names, `HostConfig.CapAdd` or `Domainname`.
json::value& member(json::object& body, std::string_view target) {
  json::object* at = &body;
  for (auto dot = target.find('.'); dot != std::string_view::npos; dot = target.find('.')) {
    json::value& next = (*at)[target.substr(0, dot)];
    if (!next.is_object()) next.emplace_object();
    at = &next.get_object();
    target.remove_prefix(dot + 1);
  }
  return (*at)[target];
}

// ---- readers: how a value is read, whatever flag it belongs to ----------------------------------

/// A flag that may be repeated: one more element.
Result<void> append_text(ParameterReading reading, std::string_view value) {
  if (value.empty()) return expected("a value, found nothing");
  json::value& list = member(reading.out.body, reading.target);
  if (!list.is_array()) list.emplace_array();
  list.get_array().emplace_back(value);
  return boost::system::in_place_value;
}

/// A flag of which the last counts.
Result<void> set_text(ParameterReading reading, std::string_view value) {
  if (value.empty()) return expected("a value, found nothing");
  member(reading.out.body, reading.target) = value;
  return boost::system::in_place_value;
}

/// `NAME=value`, or `NAME`: from the executor's own environment, as `docker run -e NAME` does.
Result<void> read_env(ParameterReading reading, std::string_view value) {
  const auto equals = value.find('=');
  const auto name = value.substr(0, equals);
  if (name.empty()) return expected("NAME=value or NAME");
  if (equals != std::string_view::npos) {
    reading.out.env.emplace_back(value);
    return boost::system::in_place_value;
  }
  const auto found =
      reading.executor_environment ? reading.executor_environment(name) : std::nullopt;
  if (found) {
    reading.out.env.push_back(std::string(name) + "=" + *found);
  } else {
    reading.out.warnings.push_back("parameter env: " + one_line(name, longest_shown) +
                                   " has no value and is not set for the executor, ignoring");
  }
  return boost::system::in_place_value;
}

Result<void> read_label(ParameterReading reading, std::string_view value) {
  const auto equals = value.find('=');
  if (equals == std::string_view::npos) {
    // `docker run` would set it empty; the Go executor drops it, and so do dashboards' label sets.
    reading.out.notes.push_back("parameter label without =, ignoring: " +
                                one_line(value, longest_shown));
    return boost::system::in_place_value;
  }
  if (equals == 0) return expected("name=value");
  set_label(reading.out.labels, value.substr(0, equals), value.substr(equals + 1));
  return boost::system::in_place_value;
}

// ---- the table ----------------------------------------------------------------------------------

constexpr ParameterFlag flags[] = {
    {"cap-add", "", append_text, "HostConfig.CapAdd", "Adds a Linux capability."},
    {"cap-drop", "", append_text, "HostConfig.CapDrop", "Drops a Linux capability."},
    {"env", "e", read_env, "Env",
     "`NAME=value`, or `NAME` to hand on the executor's own variable."},
    {"label", "l", read_label, "Labels", "`name=value`; without `=` it is ignored."},
    {"volume-driver", "", set_text, "HostConfig.VolumeDriver",
     "Driver of the volumes; the last one counts."},
};

bool has_name(const ParameterFlag& flag, std::string_view key) {
  if (flag.name == key) return true;
  const auto aliases = split_blanks(flag.aliases);
  return std::find(aliases.begin(), aliases.end(), key) != aliases.end();
}

/// What is wrong with one parameter; nullopt when it was taken.
std::optional<std::string> read_one(const mesos::Parameter& parameter, ParameterReading reading) {
  std::string_view key = parameter.key;
  if (key.starts_with("--")) key.remove_prefix(2);
  if (split_blanks(key).empty()) return "parameter with an empty key";
  const std::string shown = "parameter \"" + one_line(key, longest_shown) + "\"";
  const auto flag = std::find_if(std::begin(flags), std::end(flags),
                                 [key](const ParameterFlag& row) { return has_name(row, key); });
  if (flag == std::end(flags)) return shown + " is not supported yet";
  reading.target = flag->target;
  const auto taken = flag->read(reading, parameter.value);
  if (!taken) return shown + ": " + taken.error().message;
  return std::nullopt;
}

}  // namespace

std::span<const ParameterFlag> parameter_flags() { return flags; }

Result<ParameterValues> read_parameters(const std::vector<mesos::Parameter>& parameters,
                                        const Lookup& executor_environment, bool strict) {
  ParameterValues out;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto fault = read_one(parameters[i], {executor_environment, {}, out});
    if (!fault) continue;
    if (strict) {
      return Error{ErrorKind::invalid, "container.docker.parameters[" + std::to_string(i) + "]: " +
                                           *fault + " (EXECUTOR_STRICT_PARAMETERS is true)"};
    }
    out.warnings.push_back(*fault + ", ignoring");
  }
  return out;
}

std::string parameters_markdown() {
  std::string out = "| parameter | sets | meaning |\n|---|---|---|\n";
  for (const auto& flag : flags) {
    out += "| `" + std::string(flag.name) + "`";
    for (const auto& alias : split_blanks(flag.aliases)) out += ", `" + alias + "`";
    out += " | `" + std::string(flag.target) + "` | " + std::string(flag.doc) + " |\n";
  }
  return out;
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
