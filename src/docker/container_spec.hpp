#pragma once
// Pure: TaskInfo and settings → the body of Docker's POST /containers/create.
// The mapping: ../shared/spec/docker.md "TaskInfo → container".

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "docker/parameters.hpp"
#include "docker/read_file.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

/// What the mapping needs beside the task.
struct SpecInputs {
  const Settings* settings = nullptr;
  Lookup executor_environment;  ///< for `env` parameters without `=`
  ReadFile read_file;           ///< the host's files that parameters name
  std::string sandbox;          ///< what relative host paths are below
  double host_cpus = 1;         ///< of the Docker host, for CpuShares
  /// SIDECAR_SEEDS, AWS_...: appended where docker.md's table has them.
  std::vector<std::pair<std::string, std::string>> extra_environment;
  /// io.sidecar-executor.*; a label of the same name in the task wins.
  std::vector<std::pair<std::string, std::string>> own_labels;
};

struct ContainerSpec {
  std::string name;              ///< mesos-<uuid v5 of the task id>
  std::string image;             ///< as the task names it
  std::vector<std::string> env;  ///< NAME=value, in order; `vault://` values not yet resolved
  std::vector<std::pair<std::string, std::string>> labels;
  boost::json::object body;  ///< the create body, Env left out
  std::string platform;      ///< `linux/arm64`: of the create and the pull; empty = none
  std::vector<std::string> directories;  ///< below the sandbox, to be made before the create
  /// Variables whose values came as a secret: to be redacted wherever `env` is shown.
  std::vector<std::string> secret_names;
  std::vector<ApiNeed> needs;                 ///< to be compared with Docker's version
  bool strict = false;                        ///< EXECUTOR_STRICT_PARAMETERS
  std::vector<NetworkRequest> more_networks;  ///< to be connected between create and start
  std::vector<std::string> warnings;          ///< for log and status message
  /// For the log only: a batch job without ServiceName is common, and its messages should stay
  /// short.
  std::vector<std::string> log_warnings;
  std::vector<std::string> notes;  ///< for the debug log
};

/// `mesos-` + UUID v5 (SHA-1), nil name space, of the task id.
std::string container_name(const std::string& task_id);

/// Errors (invalid) end in TASK_ERROR; they name the field.
Result<ContainerSpec> make_container_spec(const mesos::TaskInfo& task, const SpecInputs& inputs);

/// One of `env`; `NAME=[REDACTED]` when it came as a secret (type SECRET).
std::string without_secret(const ContainerSpec& spec, const std::string& assignment);

/// One of `env` as it may be logged: redacted by name, by form, or because it came as a secret.
std::string shown_variable(const ContainerSpec& spec, const std::string& assignment);

/// The body with Env, as it goes over the wire.
std::string create_body(const ContainerSpec& spec, const std::vector<std::string>& resolved_env);

}  // namespace sidecar_executor::docker
