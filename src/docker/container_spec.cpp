#include "docker/container_spec.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cmath>
#include <set>

#include "base/text.hpp"
#include "docker/image_ref.hpp"
#include "docker/parameters.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// The executor's own credentials: they reach it through the task's executor environment and are
/// not the container's business (behaviour.md 10).
constexpr std::string_view own_credentials[] = {"VAULT_TOKEN", "VAULT_USERNAME", "VAULT_PASSWORD",
                                                "VAULT_SECRET_ID",
                                                "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"};
constexpr std::string_view command_label = "executor.ShellCommand";

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

/// Go's int(x), without the undefined behaviour of numbers that do not fit.
std::int64_t whole(double value) {
  constexpr double most = 9e18;
  if (!(value > 0)) return 0;  // NaN too
  return static_cast<std::int64_t>(std::min(value, most));
}

/// The parts of a spec while it grows. One function a part of docker.md's table.
class Builder {
 public:
  Builder(const mesos::TaskInfo& task, const SpecInputs& inputs)
      : task_(task), docker_(*task.container->docker), inputs_(inputs) {}

  Result<ContainerSpec> build() {
    for (const auto step : {&Builder::image, &Builder::parameters, &Builder::environment,
                            &Builder::ports, &Builder::volumes, &Builder::network}) {
      auto done = (this->*step)();
      if (!done) return done.error();
    }
    generated_environment();
    command();
    labels();
    limits();
    fields();
    out_.body["HostConfig"] = std::move(host_);
    return std::move(out_);
  }

 private:
  Result<void> image();
  Result<void> parameters();
  Result<void> environment();
  Result<void> ports();
  Result<void> port_mapping(const mesos::PortMapping& mapping, const std::string& path);
  Result<void> volumes();
  Result<void> network();
  void generated_environment();
  void command();
  void labels();
  void limits();
  void cpu_limit();
  void fields();

  [[nodiscard]] bool is_passed_on(const std::string& name) const;
  [[nodiscard]] const std::string* label(std::string_view name) const;
  void add_env(std::string_view name, std::string_view value) {
    out_.env.push_back(std::string(name) + "=" + std::string(value));
  }
  [[nodiscard]] std::optional<double> resource(const std::string& name) const {
    const auto found = task_.resources.find(name);
    if (found == task_.resources.end()) return std::nullopt;
    return found->second;
  }

  const mesos::TaskInfo& task_;
  const mesos::DockerInfo& docker_;
  const SpecInputs& inputs_;
  ImageRef image_;
  Labels task_labels_;
  std::vector<std::string> port_env_;
  json::object host_;  // HostConfig
  ContainerSpec out_;
};

Result<void> Builder::image() {
  auto parsed = parse_image_ref(docker_.image);
  if (!parsed) return parsed.error().during("container.docker.image");
  image_ = std::move(*parsed);
  out_.name = container_name(task_.task_id);
  out_.image = docker_.image;
  out_.body["Image"] = docker_.image;
  return boost::system::in_place_value;
}

Result<void> Builder::parameters() {
  auto read = read_parameters(docker_.parameters, inputs_.executor_environment,
                              inputs_.settings->strict_parameters);
  if (!read) return read.error();
  out_.env = std::move(read->env);
  task_labels_ = std::move(read->labels);
  out_.warnings = std::move(read->warnings);
  out_.notes = std::move(read->notes);
  for (auto& member : read->body) {
    if (member.key() == "HostConfig") {
      host_ = std::move(member.value().get_object());
    } else {
      out_.body[member.key()] = std::move(member.value());
    }
  }
  return boost::system::in_place_value;
}

bool Builder::is_passed_on(const std::string& name) const {
  if (inputs_.settings->pass_vault_credentials) return true;
  const auto& own = own_credentials;
  if (std::find(std::begin(own), std::end(own), name) == std::end(own)) return true;
  return std::any_of(out_.env.begin(), out_.env.end(), [&name](const std::string& parameter) {
    return parameter.starts_with(name + "=");
  });
}

