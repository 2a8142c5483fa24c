#pragma once
// Pure: what the checks of a TaskInfo saw → what is known of the task's health (health_check) and
// what is told to the framework (check). Both as Mesos' own executors do it (src/checks of Mesos
// 1.11): a health check kills, a check never does.

#include <optional>
#include <string>
#include <variant>

#include "mesos/check_info.hpp"
#include "task/stop_request.hpp"

namespace sidecar_executor::task {

/// One check, done.
struct Exited {
  int code = 0;
  std::string last_line;  ///< of its output; clean and short
};
struct Answered {
  int status = 0;  ///< HTTP
};
struct Connected {};
struct NotConnected {
  std::string why;
};
/// It had no result: nothing came in time, the answer was broken.
struct NoResult {
  std::string why;
};
/// It could not be tried, and nothing is known of the task: Docker is away, the container is
/// paused.
struct NotPerformed {
  std::string why;
};
using CheckResult = std::variant<Exited, Answered, Connected, NotConnected, NoResult, NotPerformed>;

/// For people: `exit code 1 (no route)`, `HTTP status 500`, `timed out after 2 s`.
std::string describe(const CheckResult& seen);

/// TaskInfo.health_check.
class HealthMachine {
 public:
  explicit HealthMachine(mesos::HealthCheck definition);

  struct Decision {
    std::optional<bool> changed;  ///< the known health is another than before
    bool ignored = false;         ///< a failure within the grace period
    bool limit_reached = false;   ///< from now on the container has to be stopped
    std::string message;          ///< with changed or limit_reached
  };
  /// `running_for`: time since the container's start.
  Decision observe(const CheckResult& seen, Nanoseconds running_for);

 private:
  /// Never succeeded, no failure counted: the grace period is for this state.
  struct Unproven {};
  struct Healthy {};
  struct Failing {
    std::int64_t times = 1;
  };
  [[nodiscard]] bool passes(const CheckResult& seen) const;
  Decision passed();
  Decision failed(const CheckResult& seen, Nanoseconds running_for);

  mesos::HealthCheck definition_;
  std::variant<Unproven, Healthy, Failing> state_;
};

/// TaskInfo.check.
class StatusMachine {
 public:
  explicit StatusMachine(mesos::CheckType type) : last_{type, std::nullopt} {}

  /// The new status, when it is another than before.
  std::optional<mesos::CheckStatus> observe(const CheckResult& seen);
  /// Before the first result: without a value.
  [[nodiscard]] const mesos::CheckStatus& last() const { return last_; }

 private:
  mesos::CheckStatus last_;
};

}  // namespace sidecar_executor::task
