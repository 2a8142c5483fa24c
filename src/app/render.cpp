#include "app/render.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <iostream>

#include "app/environment.hpp"
#include "app/singularity_deploy.hpp"
#include "base/file.hpp"
#include "base/go_duration.hpp"
#include "base/pretty_json.hpp"
#include "base/text.hpp"
#include "docker/container_spec.hpp"
#include "docker/host_files.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::app {
namespace {

namespace json = boost::json;

constexpr int exit_refused = 1;
constexpr std::size_t largest_file = 16U * 1024 * 1024;
constexpr int exit_no_input = 66;  // EX_NOINPUT
constexpr int exit_config = 78;    // EX_CONFIG

/// Members of an object that the executor does not read.
void list_unread(std::ostream& err, const json::value* value, const std::string& path,
                 std::initializer_list<std::string_view> read) {
  if (value == nullptr || !value->is_object()) return;
  for (const auto& member : value->get_object()) {
    const std::string_view name = member.key();
    if (std::find(read.begin(), read.end(), name) == read.end())
      err << "ignored: " << path << name << ": not used by the executor\n";
  }
}

const json::value* at(const json::value* value, std::string_view key) {
  return value != nullptr && value->is_object() ? value->get_object().if_contains(key) : nullptr;
}

/// The agent's JSON has every field that has a default; a file made by hand may not.
void list_defaults(std::ostream& err, const json::value& task) {
  const auto* docker = at(at(&task, "container"), "docker");
  if (docker != nullptr && at(docker, "network") == nullptr)
    err << "note: container.docker.network is missing; Mesos makes HOST of that\n";
}

void list_unread_fields(std::ostream& err, const json::value& task) {
  list_unread(err, &task, "",
              {"name", "task_id", "agent_id", "resources", "limits", "executor", "container",
               "kill_policy", "max_completion_time", "health_check", "check"});
  const auto* health_check = at(&task, "health_check");
  list_unread(err, health_check, "health_check.",
              {"type", "command", "http", "tcp", "delay_seconds", "interval_seconds",
               "timeout_seconds", "consecutive_failures", "grace_period_seconds"});
  list_unread(err, at(health_check, "http"), "health_check.http.",
              {"port", "protocol", "scheme", "path", "statuses"});
  list_unread(
      err, at(&task, "check"), "check.",
      {"type", "command", "http", "tcp", "delay_seconds", "interval_seconds", "timeout_seconds"});
  const auto* container = at(&task, "container");
  list_unread(
      err, container, "container.",
      {"type", "hostname", "docker", "volumes", "network_infos", "rlimit_info", "linux_info"});
  list_unread(err, at(container, "docker"), "container.docker.",
              {"image", "network", "port_mappings", "privileged", "parameters", "force_pull_image",
               "volume_driver"});
}

/// What a person can find in an editor.
std::string place_in(std::string_view text, std::size_t at) {
  const auto before = text.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " + std::to_string(column + 1);
}

Result<json::value> parse_text(std::string_view text) {
  json::stream_parser parser;
  boost::system::error_code failed;
  const auto taken = parser.write_some(text, failed);
  if (!failed && text.find_first_not_of(" \t\r\n", taken) != std::string_view::npos)
    failed = json::error::extra_data;
  if (!failed) parser.finish(failed);
  if (failed)
    return Error{ErrorKind::invalid,
                 "not JSON: " + failed.message() + " in " + place_in(text, taken)};
  return parser.release();
}

Error unknown_form(const json::value& document) {
  std::string found = "no object";
  if (document.is_object()) {
    found = document.get_object().empty() ? "an empty object" : "an object with";
    const char* separator = " ";
    for (const auto& member : document.get_object()) {
      found += separator + std::string(member.key());
      separator = ", ";
    }
  }
  constexpr std::size_t longest = 200;
  return {ErrorKind::invalid,
          "expected a TaskInfo (task_id, container), a LAUNCH event (launch) or a Singularity "
          "deploy (deploy or containerInfo), found " +
              one_line(found, longest)};
}

/// The TaskInfo in the text, whatever form it has.
Result<json::value> task_in(const std::string& text, std::ostream& err) {
  auto document = parse_text(text);
  if (!document) return document;
  if (!document->is_object()) return unknown_form(*document);
  const auto& object = document->get_object();
  if (const auto* launch = at(&*document, "launch")) {
    const auto* task = at(launch, "task");
    if (task == nullptr) return Error{ErrorKind::invalid, "launch.task: missing"};
    return *task;
  }
  if (object.contains("task_id")) return document;
  if (!is_singularity_deploy(object)) return unknown_form(*document);
  auto deployed = task_of_deploy(object);
  if (!deployed) return deployed.error();
  for (const auto& line : deployed->unused) err << "ignored: " << line << "\n";
  for (const auto& line : deployed->notes) err << "note: " << line << "\n";
  return json::value(std::move(deployed->task));
}

/// As the agent starts the executor: the task's variables over the host's.
LoadedSettings settings_of(const mesos::TaskInfo& task, const RenderInputs& inputs) {
  auto names = inputs.environment_names;
  for (const auto& variable : task.executor_environment) names.push_back(variable.name);
  const Lookup lookup = [&](std::string_view name) {
    auto own = mesos::executor_variable(task, name);
    return own ? own : inputs.environment(name);
  };
  return load_settings(lookup, names, "HOSTNAME");
}

/// What of this process's environment got into the container's: whoever renders a definition has
/// other variables than the executor that will run it, and they are nobody's business.
class OwnVariables {
 public:
  explicit OwnVariables(Lookup environment) : environment_(std::move(environment)) {}

