// TaskInfo → container: read, judged and mapped, the same each time, and never by an exception.
#include <boost/json.hpp>
#include <filesystem>

#include "docker/container_spec.hpp"
#include "fuzz/fuzz_target.hpp"
#include "mesos/task_info.hpp"

namespace json = boost::json;
namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

sx::Result<sx::docker::ContainerSpec> container(const sx::mesos::TaskInfo& task) {
  sx::Settings settings;
  settings.force_cpu_limit = true;
  settings.force_memory_limit = true;
  sx::docker::SpecInputs inputs;
  inputs.settings = &settings;
  inputs.executor_environment = [&task](std::string_view name) {
    return sx::mesos::executor_variable(task, name);
  };
  inputs.read_file = [](const std::string&) -> sx::Result<std::string> {
    return std::string("A=1\n# no\nB\n");
  };
  inputs.sandbox = "/sandbox";
  inputs.host_cpus = 4;
  return sx::docker::make_container_spec(task, inputs);
}

void check_container(const sx::mesos::TaskInfo& task) {
  const auto made = container(task);
  const auto again = container(task);
  require(made.has_value() == again.has_value(), "the same each time");
  if (!made) {
    require(made.error().kind == sx::ErrorKind::invalid && !made.error().message.empty(),
            "a refusal names its reason");
    return;
  }
  const auto body = sx::docker::create_body(*made, made->env);
  require(body == sx::docker::create_body(*again, again->env), "the same body each time");
  boost::system::error_code failed;
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  const auto parsed = json::parse(body, failed, {}, options);
  require(!failed && parsed.is_object(), "Docker gets a JSON object");
  require(parsed.as_object().contains("Image"), "with an image");
  for (const auto& directory : made->directories) {
    const auto leads_to = std::filesystem::path(directory).lexically_normal().string();
    require(!directory.starts_with("/sandbox") || leads_to.starts_with("/sandbox/"),
            "folders are made below the sandbox");
  }
  for (const auto& variable : made->env) sx::docker::shown_variable(*made, variable);
}

}  // namespace

SX_FUZZ_TARGET(task_info) {
  json::parse_options options;
  options.max_depth = 64;
  options.allow_invalid_utf8 = true;
  boost::system::error_code failed;
  const auto value = json::parse(input, failed, {}, options);
  if (failed) return;
  const auto task = sx::mesos::parse_task_info(value);
  if (!task) {
    require(task.error().kind == sx::ErrorKind::invalid && !task.error().message.empty(),
            "an error names its field");
    return;
  }
  require(!task->task_id.empty() || sx::mesos::why_not_launchable(*task).has_value() ||
              value.as_object().contains("task_id"),
          "a task has an id");
  const auto again = sx::mesos::parse_task_info(json::parse(task->json, {}, options));
  require(again && again->task_id == task->task_id && again->json == task->json,
          "what goes back to the agent is what came");
  if (!sx::mesos::why_not_launchable(*task)) check_container(*task);
}