/// In front of the env parameters, which parameters() left in out_.env.
Result<void> Builder::environment() {
  std::vector<std::string> env;
  for (std::size_t i = 0; i < task_.executor_environment.size(); ++i) {
    const auto& variable = task_.executor_environment[i];
    const auto path = indexed("executor.command.environment.variables", i);
    if (!is_passed_on(variable.name)) {
      out_.notes.push_back(variable.name +
                           " is the executor's own credential, not passed to the container");
      continue;
    }
    if (variable.type == mesos::EnvironmentVariable::Type::secret) {
      return invalid(path + " (" + one_line(variable.name, 100) +
                     "): variables of type SECRET are not supported yet");
    }
    if (variable.name.empty()) {
      // dockerd refuses `=value` as an invalid environment variable.
      out_.warnings.push_back(path + " has no name, ignoring");
      continue;
    }
    env.push_back(variable.name + "=" + variable.value.value_or(""));
  }
  std::move(out_.env.begin(), out_.env.end(), std::back_inserter(env));
  out_.env = std::move(env);
  return boost::system::in_place_value;
}

Result<void> Builder::ports() {
  for (std::size_t i = 0; i < docker_.port_mappings.size(); ++i) {
    auto done =
        port_mapping(docker_.port_mappings[i], indexed("container.docker.port_mappings", i));
    if (!done) return done;
  }
  return boost::system::in_place_value;
}

Result<void> Builder::port_mapping(const mesos::PortMapping& mapping, const std::string& path) {
  constexpr std::uint32_t highest = 65'535;
  if (mapping.container_port == 0 || mapping.container_port > highest)
    return invalid(path + ".container_port: expected a port from 1 to 65535");
  if (mapping.host_port > highest)
    return invalid(path + ".host_port: expected a port from 0 to 65535");
  const auto container_port = std::to_string(mapping.container_port);
  const auto host_port = std::to_string(mapping.host_port);
  auto protocols = split(mapping.protocol, ',');
  if (protocols.empty()) protocols.emplace_back("tcp");
  for (const auto& word : protocols) {
    const auto words = split_blanks(word);
    const auto protocol = words.size() == 1 ? to_lower(words.front()) : std::string{};
    if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
      return invalid(path + ".protocol: expected tcp, udp, sctp or several of them with commas");
    const auto port = container_port + '/' + protocol;
    auto& exposed = out_.body["ExposedPorts"];
    if (!exposed.is_object()) exposed.emplace_object();
    exposed.get_object()[port].emplace_object();
    if (mapping.host_port == 0) continue;
    auto& bindings = host_["PortBindings"];
    if (!bindings.is_object()) bindings.emplace_object();
    auto& bound = bindings.get_object()[port];
    if (!bound.is_array()) bound.emplace_array();
    // The same mapping twice would make the second bind fail with "port is already allocated".
    const json::value binding = json::object{{"HostPort", host_port}};
    auto& list = bound.get_array();
    if (std::find(list.begin(), list.end(), binding) == list.end()) list.push_back(binding);
  }
  if (mapping.host_port > 0) port_env_.push_back("MESOS_PORT_" + container_port + "=" + host_port);
  return boost::system::in_place_value;
}

Result<void> Builder::volumes() {
  json::array binds;
  for (std::size_t i = 0; i < task_.container->volumes.size(); ++i) {
    const auto& volume = task_.container->volumes[i];
    const auto path = indexed("container.volumes", i);
    if (volume.container_path.empty()) return invalid(path + ".container_path: missing or empty");
    if (volume.source != mesos::Volume::Source::none)
      return invalid(path + ".source: volumes with a source are not supported yet");
    if (!volume.host_path || volume.host_path->empty())
      return invalid(path + ": volumes without host_path are not supported yet");
    if (!volume.host_path->starts_with('/'))
      return invalid(path + ".host_path: \"" + one_line(*volume.host_path, 200) +
                     "\" is relative, which is not supported yet");
    if (!volume.container_path.starts_with('/'))
      return invalid(path + ".container_path: \"" + one_line(volume.container_path, 200) +
                     "\" is relative, which is not supported yet");
    // Binds are `host:container:mode`, without any way to quote.
    if ((*volume.host_path + volume.container_path).find(':') != std::string::npos)
      return invalid(path + ": paths with a colon are not supported yet");
    binds.emplace_back(*volume.host_path + ":" + volume.container_path +
                       (volume.has_mode && volume.read_only ? ":ro" : ""));
  }
  if (!binds.empty()) host_["Binds"] = std::move(binds);
  return boost::system::in_place_value;
}

Result<void> Builder::network() {
  using mesos::DockerNetwork;
  std::string_view mode = "default";
  const auto& infos = task_.container->network_infos;
  if (docker_.network == DockerNetwork::host) mode = "host";
  if (docker_.network == DockerNetwork::none) mode = "none";
  if (docker_.network == DockerNetwork::user) {
    if (infos.empty() || infos.front().name.empty())
      return invalid(
          "container.network_infos[0].name: missing; network USER needs the name of a "
          "Docker network");
    mode = infos.front().name;
  }
  host_["NetworkMode"] = mode;
  return boost::system::in_place_value;
}

