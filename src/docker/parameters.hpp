#pragma once
// docker.parameters: Mesos defines them as flags of `docker run`. One table (parameter_table.cpp)
// holds every flag that the executor honours; a flag more is a row more (docker.md "Parameters").
// Values are read as the command line of Docker 28 reads them.

#include <boost/json/object.hpp>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "docker/read_file.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

/// One `network` parameter: EndpointsConfig[name].
struct NetworkRequest {
  std::string name;
  boost::json::object endpoint;
};

/// What Docker's API knows from 1.`minor` on. An older Docker ignores most of it in silence.
struct ApiNeed {
  std::string parameter;  ///< `annotation`, or with a field of it: `mount (type=image)`
  int minor = 0;
};

/// What the parameters ask for. container_spec puts it together with the task's own fields.
struct ParameterValues {
  std::vector<std::string> env;  ///< NAME=value: those of env-file, then those of env, in order
  /// In order of first mention; of one name the last value counts, as in a `docker run`. Those of
  /// label files come first.
  std::vector<std::pair<std::string, std::string>> labels;
  boost::json::object body;              ///< members of the create body, HostConfig among them
  std::vector<NetworkRequest> networks;  ///< in order
  /// What ip, ip6, link-local-ip, network-alias and mac-address ask of the first network.
  boost::json::object endpoint;
  std::string platform;               ///< `linux/arm64`: of the create and the pull; empty = none
  std::vector<std::string> warnings;  ///< no value in them: it may be a secret
  std::vector<std::string> notes;     ///< for the debug log
  std::vector<ApiNeed> needs;
};

struct ParameterInputs {
  Lookup executor_environment;  ///< for `env` without `=`
  ReadFile read_file;           ///< for env-file, label-file and seccomp profiles
  std::string sandbox;          ///< what `./` in a volume is relative to
  bool strict = false;
};

/// Unknown flags, empty keys and values that don't parse are warnings, or with `strict` an error
/// (invalid) that names the parameter. A leading `--` in the key is accepted.
Result<ParameterValues> read_parameters(const std::vector<mesos::Parameter>& parameters,
                                        const ParameterInputs& inputs);

/// What goes beyond API 1.`minor`, the version that is spoken with this Docker: a text each, none
/// twice. 0 = the version is not known.
std::vector<std::string> unknown_to_docker(const std::vector<ApiNeed>& needs, int minor);

/// A parameter that cannot be honoured: a warning, or with `strict` an error (invalid).
Result<void> parameter_fault(const std::string& where, const std::string& what, bool strict,
                             std::vector<std::string>& warnings);

/// docs/parameters.md.
std::string parameters_markdown();

}  // namespace sidecar_executor::docker
