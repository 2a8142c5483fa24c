#pragma once
// The container of the task: created, started, and removed again when the launch fails
// (behaviour.md 4.7). Create and start are never cancelled; when Docker goes away in the middle of
// one, what became of it is found out.

#include <boost/asio/awaitable.hpp>
#include <string>

#include "docker/container_spec.hpp"
#include "docker/exit_watch.hpp"
#include "docker/inspect.hpp"
#include "task/docker_return.hpp"
#include "task/launch_tools.hpp"

namespace sidecar_executor::task {

struct Launched {
  docker::ContainerState container;
  std::string data;          ///< for TASK_RUNNING: the inspect document without values of Env
  std::string image_digest;  ///< in its registry, `sha256:...`; empty: it never was in one
};

class ContainerStart {
 public:
  ContainerStart(const LaunchTools& tools, docker::ExitWatch& exit_watch)
      : tools_(tools),
        engine_(tools.engine),
        exit_watch_(exit_watch),
        log_(tools.log),
        cancellation_(tools.cancellation),
        phases_(tools.phases) {}

  /// The id. A leftover of the same name is removed, unless it runs.
  asio::awaitable<Result<std::string>> create(const docker::ContainerSpec& spec);

  /// Networks beside the first, between create and start. Ends at once when the launch is
  /// cancelled.
  asio::awaitable<Result<void>> connect(std::string id,
                                        const std::vector<docker::NetworkRequest>& networks);

  /// Success: it was started, and may have ended since. A container that ran is never started
  /// again.
  asio::awaitable<Result<void>> start(std::string id);

  /// Ends at once when the launch is cancelled.
  asio::awaitable<Result<Launched>> look(std::string id);

  /// By force, should it run after all. Error: it may still run.
  asio::awaitable<Result<void>> remove(std::string id);

 private:
  asio::awaitable<Result<std::string>> create_once(const docker::ContainerSpec& spec,
                                                   std::string body, bool may_remove);
  asio::awaitable<void> remove_unsaid(const docker::ContainerSpec& spec);
  asio::awaitable<Result<std::string>> own_container(const docker::ContainerSpec& spec);
  asio::awaitable<Result<void>> remove_leftover(docker::ContainerState leftover);
  asio::awaitable<Result<docker::ContainerState>> state_of(std::string id_or_name);
  asio::awaitable<Result<bool>> was_started(std::string id, Error error, DockerReturn& docker);

  LaunchTools tools_;
  docker::Engine& engine_;
  docker::ExitWatch& exit_watch_;
  Log& log_;
  net::Cancellation& cancellation_;
  net::Cancellation never_;
  Phases& phases_;
};

}  // namespace sidecar_executor::task
