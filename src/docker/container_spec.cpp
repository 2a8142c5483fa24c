#include "docker/container_spec.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "base/redact.hpp"
#include "base/text.hpp"
#include "docker/body_parts.hpp"
#include "docker/host_config.hpp"
#include "docker/image_ref.hpp"
#include "docker/network_config.hpp"
#include "docker/parameters.hpp"
#include "docker/secret_variable.hpp"
#include "docker/volumes.hpp"

namespace sidecar_executor::docker {
namespace {

namespace json = boost::json;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// The executor's own credentials: they reach it through the task's executor environment and are
/// not the container's business (behaviour.md 10).
constexpr std::string_view own_credentials[] = {"VAULT_TOKEN", "VAULT_USERNAME", "VAULT_PASSWORD",
                                                "VAULT_SECRET_ID",
                                                "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"};
constexpr std::size_t longest_shown = 100;
constexpr std::string_view command_label = "executor.ShellCommand";

/// The parts of a spec while it grows. One function a part of docker.md's table.
class Builder {
 public:
  Builder(const mesos::TaskInfo& task, const SpecInputs& inputs)
      : task_(task), docker_(*task.container->docker), inputs_(inputs) {}

  Result<ContainerSpec> build() {
    for (const auto step :
         {&Builder::image, &Builder::parameters, &Builder::environment, &Builder::host}) {
      auto done = (this->*step)();
      if (!done) return done.error();
    }
    generated_environment();
    command();
    labels();
    fields();
    out_.body["HostConfig"] = std::move(host_);
    return std::move(out_);
  }

 private:
  Result<void> image();
  Result<void> parameters();
  Result<void> environment();
  Result<void> host();
  void network(NetworkPlan plan);
  Result<void> volumes();
  Result<std::string> value_of(const mesos::EnvironmentVariable& variable, const std::string& path);
  void put_field(json::value& there, json::value wanted, std::string_view flag,
                 std::string_view field);
  void generated_environment();
  void command();
  void labels();
  void fields();

