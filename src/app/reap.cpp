#include "app/reap.hpp"

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <iostream>

#include "app/environment.hpp"
#include "app/reap_host.hpp"
#include "docker/engine.hpp"
#include "net/resolver.hpp"
#include "net/spawn.hpp"

namespace sidecar_executor::app {
namespace {

/// executor.sh has the variables of the executor that ran below it.
ReapOptions narrowed(ReapOptions options, const Lookup& environment) {
  if (options.sandbox.empty()) return options;
  options.stop = true;
  options.executor_id = environment("MESOS_EXECUTOR_ID").value_or("");
  options.framework_id = environment("MESOS_FRAMEWORK_ID").value_or("");
  return options;
}

}  // namespace

Candidate candidate_of(const docker::ContainerSummary& container) {
  const auto label = [&container](const char* name) {
    return container.label("io.sidecar-executor." + std::string(name));
  };
  return {container.id, container.name,     label("task-id"),       container.state,
          label("pid"), label("pid-start"), label("pid-namespace"), std::nullopt};
}

asio::awaitable<Result<docker::StopResult>> stop_or_kill(docker::Engine& engine, std::string id,
                                                         std::chrono::nanoseconds grace) {
  auto stopped = co_await engine.stop(id, grace);
  if (stopped) co_return stopped;
  // A paused container takes no signal.
  co_await engine.unpause(id);
  co_return co_await engine.kill(id, "SIGKILL");
}

int reap(const ReapOptions& options) {
  // Whoever reads the lines may go away (`| head`); the containers are to be stopped all the same.
  ::signal(SIGPIPE, SIG_IGN);
  net::use_builtin_name_services();
  const Lookup environment = process_environment();
  const auto where = docker::engine_address(environment);
  if (!where) {
    std::cout << "Docker cannot be asked for containers: " << where.error().message << "\n";
    return exit_unavailable;
  }
  // A bad setting must not keep the leftover alive: defaults then.
  const auto grace = load_settings(environment, {}, "").settings.kill_task_timeout;
  asio::io_context loop(1);
  docker::Engine engine(loop.get_executor(), *where);
  const ReapOptions all = narrowed(options, environment);
  HostReaper reaper(engine, all, grace, std::cout);
  net::spawn(loop.get_executor(), reaper.run());
  loop.run();
  return reaper.report();
}

}  // namespace sidecar_executor::app
