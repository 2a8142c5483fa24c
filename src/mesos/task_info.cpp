#include "mesos/task_info.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/encoding.hpp"
#include "base/pretty_json.hpp"
#include "base/text.hpp"
#include "mesos/json_field.hpp"

namespace sidecar_executor::mesos {
namespace {

namespace json = boost::json;
using std::chrono::nanoseconds;

constexpr std::int64_t highest_port = 65535;

std::uint32_t port(const JsonField& field) {
  return static_cast<std::uint32_t>(field.whole(highest_port).value_or(0));
}

std::vector<Parameter> parameters(const JsonField& list) {
  std::vector<Parameter> out;
  list.each([&out](const JsonField& item) {
    out.push_back({item["key"].required_text(), item["value"].text_or_empty()});
  });
  return out;
}

std::vector<PortMapping> port_mappings(const JsonField& list) {
  std::vector<PortMapping> out;
  list.each([&out](const JsonField& item) {
    out.push_back(
        {port(item["host_port"]), port(item["container_port"]), item["protocol"].text_or_empty()});
  });
  return out;
}

EnvironmentVariable environment_variable(const JsonField& item) {
  EnvironmentVariable out;
  out.name = item["name"].required_text();
  out.value = item["value"].text();
  if (item["type"].text() == "SECRET") {
    out.type = EnvironmentVariable::Type::secret;
    const JsonField secret = item["secret"];
    out.secret_value = secret["value"]["data"].text();
    out.secret_reference = secret["reference"]["name"].text();
    out.secret_key = secret["reference"]["key"].text_or_empty();
  }
  return out;
}

DockerNetwork docker_network(const JsonField& field) {
  const auto text = field.text();
  if (!text) return DockerNetwork::absent;
  if (*text == "HOST") return DockerNetwork::host;
  if (*text == "BRIDGE") return DockerNetwork::bridge;
  if (*text == "NONE") return DockerNetwork::none;
  if (*text == "USER") return DockerNetwork::user;
  field.expected("HOST, BRIDGE, NONE or USER");
  return DockerNetwork::absent;
}

DockerInfo docker_info(const JsonField& docker) {
  DockerInfo out;
  out.image = docker["image"].text_or_empty();
  out.network = docker_network(docker["network"]);
  out.port_mappings = port_mappings(docker["port_mappings"]);
  if (const JsonField privileged = docker["privileged"]; privileged.present())
    out.privileged = privileged.flag();
  out.parameters = parameters(docker["parameters"]);
  out.force_pull_image = docker["force_pull_image"].flag();
  out.volume_driver = docker["volume_driver"].text_or_empty();
  return out;
}

void read_volume_source(const JsonField& source, Volume& volume) {
  if (!source.present()) return;
  const std::string type = source["type"].text_or_empty();
  if (type == "DOCKER_VOLUME") {
    volume.source = Volume::Source::docker_volume;
    const JsonField docker = source["docker_volume"];
    volume.docker_volume.driver = docker["driver"].text_or_empty();
    volume.docker_volume.name = docker["name"].text_or_empty();
    volume.docker_volume.driver_options = parameters(docker["driver_options"]["parameter"]);
  } else if (type == "HOST_PATH") {
    volume.source = Volume::Source::host_path;
    volume.source_path = source["host_path"]["path"].text_or_empty();
    volume.propagation = source["host_path"]["mount_propagation"]["mode"].text_or_empty();
  } else if (type == "SANDBOX_PATH") {
    volume.source = Volume::Source::sandbox_path;
    volume.source_path = source["sandbox_path"]["path"].text_or_empty();
    volume.sandbox_path_of_parent = source["sandbox_path"]["type"].text_or_empty() == "PARENT";
  } else {
    volume.source = type == "SECRET" ? Volume::Source::secret : Volume::Source::unknown;
  }
}

Volume volume(const JsonField& item) {
  Volume out;
  out.container_path = item["container_path"].text_or_empty();
  out.host_path = item["host_path"].text();
  const JsonField mode = item["mode"];
  if (const auto text = mode.text()) {
    if (*text != "RO" && *text != "RW") mode.expected("RO or RW");
    out.has_mode = true;
    out.read_only = *text == "RO";
  }
  read_volume_source(item["source"], out);
  return out;
}

NetworkInfo network_info(const JsonField& item) {
  NetworkInfo out;
  out.name = item["name"].text_or_empty();
  item["ip_addresses"].each([&out](const JsonField& address) {
    if (auto text = address["ip_address"].text()) out.ip_addresses.push_back(std::move(*text));
  });
  out.port_mappings = port_mappings(item["port_mappings"]);
  return out;
}

Rlimit rlimit(const JsonField& item) {
  return {item["type"].required_text(), item["soft"].whole(), item["hard"].whole()};
}

/// CapabilityInfo: absent is not the same as an empty list.
std::optional<std::vector<std::string>> capabilities(const JsonField& info) {
  if (!info.present()) return std::nullopt;
  std::vector<std::string> out;
  info["capabilities"].each([&out](const JsonField& item) {
    out.push_back(item.text_or_empty());
    if (out.back().empty() || out.back() == "UNKNOWN") item.expected("the name of a capability");
  });
  return out;
}

LinuxInfo linux_info(const JsonField& linux) {
  LinuxInfo out;
  out.effective_capabilities = capabilities(linux["effective_capabilities"]);
  // Before Mesos 1.3 there was one set.
  if (!out.effective_capabilities)
    out.effective_capabilities = capabilities(linux["capability_info"]);
  out.bounding_capabilities = capabilities(linux["bounding_capabilities"]);
  out.share_cgroups = linux["share_cgroups"].flag();
  out.share_pid_namespace = linux["share_pid_namespace"].flag();
  return out;
}

ContainerInfo container_info(const JsonField& container) {
  ContainerInfo out;
  out.type = container["type"].text_or_empty();
  out.hostname = container["hostname"].text_or_empty();
  if (const JsonField docker = container["docker"]; docker.present()) {
    out.docker = docker_info(docker);
  }
  container["volumes"].each([&out](const JsonField& item) { out.volumes.push_back(volume(item)); });
  container["network_infos"].each(
      [&out](const JsonField& item) { out.network_infos.push_back(network_info(item)); });
  container["rlimit_info"]["rlimits"].each(
      [&out](const JsonField& item) { out.rlimits.push_back(rlimit(item)); });
  out.linux_info = linux_info(container["linux_info"]);
  return out;
}

/// Roles and reservations split one resource into several entries.
std::map<std::string, double> scalars(const JsonField& resources) {
  std::map<std::string, double> out;
  resources.each([&out](const JsonField& item) {
    const JsonField scalar = item["scalar"];
    if (scalar.present()) {
      out[item["name"].required_text()] += scalar["value"].amount().value_or(0);
    }
  });
  return out;
}

/// TaskInfo.limits: a map of scalars.
std::map<std::string, double> limits(const JsonField& map) {
  std::map<std::string, double> out;
  map.members([&out](const std::string& name, const JsonField& scalar) {
    if (const auto amount = scalar["value"].amount()) out[name] = *amount;
  });
  return out;
}

std::optional<nanoseconds> duration(const JsonField& field) {
  if (!field.present()) return std::nullopt;
  const JsonField count = field["nanoseconds"];
  if (!count.present()) count.missing();
  if (const auto value = count.whole()) return nanoseconds(*value);
  return std::nullopt;
}

// ---- what cannot be launched -------------------------------------------------------------------

using Why = std::optional<std::string>;

std::string indexed(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

bool known_protocol(std::string_view word) {
  const auto words = split_blanks(word);
  if (words.size() != 1) return false;
  const std::string protocol = to_lower(words.front());
  return protocol == "tcp" || protocol == "udp" || protocol == "sctp";
}

Why why_not_mapped(const std::vector<PortMapping>& mappings) {
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const PortMapping& mapping = mappings[i];
    const std::string path = indexed("container.docker.port_mappings", i);
    if (mapping.container_port == 0)
      return path + ".container_port: expected a port from 1 to 65535, found 0";
    for (const auto& word : split(mapping.protocol, ',')) {
      if (!known_protocol(word)) {
        return path +
               ".protocol: expected tcp, udp, sctp or several of them with commas, found \"" +
               one_line(mapping.protocol, 80) + "\"";
      }
    }
  }
  return std::nullopt;
}

Why why_not_mounted(const std::vector<Volume>& volumes) {
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const Volume& volume = volumes[i];
    const std::string path = indexed("container.volumes", i);
    if (volume.container_path.empty()) return path + ".container_path: missing or empty";
  }
  return std::nullopt;
}

}  // namespace

