#pragma once
// The v1 executor API (Mesos 1.11): events in, calls out. JSON forms: ../shared/spec/mesos.md.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::mesos {

enum class TaskState { starting, running, killing, finished, failed, killed, error };
std::string_view to_string(TaskState state);  ///< `TASK_STARTING`
bool is_terminal(TaskState state);

enum class Reason {
  none,
  container_launch_failed,
  container_limitation_memory,
  max_completion_time_reached,
  task_invalid,
  task_group_invalid,
  task_killed_during_launch,
  task_health_check_status_updated,
  task_check_status_updated,
};
std::string_view to_string(Reason reason);  ///< `REASON_TASK_INVALID`; empty for none

struct IpAddress {
  std::string address;
  bool v6 = false;
};

/// container_status: repeated in every update, or the agent puts its own IP in.
struct ContainerStatus {
  std::vector<IpAddress> ips;
  std::uint32_t executor_pid = 0;
};

inline constexpr std::size_t data_limit = 1024 * 1024;

/// One status update as the executor means it. Text is cleaned and clipped when it is encoded
/// (message to 4 KiB of UTF-8; data dropped when over 1 MiB).
struct StatusUpdate {
  std::string task_id;
  TaskState state = TaskState::starting;
  Reason reason = Reason::none;
  std::string message;
  std::optional<bool> healthy;
  std::string data;  ///< raw bytes, base64 on the wire
  std::optional<ContainerStatus> container_status;
  std::optional<CheckStatus> check_status;  ///< of a task with a check: in every update
};

// Events.
struct Subscribed {
  bool task_killing_state = false;  ///< framework capability TASK_KILLING_STATE
  std::string agent_hostname;
  std::string agent_id;
  std::string container_id;
};
struct Launch {
  /// Set when the TaskInfo could be read; else `problem` says why not and task_id is what was
  /// found.
  std::optional<TaskInfo> task;
  std::string task_id;
  std::string problem;
  std::string json;  ///< the TaskInfo as it came, when `task` is not set (else that holds it)
};
struct LaunchGroup {
  std::vector<std::string> task_ids;
  std::vector<std::string> jsons;  ///< their TaskInfos as they came
};
struct Kill {
  std::string task_id;
  std::optional<std::chrono::nanoseconds> grace_period;
};
struct Acknowledged {
  std::string task_id;
  std::string uuid;  ///< base64, as in the update
};
struct Message {
  std::string data;  ///< decoded
};
struct Shutdown {};
struct Heartbeat {};
struct ErrorEvent {
  std::string message;
};
struct UnknownEvent {
  std::string type;
};
using Event = std::variant<Subscribed, Launch, LaunchGroup, Kill, Acknowledged, Message, Shutdown,
                           Heartbeat, ErrorEvent, UnknownEvent>;

/// Reads one record. Errors (protocol): not JSON, no `type`, a required field missing or of a wrong
/// type; they name it. A LAUNCH whose TaskInfo is wrong is no error: see Launch.
Result<Event> parse_event(std::string_view record);

/// Singularity's destroy message for this task (singularity.md): JSON whose `@class` ends in
/// `SingularityTaskDestroyFrameworkMessage` and whose taskId.id is `task_id`. The user who asked.
std::optional<std::string> parse_destroy_message(std::string_view data, std::string_view task_id);

struct Identity {
  std::string framework_id;
  std::string executor_id;
};

/// SUBSCRIBE with what the agent has not acknowledged: TaskInfo JSON texts, and status objects as
/// encode_status made them.
std::string encode_subscribe(const Identity& who,
                             const std::vector<std::string>& unacknowledged_tasks,
                             const std::vector<std::string>& unacknowledged_statuses);

/// The `status` object. `uuid` is 16 random bytes in base64, `timestamp` seconds since 1970.
std::string encode_status(const Identity& who, const StatusUpdate& update, std::string_view uuid,
                          double timestamp);

/// The same status with the least that means the same: no data, no container_status, message of at
/// most 256 bytes. For an agent that refused the full one.
std::string smaller_status(std::string_view status_json);

/// UPDATE around a status object.
std::string encode_update(const Identity& who, std::string_view status_json);

}  // namespace sidecar_executor::mesos
