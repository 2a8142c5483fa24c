#pragma once
// TaskInfo.health_check and TaskInfo.check (mesos.proto: HealthCheck, CheckInfo; v1, Mesos 1.11),
// and what a TaskStatus says of a check (CheckStatusInfo).

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sidecar_executor::mesos {

class JsonField;

enum class CheckType { command, http, tcp };
std::string_view to_string(CheckType type);  ///< `COMMAND`

/// Run in the container.
struct CommandCheck {
  std::vector<std::string> argv;         ///< `/bin/sh -c VALUE` for a shell command
  std::vector<std::string> environment;  ///< NAME=value beside the container's own; may be secret
};
struct HttpCheck {
  std::uint16_t port = 0;
  bool v6 = false;
  bool tls = false;
  std::string path = "/";     ///< begins with a slash; may have a query
  std::vector<int> statuses;  ///< that are a success; empty = 200 to 399
};
struct TcpCheck {
  std::uint16_t port = 0;
  bool v6 = false;
};

struct Check {
  std::variant<CommandCheck, HttpCheck, TcpCheck> kind;  ///< in the order of CheckType
  std::chrono::nanoseconds delay{0};                     ///< from the container's start
  std::chrono::nanoseconds interval{0};                  ///< from the end of one to the next
  std::chrono::nanoseconds timeout{0};                   ///< max = none

  [[nodiscard]] CheckType type() const { return static_cast<CheckType>(kind.index()); }
};

struct HealthCheck {
  Check check;
  std::int64_t consecutive_failures = 3;
  std::chrono::nanoseconds grace_period{0};  ///< from the container's start
};

/// CheckStatusInfo. No value: the check has not been done yet, or had no result.
struct CheckStatus {
  CheckType type = CheckType::command;
  /// Exit code, HTTP status, or 1 and 0 for a connection that was and was not made.
  std::optional<std::int64_t> value;

  bool operator==(const CheckStatus&) const = default;
};

/// nullopt: absent, or wrong, and then the field's problem says what.
std::optional<HealthCheck> read_health_check(const JsonField& field);
std::optional<Check> read_check(const JsonField& field);

}  // namespace sidecar_executor::mesos