Result<TaskInfo> parse_task_info(const json::value& value) {
  std::string problem;
  const JsonField root(&value, "", problem);
  if (!value.is_object()) {
    return Error{ErrorKind::invalid, "the TaskInfo is not a JSON object"};
  }
  TaskInfo out;
  const JsonField task_id = root["task_id"]["value"];
  out.task_id = task_id.required_text();
  if (out.task_id.empty()) task_id.wrong("empty");
  out.name = root["name"].text_or_empty();
  out.agent_id = root["agent_id"]["value"].text_or_empty();
  const JsonField executor = root["executor"];
  out.executor_id = executor["executor_id"]["value"].text_or_empty();
  executor["command"]["environment"]["variables"].each([&out](const JsonField& item) {
    out.executor_environment.push_back(environment_variable(item));
  });
  out.resources = scalars(root["resources"]);
  out.limits = limits(root["limits"]);
  if (const JsonField container = root["container"]; container.present()) {
    out.container = container_info(container);
  }
  out.kill_grace_period = duration(root["kill_policy"]["grace_period"]);
  out.max_completion_time = duration(root["max_completion_time"]);
  out.health_check = read_health_check(root["health_check"]);
  out.check = read_check(root["check"]);
  if (!problem.empty()) return Error{ErrorKind::invalid, problem};
  out.json = json_text(value);
  return out;
}

std::optional<std::string> why_not_launchable(const TaskInfo& task) {
  if (!task.container) return "container: missing; this executor runs Docker containers only";
  const ContainerInfo& container = *task.container;
  if (container.type != "DOCKER") {
    return "container.type: expected DOCKER, found \"" + one_line(container.type, 80) + "\"";
  }
  if (!container.docker) return "container.docker: missing";
  const DockerInfo& docker = *container.docker;
  if (split_blanks(docker.image).empty()) return "container.docker.image: missing or empty";
  if (auto why = why_not_mapped(docker.port_mappings)) return why;
  if (docker.network == DockerNetwork::user &&
      (container.network_infos.empty() || container.network_infos.front().name.empty())) {
    return "container.network_infos[0].name: missing; network USER needs the name of a Docker "
           "network";
  }
  return why_not_mounted(container.volumes);
}

std::optional<std::string> executor_variable(const TaskInfo& task, std::string_view name) {
  // The last counts, as in the container's environment.
  const auto& all = task.executor_environment;
  const auto found = std::find_if(all.rbegin(), all.rend(),
                                  [name](const auto& variable) { return variable.name == name; });
  if (found == all.rend()) return std::nullopt;
  if (found->type == EnvironmentVariable::Type::secret && found->secret_value)
    return base64_decode(*found->secret_value).value_or("");
  return found->value.value_or("");
}

}  // namespace sidecar_executor::mesos