  std::optional<std::string> look_up(std::string_view name) {
    auto value = environment_(name);
    if (value) taken_.push_back(std::string(name) + "=" + *value);
    return value;
  }
  /// `NAME=[REDACTED]` for one of them.
  [[nodiscard]] std::string shown(const std::string& assignment) const {
    const bool taken = std::find(taken_.begin(), taken_.end(), assignment) != taken_.end();
    return taken ? name_of(assignment) + "=[REDACTED]" : assignment;
  }
  void list(std::ostream& err) const {
    for (const auto& assignment : taken_)
      err << "note: the value of " << name_of(assignment)
          << " is this process's own, not shown; the executor takes its own at the launch\n";
  }

 private:
  static std::string name_of(const std::string& assignment) {
    return assignment.substr(0, assignment.find('='));
  }
  Lookup environment_;
  std::vector<std::string> taken_;
};

docker::SpecInputs spec_inputs(const Settings& settings, const RenderInputs& inputs,
                               OwnVariables& own) {
  docker::SpecInputs out;
  out.settings = &settings;
  out.executor_environment = [&own](std::string_view name) { return own.look_up(name); };
  out.read_file = docker::read_host_file;
  out.sandbox = inputs.environment("MESOS_SANDBOX").value_or("$MESOS_SANDBOX");
  out.host_cpus = inputs.host_cpus;
  return out;
}

/// What only a launch knows.
void list_additions(const docker::ContainerSpec& spec, const Settings& settings,
                    std::ostream& err) {
  err << "note: labels io.sidecar-executor.* are added at the launch\n";
  if (settings.seed_sidecar) err << "note: SIDECAR_SEEDS is added at the launch\n";
  if (!settings.aws_role.empty())
    err << "note: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are added at the launch\n";
  if (!spec.platform.empty()) err << "note: asked for with platform=" << spec.platform << "\n";
  for (const auto& network : spec.more_networks) {
    err << "note: then connected to network " << network.name;
    if (!network.endpoint.empty()) err << " with " << json::serialize(network.endpoint);
    err << "\n";
  }
  for (const auto& folder : spec.directories)
    err << "note: " << folder << " is made when it is missing\n";
}

void list_check(const mesos::Check& check, std::string_view field, std::ostream& err) {
  err << "note: " << field << " of type " << to_string(check.type()) << ", first after "
      << format_for_people(check.delay) << ", then every " << format_for_people(check.interval);
}

/// What watches the container beside Sidecar.
void list_checks(const mesos::TaskInfo& task, std::ostream& err) {
  if (task.health_check) {
    list_check(task.health_check->check, "health_check", err);
    err << "; fails the task after " << task.health_check->consecutive_failures
        << " failures in a row\n";
  }
  if (task.check) {
    list_check(*task.check, "check", err);
    err << "\n";
  }
}

void print_body(const docker::ContainerSpec& spec, const OwnVariables& own, std::ostream& out) {
  std::vector<std::string> shown;
  shown.reserve(spec.env.size());
  for (const auto& assignment : spec.env)
    shown.push_back(docker::without_secret(spec, own.shown(assignment)));
  out << pretty_json(json::parse(docker::create_body(spec, shown)));
  out << "\n";
}

int refuse(std::ostream& err, const std::string& why) {
  err << "refused: " << why << "\n";
  return exit_refused;
}

}  // namespace

int render(const RenderInputs& inputs, std::ostream& out, std::ostream& err) {
  const auto json = task_in(inputs.text, err);
  if (!json) return refuse(err, json.error().message);
  const auto task = mesos::parse_task_info(*json);
  if (!task) return refuse(err, task.error().message);
  const auto loaded = settings_of(*task, inputs);
  for (const auto& warning : loaded.warnings) err << "warning: " << warning << "\n";
  for (const auto& problem : loaded.problems) err << "bad setting: " << problem << "\n";
  if (!loaded.problems.empty()) return exit_config;
  if (const auto why = mesos::why_not_launchable(*task)) return refuse(err, *why);
  OwnVariables own(inputs.environment);
  const auto spec = docker::make_container_spec(*task, spec_inputs(loaded.settings, inputs, own));
  if (!spec) return refuse(err, spec.error().message);
  list_unread_fields(err, *json);
  list_defaults(err, *json);
  for (const auto& warning : spec->warnings) err << "warning: " << warning << "\n";
  for (const auto& warning : spec->log_warnings) err << "warning: " << warning << "\n";
  for (const auto& note : spec->notes) err << "ignored: " << note << "\n";
  list_additions(*spec, loaded.settings, err);
  list_checks(*task, err);
  own.list(err);
  print_body(*spec, own, out);
  return 0;
}

int render_file(const std::string& path) {
  const FileDescriptor file(path == "-" ? ::dup(STDIN_FILENO)
                                        : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  auto text = file.get() < 0 ? Result<std::string>(file_error(path, errno))
                             : read_up_to(file.get(), path, largest_file);
  if (!text) {
    std::cerr << "sidecar-executor: " << text.error().message << "\n";
    return exit_no_input;
  }
  if (text->size() > largest_file) {
    std::cerr << "sidecar-executor: " << path << ": larger than 16 MiB, this is no task\n";
    return exit_no_input;
  }
  RenderInputs inputs;
  inputs.text = std::move(*text);
  inputs.environment = process_environment();
  inputs.environment_names = environment_names();
  inputs.host_cpus = static_cast<double>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  return render(inputs, std::cout, std::cerr);
}

}  // namespace sidecar_executor::app
