#pragma once
// mesos.proto's TaskInfo (v1, Mesos 1.11) as far as the executor uses it. The vocabulary of the
// house: the one header of this room that docker/ and task/ include.
// Source of the JSON form: ../shared/spec/mesos.md and the LAUNCH events in ../shared/transcripts.

#include <boost/json/fwd.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "mesos/check_info.hpp"

namespace sidecar_executor::mesos {

/// Environment.Variable. `secret` holds Secret.value.data (base64 as it came) for type SECRET.
struct EnvironmentVariable {
  enum class Type { value, secret };
  std::string name;
  Type type = Type::value;
  std::optional<std::string> value;
  std::optional<std::string> secret_value;      ///< Secret.value.data, base64
  std::optional<std::string> secret_reference;  ///< Secret.reference.name
  std::string secret_key;                       ///< Secret.reference.key
};

/// docker.parameters: flags of `docker run`, in order.
struct Parameter {
  std::string key;
  std::string value;
};

struct PortMapping {
  std::uint32_t host_port = 0;
  std::uint32_t container_port = 0;
  std::string protocol;  ///< `tcp`, `udp`, `tcp,udp`, empty = tcp
};

struct DockerVolume {
  std::string driver;
  std::string name;
  std::vector<Parameter> driver_options;
};

struct Volume {
  enum class Source { none, docker_volume, host_path, sandbox_path, secret, unknown };
  std::string container_path;
  std::optional<std::string> host_path;
  bool read_only = false;  ///< mode RO
  bool has_mode = false;   ///< false: the framework named none
  Source source = Source::none;
  DockerVolume docker_volume;
  std::string source_path;  ///< of source.host_path or source.sandbox_path
  bool sandbox_path_of_parent = false;
  std::string propagation;  ///< source.host_path.mount_propagation.mode: `HOST_TO_CONTAINER`...
};

struct NetworkInfo {
  std::string name;
  std::vector<std::string> ip_addresses;
  std::vector<PortMapping> port_mappings;
};

/// RLimitInfo.RLimit; neither value = unlimited.
struct Rlimit {
  std::string type;  ///< `RLMT_NOFILE`
  std::optional<std::int64_t> soft;
  std::optional<std::int64_t> hard;
};

/// LinuxInfo as far as Docker can do it.
struct LinuxInfo {
  /// nullopt: not given; empty: none at all. `NET_ADMIN`, ...
  std::optional<std::vector<std::string>> effective_capabilities;
  std::optional<std::vector<std::string>> bounding_capabilities;
  bool share_cgroups = false;
  bool share_pid_namespace = false;
};

enum class DockerNetwork { host, bridge, none, user, absent };

struct DockerInfo {
  std::string image;
  DockerNetwork network = DockerNetwork::absent;
  std::vector<PortMapping> port_mappings;
  std::optional<bool> privileged;  ///< nullopt: the framework did not say
  std::vector<Parameter> parameters;
  bool force_pull_image = false;
  std::string volume_driver;
};

struct ContainerInfo {
  std::string type;  ///< `DOCKER`, `MESOS`, ...
  std::string hostname;
  std::optional<DockerInfo> docker;
  std::vector<Volume> volumes;
  std::vector<NetworkInfo> network_infos;
  std::vector<Rlimit> rlimits;
  LinuxInfo linux_info;
};

struct TaskInfo {
  std::string name;
  std::string task_id;
  std::string agent_id;
  std::string executor_id;
  /// executor.command.environment.variables, in order.
  std::vector<EnvironmentVariable> executor_environment;
  /// Scalars by name; several of one name (roles, reservations) summed.
  std::map<std::string, double> resources;
  std::map<std::string, double> limits;  ///< TaskInfo.limits; may be infinite
  std::optional<ContainerInfo> container;
  std::optional<std::chrono::nanoseconds> kill_grace_period;
  std::optional<std::chrono::nanoseconds> max_completion_time;
  std::optional<HealthCheck> health_check;
  std::optional<Check> check;
  /// The JSON as it came: what unacknowledged_tasks repeats.
  std::string json;
};

/// Reads a TaskInfo. Errors (invalid) name the field: `container.docker.port_mappings[0].host_port:
/// expected a whole number from 0 to 65535, found "http"`. Unknown fields are ignored. Only
/// task_id.value is required; what a task needs beyond that is check_launchable's to say.
Result<TaskInfo> parse_task_info(const boost::json::value& json);

/// What makes a task impossible for this executor (behaviour.md 4.1): no container, type not
/// DOCKER, no container.docker, empty image, container_port 0 or above 65535, protocol unknown...
/// nullopt = it can be launched; else the text for TASK_ERROR, which names the field.
std::optional<std::string> why_not_launchable(const TaskInfo& task);

/// First variable of that name in the task's executor environment.
std::optional<std::string> executor_variable(const TaskInfo& task, std::string_view name);

}  // namespace sidecar_executor::mesos
