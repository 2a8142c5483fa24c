#include "docker/container_spec.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "base/text.hpp"
#include "docker/host_config.hpp"
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

Error invalid(std::string message) { return Error{ErrorKind::invalid, std::move(message)}; }

std::string indexed(std::string_view list, std::size_t index) {
  return std::string(list) + "[" + std::to_string(index) + "]";
}

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

Result<void> Builder::host() {
  auto ports = add_ports(docker_.port_mappings, out_.body, host_, port_env_);
  if (!ports) return ports;
  auto binds = binds_of(task_.container->volumes);
  if (!binds) return binds.error();
  if (!binds->empty()) host_["Binds"] = std::move(*binds);
  auto mode = network_mode(*task_.container);
  if (!mode) return mode.error();
  host_["NetworkMode"] = std::move(*mode);
  add_limits(task_, *inputs_.settings, inputs_.host_cpus, host_, out_.log_warnings);
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
