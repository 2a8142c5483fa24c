#pragma once
// One run of mini-agent, its JSON lines, and the executor that it starts.

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "file_descriptor.hpp"

namespace sx_bench {

struct Programs {
  std::string executor;
  std::string mini_agent;
  std::string wrapper;  ///< scripts/executor.sh
};

/// A TaskInfo for one container of the bench's image.
struct BenchTask {
  std::string id;
  std::string shell;        ///< what /bin/sh -c gets
  bool discovered = false;  ///< by Sidecar
};
/// Unique, and begins with this process's task_prefix().
BenchTask make_task(std::string shell);
std::string task_prefix();

/// Set by SIGINT and SIGTERM; every wait then throws.
void catch_signals();
void rest(double seconds);  ///< throws when a signal ends it

class AgentRun {
 public:
  struct Start {
    std::string docker_host;
    std::vector<std::string> arguments;  ///< more of mini-agent's
  };
  AgentRun(const Programs& programs, const BenchTask& task, const Start& start);
  /// SHUTDOWN if it still runs, then waits; removes the sandbox.
  ~AgentRun();
  AgentRun(AgentRun&&) = default;
  AgentRun& operator=(AgentRun&&) = delete;

  /// Next line; nullopt when mini-agent has ended. Throws after 60 s without one.
  std::optional<boost::json::object> next();
  /// Reads on to this event (`update` of that state). Throws when mini-agent ends before.
  boost::json::object until(const std::string& event, const std::string& state = {});
  /// Blocks until the executor is gone: CLOCK_MONOTONIC seconds.
  double executor_gone();
  [[nodiscard]] bool executor_ended() const;
  void interrupt() const;  ///< KILL
  /// Reads to the end; the `exit` event.
  boost::json::object finish();

  [[nodiscard]] pid_t executor_pid() const { return executor_pid_; }
  /// CLOCK_MONOTONIC seconds of an event.
  [[nodiscard]] double when(const boost::json::object& event) const;
  [[nodiscard]] const std::string& sandbox() const { return sandbox_; }

 private:
  void remember(const boost::json::object& event);

  struct Pid {
    pid_t value = -1;
    Pid() = default;
    Pid(Pid&& other) noexcept : value(std::exchange(other.value, -1)) {}
  };
  Pid pid_;
  FileDescriptor out_;
  FileDescriptor executor_;  ///< pidfd
  pid_t executor_pid_ = -1;
  double start_ = 0;
  std::string pending_;
  std::string sandbox_;
  std::string task_file_;
};

/// Runs an executor as a child until its end: user + system time in milliseconds.
double cpu_of_executor(const std::string& path, const std::vector<std::string>& environment,
                       const std::string& folder);

}  // namespace sx_bench
