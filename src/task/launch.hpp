#pragma once
// From a valid task to a running container: pull, create, wait opened, start (behaviour.md 4).
// What can be cancelled is cancelled at once; create and start are always waited for, and what they
// left behind is cleaned up. A Docker that goes away in the middle is waited for
// (docker_return.hpp).

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/settings.hpp"
#include "base/timeouts.hpp"
#include "docker/container_spec.hpp"
#include "docker/engine.hpp"
#include "docker/exit_watch.hpp"
#include "task/container_start.hpp"
#include "task/launch_tools.hpp"

namespace sidecar_executor::task {

/// SIDECAR_SEEDS and the like: known only while the launch runs.
using ExtraEnvironment = std::vector<std::pair<std::string, std::string>>;

struct LaunchInputs {
  docker::ContainerSpec spec;
  /// The spec again, with variables that were learnt meanwhile.
  std::function<Result<docker::ContainerSpec>(const ExtraEnvironment&)> make_spec;
  /// The cluster's hosts for SIDECAR_SEEDS; empty when SeedSidecar is off.
  std::function<asio::awaitable<Result<std::vector<std::string>>>()> seeds;
  bool force_pull = false;
  Lookup environment;  ///< for Docker's config files
  std::string docker_repository;
  /// AWS_ACCESS_KEY_ID and the like from Vault; empty without EXECUTOR_AWS_ROLE.
  std::function<asio::awaitable<Result<ExtraEnvironment>>()> aws_keys;
  /// NAME=value with every `vault://` value resolved. What it returns goes nowhere but to Docker.
  std::function<asio::awaitable<Result<std::vector<std::string>>>(std::vector<std::string>)>
      resolve;
  net::Duration docker_patience = timeouts::docker_at_launch;  ///< tests shorten it
};

struct LaunchError {
  Error error;
  std::string may_still_run;  ///< container id when the clean-up failed
};

class Launch {
 public:
  struct Handlers {
    std::function<void(const std::string& container_id)> on_created;
    std::function<void(std::string text)> on_warning;  ///< for the status message; it is logged
  };
  using Outcome = boost::system::result<Launched, LaunchError>;

  Launch(docker::Engine& engine, docker::ExitWatch& exit_watch, Log& log, LaunchInputs inputs,
         net::Cancellation& cancellation, Phases& phases, Handlers handlers);

  asio::awaitable<Outcome> run();

 private:
  asio::awaitable<Outcome> all_steps();
  asio::awaitable<Result<void>> reach_docker();
  Result<void> check_parameters();
  asio::awaitable<Result<void>> complete_spec();
  asio::awaitable<Result<void>> resolve_secrets();
  asio::awaitable<Outcome> make_container();  ///< and starts it
  asio::awaitable<Launched> look(std::string id);
  asio::awaitable<LaunchError> clean_up(std::string id, Error error);
  void log_environment() const;
  [[nodiscard]] bool is_cancelled() const { return tools_.cancellation.cancelled(); }

  LaunchTools tools_;
  docker::ExitWatch& exit_watch_;
  LaunchInputs in_;
  ContainerStart container_;
  Handlers handlers_;
};

[[noreturn]] void throw_exception_from_error(const LaunchError& error,
                                             const boost::source_location& where);

}  // namespace sidecar_executor::task
