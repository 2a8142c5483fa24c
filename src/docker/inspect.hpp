#pragma once
// What the executor reads from GET /containers/{id}/json.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor::docker {

struct ContainerState {
  std::string id;
  std::string name;
  std::string status;  ///< created, running, paused, restarting, removing, exited, dead
  bool running = false;
  bool paused = false;
  bool restarting = false;
  bool oom_killed = false;
  int exit_code = 0;
  std::string error;
  int pid = 0;
  std::string started_at;
  std::optional<std::chrono::system_clock::time_point> finished_at;
  std::optional<std::chrono::nanoseconds> ran_for;  ///< of its last run, once that has ended
  bool tty = false;
  std::string log_driver;
  std::string network_mode;  ///< `host`, `default`, a network's name
  std::string image_id;
  std::vector<std::pair<std::string, std::string>> labels;
  /// Addresses of all networks, IPv4 before IPv6 of each.
  struct Address {
    std::string ip;
    bool v6 = false;
  };
  std::vector<Address> addresses;
  [[nodiscard]] bool ended() const { return status == "exited" || status == "dead"; }
};

/// RFC 3339 as Docker (UTC) and Podman (local time) print it. Docker's `never` is the year 1; what
/// nanoseconds since 1970 cannot hold is never, too.
std::optional<std::chrono::system_clock::time_point> parse_docker_time(std::string_view text);

/// Errors (protocol) name the missing field.
Result<ContainerState> parse_inspect(std::string_view json);

/// The inspect document as an array of one with every value in Config.Env removed, names kept: what
/// frameworks read in a TASK_RUNNING's data. Error (protocol): not an object.
Result<std::string> inspect_for_framework(std::string_view json);

}  // namespace sidecar_executor::docker
