#include "app/executor_mode.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <exception>

#include "app/environment.hpp"
#include "app/process_facts.hpp"
#include "base/log.hpp"
#include "base/version.hpp"
#include "mesos/agent_session.hpp"
#include "net/resolver.hpp"
#include "task/runner.hpp"

namespace sidecar_executor::app {
namespace {

constexpr int exit_config = 78;    // EX_CONFIG
constexpr int exit_software = 70;  // EX_SOFTWARE

void ignore_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGHUP, SIG_IGN);
}

std::string joined(const std::vector<std::string>& problems) {
  std::string out;
  for (const auto& problem : problems) out += (out.empty() ? "bad settings: " : "; ") + problem;
  return out;
}

std::vector<std::pair<std::string, std::string>> own_labels(const mesos::AgentEnvironment& agent) {
  const std::string prefix = "io.sidecar-executor.";
  return {{prefix + "version", SX_VERSION},
          {prefix + "framework-id", agent.identity.framework_id},
          {prefix + "executor-id", agent.identity.executor_id},
          {prefix + "agent-id", agent.agent_id},
          {prefix + "sandbox", agent.sandbox},
          {prefix + "pid", std::to_string(::getpid())},
          {prefix + "pid-start", process_start_mark()},
          {prefix + "pid-namespace", pid_namespace()}};
}

}  // namespace

void protect_memory() {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

int run_executor() {
  protect_memory();
  ignore_signals();
  net::use_builtin_name_services();
  OutputBuffer out(STDOUT_FILENO);
  OutputBuffer err(STDERR_FILENO);
  Log log(out);

  const Lookup environment = process_environment();
  LoadedSettings loaded = load_settings(environment, environment_names(), host_name());
  log.set_debug(loaded.settings.debug);
  log_setup(log, loaded);

  std::vector<std::string> problems = loaded.problems;
  auto agent = mesos::load_agent_environment(environment);
  problems.insert(problems.end(), agent.problems.begin(), agent.problems.end());
  auto engine = docker::engine_address(environment);
  if (!engine) problems.push_back(engine.error().message);
  for (const auto& problem : problems) log.error("Bad setting", {{"problem", problem}});
  if (!agent.reachable) {
    err.write("sidecar-executor: " + joined(problems) + "\n");
    err.write("sidecar-executor is started by a Mesos agent; see sidecar-executor --help\n");
    return exit_config;
  }

  task::RunnerConfig config;
  config.settings = std::move(loaded.settings);
  config.agent = agent.environment;
  if (engine) config.docker = *engine;
  config.environment = environment;
  config.setup_problem = joined(problems);
  config.own_labels = own_labels(agent.environment);

  asio::io_context loop(1);
  task::Runner runner(loop, std::move(config), log, err);
  try {
    runner.start();
    loop.run();
  } catch (const std::exception& bug) {
    log.fatal("Bug in the executor, giving up; a container of this task may still run",
              {{"what", bug.what()}});
    err.write(std::string("sidecar-executor: bug: ") + bug.what() +
              "; a container of this task may still run\n");
    return exit_software;
  }
  return runner.exit_code();
}

}  // namespace sidecar_executor::app
