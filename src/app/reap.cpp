#include "app/reap.hpp"

#include <sys/types.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <chrono>
#include <exception>
#include <vector>

#include "app/environment.hpp"
#include "base/go_duration.hpp"
#include "docker/container_spec.hpp"
#include "docker/engine.hpp"
#include "docker/inspect.hpp"

namespace sidecar_executor::app {
namespace {

constexpr int exit_unavailable = 69;  // EX_UNAVAILABLE

/// The executor that started the container is alive: same pid and same start of the process.
bool executor_lives(const docker::ContainerSummary& container) {
  const std::string pid_text = container.label("io.sidecar-executor.pid");
  const std::string start = container.label("io.sidecar-executor.pid-start");
  pid_t pid = 0;
  const auto [end, ec] = std::from_chars(pid_text.data(), pid_text.data() + pid_text.size(), pid);
  if (ec != std::errc{} || pid <= 0 || start.empty()) return false;
  return process_start_mark(pid) == start;
}

class Reaper {
 public:
  Reaper(docker::Engine& engine, Log& log, std::chrono::nanoseconds grace)
      : engine_(engine), log_(log), grace_(grace) {}

  asio::awaitable<void> run(ReapOptions options) {
    const auto answer = co_await engine_.negotiate();
    if (!answer) {
      log_.error("Docker cannot be asked for leftover containers",
                 {{"host", engine_.address().display()}, {"error", answer.error().message}});
      code_ = exit_unavailable;
      co_return;
    }
    co_await of_sandbox(options.sandbox);
    if (const auto task_id = process_environment()("TASK_ID"); task_id && !task_id->empty()) {
      co_await of_go_executor(*task_id);
    }
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
    for (const auto& container : *found) {
      if (executor_lives(container)) {
        log_.info("Left alone, its executor is alive", {{"id", container.id.substr(0, 12)}});
        continue;
      }
      co_await stop(container.id, container.image);
    }
  }

  /// The Go executor set no labels; its containers are known by their name.
  asio::awaitable<void> of_go_executor(std::string task_id) {
    const auto document = co_await engine_.inspect(docker::container_name(task_id));
    if (!document) co_return;
    const auto state = docker::parse_inspect(*document);
    if (!state || !state->running) co_return;
    for (const auto& [name, value] : state->labels) {
      if (name.starts_with("io.sidecar-executor.")) co_return;  // another sandbox's, see above
    }
    co_await stop(state->id, task_id);
  }

  asio::awaitable<void> stop(std::string id, std::string what) {
    log_.warning("Stopping a container whose executor is gone",
                 {{"id", id.substr(0, 12)}, {"of", what}});
    auto stopped = co_await engine_.stop(id, grace_);
    if (!stopped) stopped = co_await engine_.kill(id, "SIGKILL");
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

int reap(const ReapOptions& options) {
  OutputBuffer out(STDOUT_FILENO);
  Log log(out);
  const Lookup environment = process_environment();
  const auto where = docker::engine_address(environment);
  if (!where) {
    log.error("Bad setting", {{"problem", where.error().message}});
    return exit_unavailable;
  }
  // A bad setting must not keep the leftover alive: defaults then.
  const auto loaded = load_settings(environment, {}, "");
  asio::io_context loop(1);
  docker::Engine engine(loop.get_executor(), *where);
  Reaper reaper(engine, log, loaded.settings.kill_task_timeout);
  asio::co_spawn(loop, reaper.run(options), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
  loop.run();
  return reaper.code();
}

}  // namespace sidecar_executor::app
