#include "app/reap.hpp"

#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <iostream>
#include <vector>

#include "app/environment.hpp"
#include "app/process_facts.hpp"
#include "app/reap_host.hpp"
#include "docker/engine.hpp"
#include "net/resolver.hpp"
#include "net/spawn.hpp"

namespace sidecar_executor::app {
namespace {

/// What executor.sh calls: containers of one sandbox, whose executor was here.
class SandboxReaper {
 public:
  SandboxReaper(docker::Engine& engine, Log& log, std::chrono::nanoseconds grace)
      : engine_(engine), log_(log), grace_(grace) {}

  asio::awaitable<void> run(std::string sandbox) {
    const auto answer = co_await engine_.negotiate();
    if (!answer) {
      log_.error("Docker cannot be asked for leftover containers",
                 {{"host", engine_.address().display()}, {"error", answer.error().message}});
      code_ = exit_unavailable;
      co_return;
    }
    co_await of_sandbox(std::move(sandbox));
  }
  [[nodiscard]] int code() const { return code_; }

 private:
  asio::awaitable<void> of_sandbox(std::string sandbox) {
    const boost::json::object filters{
        {"label", boost::json::array{"io.sidecar-executor.sandbox=" + sandbox}}};
    const auto found = co_await engine_.list(boost::json::serialize(filters), false);
    if (!found) {
      log_.error("Docker cannot be asked for leftover containers",
                 {{"error", found.error().message}});
      code_ = exit_unavailable;
      co_return;
    }
    const HostFacts host = read_host_facts();
    for (const auto& container : *found) {
      if (executor_is_seen(candidate_of(container), host)) {
        log_.info("Left alone, its executor is alive", {{"id", container.id.substr(0, 12)}});
        continue;
      }
      co_await stop(container.id, container.image);
    }
  }

  asio::awaitable<void> stop(std::string id, std::string what) {
    log_.warning("Stopping a container whose executor is gone",
                 {{"id", id.substr(0, 12)}, {"of", what}});
    const auto stopped = co_await stop_or_kill(engine_, id, grace_);
    if (stopped) co_return;
    log_.error("It may still run", {{"id", id.substr(0, 12)}, {"error", stopped.error().message}});
    code_ = 1;
  }

  docker::Engine& engine_;
  Log& log_;
  std::chrono::nanoseconds grace_;
  int code_ = 0;
};

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
  net::use_builtin_name_services();
  OutputBuffer out(STDOUT_FILENO);
  Log log(out);
  const Lookup environment = process_environment();
  const auto where = docker::engine_address(environment);
  if (!where) {
    log.error("Bad setting", {{"problem", where.error().message}});
    return exit_unavailable;
  }
  // A bad setting must not keep the leftover alive: defaults then.
  const auto grace = load_settings(environment, {}, "").settings.kill_task_timeout;
  asio::io_context loop(1);
  docker::Engine engine(loop.get_executor(), *where);
  const auto run = [&loop](asio::awaitable<void> work) {
    net::spawn(loop.get_executor(), std::move(work));
    loop.run();
  };
  if (!options.sandbox.empty()) {
    SandboxReaper reaper(engine, log, grace);
    run(reaper.run(options.sandbox));
    return reaper.code();
  }
  HostReaper reaper(engine, options, grace, std::cout);
  run(reaper.run());
  return reaper.report();
}

}  // namespace sidecar_executor::app