  [[nodiscard]] bool is_passed_on(const std::string& name) const;
  [[nodiscard]] const std::string* label(std::string_view name) const;
  void add_env(std::string_view name, std::string_view value) {
    out_.env.push_back(std::string(name) + "=" + std::string(value));
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
  const bool strict = inputs_.settings->strict_parameters;
  auto read = read_parameters(docker_.parameters, {inputs_.executor_environment, inputs_.read_file,
                                                   inputs_.sandbox, strict});
  if (!read) return read.error();
  auto networks = plan_networks(*task_.container, *read, strict);
  if (!networks) return networks.error();
  out_.env = std::move(read->env);
  task_labels_ = std::move(read->labels);
  out_.warnings = std::move(read->warnings);
  out_.notes = std::move(read->notes);
  out_.needs = std::move(read->needs);
  out_.strict = strict;
  for (auto& member : read->body) {
    if (member.key() == "HostConfig") {
      host_ = std::move(member.value().get_object());
    } else {
      out_.body[member.key()] = std::move(member.value());
    }
  }
  out_.platform = std::move(read->platform);
  network(std::move(*networks));
  return boost::system::in_place_value;
}

void Builder::network(NetworkPlan plan) {
  if (!plan.endpoint.empty()) {
    json::object endpoints;
    endpoints[plan.mode] = std::move(plan.endpoint);
    out_.body["NetworkingConfig"] = json::object{{"EndpointsConfig", std::move(endpoints)}};
  }
  if (!plan.mac_address.empty()) out_.body["MacAddress"] = plan.mac_address;
  host_["NetworkMode"] = plan.mode;
  out_.more_networks = std::move(plan.more);
}

bool Builder::is_passed_on(const std::string& name) const {
  if (inputs_.settings->pass_vault_credentials) return true;
  const auto& own = own_credentials;
  if (std::find(std::begin(own), std::end(own), name) == std::end(own)) return true;
  return std::any_of(out_.env.begin(), out_.env.end(), [&name](const std::string& parameter) {
    return parameter.starts_with(name + "=");
  });
}

Result<std::string> Builder::value_of(const mesos::EnvironmentVariable& variable,
                                      const std::string& path) {
  if (variable.type != mesos::EnvironmentVariable::Type::secret) return variable.value.value_or("");
  auto secret = secret_value(variable);
  if (!secret) return secret.error().during(path);
  // A vault:// reference is no secret, and shown; what it stands for is resolved at the launch.
  if (variable.secret_value) out_.secret_names.push_back(variable.name);
  return secret;
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
    const bool has_equals = variable.name.find('=') != std::string::npos;
    if (variable.name.empty() || has_equals) {
      // dockerd refuses `=value`; `A=B` would be A to all who look for a secret by its name.
      out_.warnings.push_back(path + (has_equals ? " has a = in its name" : " has no name") +
                              ", ignoring");
      continue;
    }
    auto value = value_of(variable, path + " (" + one_line(variable.name, longest_shown) + ")");
    if (!value) return value.error();
    env.push_back(variable.name + "=" + *value);
  }
  std::move(out_.env.begin(), out_.env.end(), std::back_inserter(env));
  out_.env = std::move(env);
  return boost::system::in_place_value;
}

Result<void> Builder::host() {
  const auto& container = *task_.container;
  auto ports = add_ports(docker_.port_mappings, "container.docker.port_mappings", out_.body, host_,
                         port_env_);
  if (!ports) return ports;
  for (std::size_t i = 0; i < container.network_infos.size(); ++i) {
    ports = add_ports(container.network_infos[i].port_mappings,
                      indexed("container.network_infos", i) + ".port_mappings", out_.body, host_,
                      port_env_);
    if (!ports) return ports;
  }
  auto mounted = volumes();
  if (!mounted) return mounted;
  put_limits(forced_limits(task_, *inputs_.settings, inputs_.host_cpus, out_.log_warnings), host_,
             out_.warnings);
  auto limited = add_rlimits(container.rlimits, host_, out_.warnings);
  if (!limited) return limited;
  return add_linux_info(container.linux_info, host_, out_.warnings, out_.log_warnings);
}

Result<void> Builder::volumes() {
  const bool has_driver = !docker_.volume_driver.empty() || host_.contains("VolumeDriver");
  auto plan = plan_volumes(task_.container->volumes, inputs_.sandbox, has_driver);
  if (!plan) return plan.error();
  put_volumes(*plan, host_, out_.warnings);
  out_.directories = std::move(plan->directories);
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
    if (name != command_label) out_.labels.emplace_back(name, value);
  for (const auto& [name, value] : inputs_.own_labels)
    if (label(name) == nullptr) out_.labels.emplace_back(name, value);
  if (out_.labels.empty()) return;
  json::object all;
  for (const auto& [name, value] : out_.labels) all[name] = value;
  out_.body["Labels"] = std::move(all);
}

/// The field wins over the parameter that left its value in `there`.
void Builder::put_field(json::value& there, json::value wanted, std::string_view flag,
                        std::string_view field) {
  if (!there.is_null() && there != wanted)
    out_.warnings.push_back("parameter \"" + std::string(flag) + "\": " + std::string(field) +
                            " says something else and wins, ignoring");
  there = std::move(wanted);
}

void Builder::fields() {
  if (docker_.privileged && (*docker_.privileged || host_.contains("Privileged")))
    put_field(host_["Privileged"], *docker_.privileged, "privileged",
              "container.docker.privileged");
  const auto& hostname = task_.container->hostname;
  if (!hostname.empty())
    put_field(out_.body["Hostname"], json::value(hostname), "hostname", "container.hostname");
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

std::string without_secret(const ContainerSpec& spec, const std::string& assignment) {
  const auto name = assignment.substr(0, assignment.find('='));
  const auto& secret = spec.secret_names;
  const bool hidden = std::find(secret.begin(), secret.end(), name) != secret.end();
  return hidden ? name + "=[REDACTED]" : assignment;
}

std::string shown_variable(const ContainerSpec& spec, const std::string& assignment) {
  return redact_assignment(without_secret(spec, assignment));
}

std::string create_body(const ContainerSpec& spec, const std::vector<std::string>& resolved_env) {
  json::object body = spec.body;
  body["Env"] = json::array(resolved_env.begin(), resolved_env.end());
  return json::serialize(body);
}

}  // namespace sidecar_executor::docker
