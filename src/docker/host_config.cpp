#include "docker/host_config.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;

constexpr std::uint32_t highest_port = 65'535;
constexpr std::size_t longest_shown = 200;

// runc's limits; Docker refuses less.
constexpr std::int64_t cpu_period = 50'000;
constexpr std::int64_t least_cpu_quota = 1'000;
constexpr std::int64_t least_cpu_shares = 2;
constexpr std::int64_t most_cpu_shares = 1'024;
constexpr double bytes_per_mib = 1'048'576;

Error invalid(std::string message) { return Error{ErrorKind::invalid, std::move(message)}; }

std::string indexed(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

/// `tcp`, `udp,tcp`, ` tcp , udp `, nothing = tcp. Error: what was expected.
Result<std::vector<std::string>> protocols_of(const std::string& text) {
  auto out = split(text, ',');
  if (out.empty()) out.emplace_back("tcp");
  for (auto& word : out) {
    const auto words = split_blanks(word);
    word = words.size() == 1 ? to_lower(words.front()) : std::string{};
    if (word != "tcp" && word != "udp" && word != "sctp")
      return invalid("expected tcp, udp, sctp or several of them with commas");
  }
  return out;
}

void bind_port(json::object& host_config, const std::string& port, const std::string& host_port) {
  auto& bindings = host_config["PortBindings"];
  if (!bindings.is_object()) bindings.emplace_object();
  auto& bound = bindings.get_object()[port];
  if (!bound.is_array()) bound.emplace_array();
  // The same mapping twice would make the second bind fail with "port is already allocated".
  const json::value binding = json::object{{"HostPort", host_port}};
  auto& list = bound.get_array();
  if (std::find(list.begin(), list.end(), binding) == list.end()) list.push_back(binding);
}

/// What is wrong with a volume, its field in front; empty when it can be a bind.
std::string why_no_bind(const mesos::Volume& volume) {
  const auto relative = [](const char* field, const std::string& path) {
    return std::string(field) + ": \"" + one_line(path, longest_shown) +
           "\" is relative, which is not supported yet";
  };
  if (volume.container_path.empty()) return ".container_path: missing or empty";
  if (volume.source != mesos::Volume::Source::none)
    return ".source: volumes with a source are not supported yet";
  if (!volume.host_path || volume.host_path->empty())
    return ": volumes without host_path are not supported yet";
  if (!volume.host_path->starts_with('/')) return relative(".host_path", *volume.host_path);
  if (!volume.container_path.starts_with('/'))
    return relative(".container_path", volume.container_path);
  // Binds are `host:container:mode`, without any way to quote.
  if ((*volume.host_path + volume.container_path).find(':') != std::string::npos)
    return ": paths with a colon are not supported yet";
  return {};
}

std::optional<double> resource(const mesos::TaskInfo& task, const std::string& name) {
  const auto found = task.resources.find(name);
  if (found == task.resources.end()) return std::nullopt;
  return found->second;
}

/// Go's int(x), without the undefined behaviour of numbers that do not fit.
std::int64_t whole(double value) {
  constexpr double most = 9e18;
  if (!(value > 0)) return 0;  // NaN too
  return static_cast<std::int64_t>(std::min(value, most));
}

void add_cpu_limit(double cpus, bool use_shares, double host_cpus, json::object& host_config) {
  if (use_shares) {
    const double part = std::min(cpus / std::max(host_cpus, 1.0), 1.0);
    host_config["CpuShares"] = std::max(whole(part * most_cpu_shares), least_cpu_shares);
    return;
  }
  host_config["CpuPeriod"] = cpu_period;
  host_config["CpuQuota"] = std::max(whole(cpus * cpu_period), least_cpu_quota);
}

}  // namespace

Result<void> add_ports(const std::vector<mesos::PortMapping>& mappings, json::object& body,
                       json::object& host_config, std::vector<std::string>& env) {
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const auto& mapping = mappings[i];
    const auto path = indexed("container.docker.port_mappings", i);
    if (mapping.container_port == 0 || mapping.container_port > highest_port)
      return invalid(path + ".container_port: expected a port from 1 to 65535");
    if (mapping.host_port > highest_port)
      return invalid(path + ".host_port: expected a port from 0 to 65535");
    const auto protocols = protocols_of(mapping.protocol);
    if (!protocols) return protocols.error().during(path + ".protocol");
    const auto container_port = std::to_string(mapping.container_port);
    const auto host_port = std::to_string(mapping.host_port);
    auto& exposed = body["ExposedPorts"];
    if (!exposed.is_object()) exposed.emplace_object();
    for (const auto& protocol : *protocols) {
      const auto port = container_port + '/' + protocol;
      exposed.get_object()[port].emplace_object();
      if (mapping.host_port > 0) bind_port(host_config, port, host_port);
    }
    if (mapping.host_port > 0) env.push_back("MESOS_PORT_" + container_port + "=" + host_port);
  }
  return boost::system::in_place_value;
}

Result<json::array> binds_of(const std::vector<mesos::Volume>& volumes) {
  json::array out;
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    const auto& volume = volumes[i];
    if (auto why = why_no_bind(volume); !why.empty())
      return invalid(indexed("container.volumes", i) + why);
    out.emplace_back(*volume.host_path + ":" + volume.container_path +
                     (volume.has_mode && volume.read_only ? ":ro" : ""));
  }
  return out;
}

Result<std::string> network_mode(const mesos::ContainerInfo& container) {
  switch (container.docker ? container.docker->network : mesos::DockerNetwork::absent) {
    case mesos::DockerNetwork::host:
      return std::string("host");
    case mesos::DockerNetwork::none:
      return std::string("none");
    case mesos::DockerNetwork::bridge:
    case mesos::DockerNetwork::absent:
      return std::string("default");
    case mesos::DockerNetwork::user:
      break;
  }
  const auto& infos = container.network_infos;
  if (infos.empty() || infos.front().name.empty())
    return invalid(
        "container.network_infos[0].name: missing; network USER needs the name of a Docker "
        "network");
  return infos.front().name;
}

void add_limits(const mesos::TaskInfo& task, const Settings& settings, double host_cpus,
                json::object& host_config, std::vector<std::string>& log_warnings) {
  if (settings.force_cpu_limit) {
    if (const auto cpus = resource(task, "cpus")) {
      add_cpu_limit(*cpus, settings.use_cpu_shares, host_cpus, host_config);
    } else {
      log_warnings.emplace_back("The task has no cpus, ForceCpuLimit has nothing to force");
    }
  }
  if (!settings.force_memory_limit) return;
  const auto memory = whole(resource(task, "mem").value_or(0) * bytes_per_mib);
  if (memory > 0) {
    host_config["Memory"] = memory;
  } else {  // Docker takes 0 for no limit
    log_warnings.emplace_back("The task has no mem, ForceMemoryLimit has nothing to force");
  }
}

}  // namespace sidecar_executor::docker