const std::string* Builder::label(std::string_view name) const {
  const auto found = std::find_if(task_labels_.begin(), task_labels_.end(),
                                  [name](const auto& entry) { return entry.first == name; });
  return found == task_labels_.end() ? nullptr : &found->second;
}

/// Behind what the task gives, in the Go executor's order: of one name the last value counts.
void Builder::generated_environment() {
  for (const auto& [name, value] : inputs_.extra_environment) add_env(name, value);
  std::move(port_env_.begin(), port_env_.end(), std::back_inserter(out_.env));
  if (const auto host = mesos::executor_variable(task_, "TASK_HOST"))
    add_env("MESOS_HOSTNAME", *host);
  for (const auto& [name, variable] :
       {std::pair{"ServiceName", "SERVICE_NAME"}, std::pair{"Environment", "ENVIRONMENT"}}) {
    if (const auto* value = label(name)) {
      add_env(variable, *value);
    } else {
      out_.log_warnings.push_back(std::string("The task has no Docker label ") + name + ", " +
                                  variable + " is not set");
    }
  }
  if (!image_.tag.empty()) add_env("SERVICE_VERSION", image_.tag);
}

void Builder::command() {
  const auto* line = label(command_label);
  if (line == nullptr) return;
  auto words = split_shell_words(*line);
  if (!words) {
    out_.warnings.push_back("label executor.ShellCommand: quotes do not balance, split at blanks");
    words = split_blanks(*line);
  }
  if (words->empty()) return;  // the image's own command
  out_.body["Cmd"] = json::array(words->begin(), words->end());
}

void Builder::labels() {
  for (const auto& [name, value] : task_labels_)
    if (name != command_label) set_label(out_.labels, name, value);
  for (const auto& [name, value] : inputs_.own_labels)
    if (label(name) == nullptr) set_label(out_.labels, name, value);
  if (out_.labels.empty()) return;
  json::object all;
  for (const auto& [name, value] : out_.labels) all[name] = value;
  out_.body["Labels"] = std::move(all);
}

void Builder::cpu_limit() {
  const auto cpus = resource("cpus");
  if (!cpus) {
    out_.log_warnings.emplace_back("The task has no cpus, ForceCpuLimit has nothing to force");
    return;
  }
  if (inputs_.settings->use_cpu_shares) {
    const double part = std::min(*cpus / std::max(inputs_.host_cpus, 1.0), 1.0);
    host_["CpuShares"] = std::max(whole(part * most_cpu_shares), least_cpu_shares);
    return;
  }
  host_["CpuPeriod"] = cpu_period;
  host_["CpuQuota"] = std::max(whole(*cpus * cpu_period), least_cpu_quota);
}

void Builder::limits() {
  if (inputs_.settings->force_cpu_limit) cpu_limit();
  if (!inputs_.settings->force_memory_limit) return;
  const auto memory = whole(resource("mem").value_or(0) * bytes_per_mib);
  if (memory == 0) {  // Docker takes 0 for no limit
    out_.log_warnings.emplace_back("The task has no mem, ForceMemoryLimit has nothing to force");
    return;
  }
  host_["Memory"] = memory;
}

void Builder::fields() {
  if (docker_.privileged) host_["Privileged"] = true;
  if (!task_.container->hostname.empty()) out_.body["Hostname"] = task_.container->hostname;
  if (!docker_.volume_driver.empty() && !host_.contains("VolumeDriver"))
    host_["VolumeDriver"] = docker_.volume_driver;
}

}  // namespace

std::string container_name(const std::string& task_id) {
  boost::uuids::name_generator_sha1 generate{boost::uuids::uuid{}};
  return "mesos-" + boost::uuids::to_string(generate(task_id));
}

Result<ContainerSpec> make_container_spec(const mesos::TaskInfo& task, const SpecInputs& inputs) {
  if (!task.container || !task.container->docker) return invalid("container.docker: missing");
  return Builder(task, inputs).build();
}

std::string create_body(const ContainerSpec& spec, const std::vector<std::string>& resolved_env) {
  json::object body = spec.body;
  body["Env"] = json::array(resolved_env.begin(), resolved_env.end());
  return json::serialize(body);
}

}  // namespace sidecar_executor::docker
