#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "app/executor_mode.hpp"
#include "app/reap.hpp"
#include "app/render.hpp"
#include "base/settings.hpp"
#include "docker/parameters.hpp"

namespace sidecar_executor::app {
namespace {

/// Wrapper scripts of the Go executor pass `-logtostderr=true` and blank padding (room for the
/// process title): not for us.
bool is_for_the_go_executor(const std::string& argument) {
  if (argument.find_first_not_of(" \t") == std::string::npos) return true;
  return argument.size() > 1 && argument[0] == '-' && argument.find('=') != std::string::npos;
}

int run_subcommand(int argc, char** argv) {
  CLI::App app{
      "Runs one Mesos task as a Docker container. Without arguments: executor mode, as a Mesos "
      "agent\n"
      "starts it, configured by EXECUTOR_* variables (sidecar-executor docs configuration)."};
  app.name("sidecar-executor");
  app.set_version_flag("--version", "sidecar-executor " SX_VERSION);
  auto* docs = app.add_subcommand("docs", "Print documentation made from the code's own tables");
  docs->add_subcommand("configuration", "Every setting, as Markdown (docs/configuration.md)")
      ->callback([] { std::cout << settings_markdown(); });
  docs->add_subcommand("parameters", "Every Docker parameter, as Markdown (docs/parameters.md)")
      ->callback([] { std::cout << docker::parameters_markdown(); });
  docs->require_subcommand(1);
  ReapOptions reap_options;
  int code = 0;
  auto* reap_command = app.add_subcommand(
      "reap",
      "Stop containers of a sandbox whose executor is gone (executor.sh runs it at its end)");
  reap_command
      ->add_option("--sandbox", reap_options.sandbox, "the task's sandbox, as in MESOS_SANDBOX")
      ->required();
  reap_command->callback([&] { code = reap(reap_options); });
  std::string task_file;
  auto* render_command = app.add_subcommand(
      "render",
      "Print what Docker would be asked for: TaskInfo, LAUNCH event or Singularity deploy");
  render_command->add_option("task", task_file, "a JSON file, - for stdin")->required();
  render_command->callback([&] { code = render_file(task_file); });
  app.require_subcommand(0, 1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int exit_usage = 64;  // EX_USAGE; --help and --version come this way with 0
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  return code;
}

}  // namespace

int run(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (!is_for_the_go_executor(argv[i])) return run_subcommand(argc, argv);
  }
  return run_executor();
}

}  // namespace sidecar_executor::app
