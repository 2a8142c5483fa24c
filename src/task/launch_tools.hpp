#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log.hpp"
#include "docker/engine.hpp"
#include "task/report.hpp"

namespace sidecar_executor::task {

/// What every step of a launch works with.
struct LaunchTools {
  docker::Engine& engine;
  Log& log;
  net::Cancellation& cancellation;  ///< of the launch: a KILL
  Phases& phases;
  net::Duration docker_patience;  ///< how long each step waits for a Docker that is away
};

/// What a step answers that a KILL ended.
inline Error cancelled(std::string_view step) {
  return {ErrorKind::cancelled, std::string(step) + " cancelled"};
}

}  // namespace sidecar_executor::task
