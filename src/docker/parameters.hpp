#pragma once
// docker.parameters: Mesos defines them as flags of `docker run`. One table holds every flag that
// the executor honours; a flag more is a row more (docker.md "Parameters").

#include <boost/json/object.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

/// What the parameters ask for. container_spec puts it together with the task's own fields.
struct ParameterValues {
  std::vector<std::string> env;  ///< NAME=value, in order
  /// In order of first mention; of one name the last value counts, as in a `docker run`.
  std::vector<std::pair<std::string, std::string>> labels;
  boost::json::object body;           ///< members of the create body, HostConfig among them
  std::vector<std::string> warnings;  ///< no value in them: it may be a secret
  std::vector<std::string> notes;     ///< for the debug log
};

/// What a row's reader works with.
struct ParameterReading {
  const Lookup& executor_environment;
  std::string_view target;  ///< the row's
  ParameterValues& out;
};

/// One row a flag.
struct ParameterFlag {
  std::string_view name;
  std::string_view aliases;  ///< other names, separated by blanks; usually none
  /// How the value is read. An error's text says what the value should have been, not what it was.
  Result<void> (*read)(ParameterReading reading, std::string_view value);
  std::string_view target;  ///< member of the create body: `HostConfig.CapAdd`
  std::string_view doc;
};

std::span<const ParameterFlag> parameter_flags();

/// Unknown flags, empty keys and values that don't parse are warnings, or with `strict` an error
/// (invalid) that names the parameter. A leading `--` in the key is accepted.
Result<ParameterValues> read_parameters(const std::vector<mesos::Parameter>& parameters,
                                        const Lookup& executor_environment, bool strict);

/// The table as Markdown, for the documentation.
std::string parameters_markdown();

/// Sets a label or replaces its value.
void set_label(std::vector<std::pair<std::string, std::string>>& labels, std::string_view name,
               std::string_view value);

}  // namespace sidecar_executor::docker
