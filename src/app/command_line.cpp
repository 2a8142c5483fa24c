#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "app/doctor.hpp"
#include "app/executor_mode.hpp"
#include "app/reap.hpp"
#include "app/render.hpp"
#include "base/go_duration.hpp"
#include "base/settings.hpp"
#include "base/version.hpp"
#include "docker/parameters.hpp"

namespace sidecar_executor::app {
namespace {

/// Wrapper scripts of the Go executor pass `-logtostderr=true` and blank padding (room for the
/// process title): not for us.
bool is_for_the_go_executor(const std::string& argument) {
  if (argument.find_first_not_of(" \t") == std::string::npos) return true;
  return argument.size() > 1 && argument[0] == '-' && argument.find('=') != std::string::npos;
}

/// Go's form of a duration, as in all settings.
std::string duration_problem(const std::string& text) {
  const auto value = parse_go_duration(text);
  if (!value) return value.error().message;
  return value->count() < 0 ? "is negative" : "";
}

/// A script whose variable is empty (`--task-id "$ID"`) must not get the whole host.
std::string empty_problem(const std::string& text) {
  return text.empty() ? "is empty; leave the option out to look at all containers of this host"
                      : "";
}

void add_reap(CLI::App& app, int& code) {
  auto options = std::make_shared<ReapOptions>();
  auto older_than = std::make_shared<std::string>();
  auto* command = app.add_subcommand(
      "reap", "Find containers whose executor is gone; a dry run without --stop and --remove");
  command->footer(
      "Exit code: 0 nothing is left over, or it was dealt with; 1 something may still run;\n"
      "2 something runs without its executor and --stop was not given; 69 Docker cannot be asked.");
  auto* sandbox = command
                      ->add_option("--sandbox", options->sandbox,
                                   "Stop what is left of the task with this MESOS_SANDBOX, now "
                                   "(executor.sh does so at its end)")
                      ->check(empty_problem);
  command->add_option("--task-id", options->task_id, "Only containers of this task")
      ->check(empty_problem)
      ->excludes(sandbox);
  command->add_flag("--stop", options->stop, "Stop those that run")->excludes(sandbox);
  auto* age = command
                  ->add_option("--older-than", *older_than,
                               "Look at ended ones, too, that ended so long ago, such as 6h")
                  ->check(duration_problem)
                  ->excludes(sandbox);
  command->add_flag("--remove", options->remove, "Remove those")->needs(age);
  command->callback([options, older_than, &code] {
    if (!older_than->empty()) options->older_than = parse_go_duration(*older_than).value();
    code = reap(*options);
  });
}

/// What was printed did not arrive: a full disk, a file that may not grow.
int after_output(int code) {
  constexpr int exit_output = 74;  // EX_IOERR
  std::cout.flush();
  if (std::cout || code != 0) return code;
  std::cerr << "sidecar-executor: the output cannot be written: is the disk full?\n";
  return exit_output;
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
  int code = 0;
  add_reap(app, code);
  bool as_json = false;
  auto* doctor_command = app.add_subcommand(
      "doctor",
      "Check this host the way a task would use it: a line each, and what to do about it");
  doctor_command->footer(
      "Run it as the user of tasks and with their variables. It changes nothing.\n"
      "Exit code: 0 all is well, or warnings only; 1 something failed.");
  doctor_command->add_flag("--json", as_json, "An array of {check, status, detail, advice}");
  doctor_command->callback([&] { code = doctor(as_json); });
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
    return app.exit(error) == 0 ? after_output(0) : exit_usage;
  }
  // reap's code is about containers: executor.sh would raise an alarm for a full sandbox.
  return app.got_subcommand("reap") ? code : after_output(code);
}

}  // namespace

int run(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (!is_for_the_go_executor(argv[i])) return run_subcommand(argc, argv);
  }
  return run_executor();
}

}  // namespace sidecar_executor::app
