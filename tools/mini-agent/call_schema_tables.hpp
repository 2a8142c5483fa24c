// The messages that an executor sends, as tables (mesos/v1/executor.proto and mesos.proto).
#pragma once

#include <span>
#include <string_view>

namespace mini_agent {

enum class Kind { String, Bytes, Enum, Bool, Number, Message };

struct Schema;
struct Field {
  std::string_view name;
  Kind kind;
  bool required = false;
  bool repeated = false;
  const Schema* message = nullptr;  // null with Kind::Message: any object, not looked into
  std::span<const std::string_view> enum_values = {};  // empty: any
};
struct Schema {
  std::span<const Field> fields;  // in the order of the .proto: missing ones are told in it
};

inline constexpr Field kIdFields[] = {{"value", Kind::String, true}};
inline constexpr Schema kId{kIdFields};

inline constexpr std::string_view kTaskStates[] = {
    "TASK_STAGING",          "TASK_STARTING",    "TASK_RUNNING",
    "TASK_KILLING",          "TASK_FINISHED",    "TASK_FAILED",
    "TASK_KILLED",           "TASK_ERROR",       "TASK_LOST",
    "TASK_DROPPED",          "TASK_UNREACHABLE", "TASK_GONE",
    "TASK_GONE_BY_OPERATOR", "TASK_UNKNOWN"};
inline constexpr std::string_view kSources[] = {"SOURCE_MASTER", "SOURCE_AGENT", "SOURCE_EXECUTOR"};
inline constexpr std::string_view kReasons[] = {"REASON_COMMAND_EXECUTOR_FAILED",
                                                "REASON_CONTAINER_LAUNCH_FAILED",
                                                "REASON_CONTAINER_LIMITATION",
                                                "REASON_CONTAINER_LIMITATION_DISK",
                                                "REASON_CONTAINER_LIMITATION_MEMORY",
                                                "REASON_CONTAINER_PREEMPTED",
                                                "REASON_CONTAINER_UPDATE_FAILED",
                                                "REASON_MAX_COMPLETION_TIME_REACHED",
                                                "REASON_EXECUTOR_REGISTRATION_TIMEOUT",
                                                "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
                                                "REASON_EXECUTOR_TERMINATED",
                                                "REASON_EXECUTOR_UNREGISTERED",
                                                "REASON_FRAMEWORK_REMOVED",
                                                "REASON_GC_ERROR",
                                                "REASON_INVALID_FRAMEWORKID",
                                                "REASON_INVALID_OFFERS",
                                                "REASON_IO_SWITCHBOARD_EXITED",
                                                "REASON_MASTER_DISCONNECTED",
                                                "REASON_RECONCILIATION",
                                                "REASON_RESOURCES_UNKNOWN",
                                                "REASON_AGENT_DISCONNECTED",
                                                "REASON_AGENT_DRAINING",
                                                "REASON_AGENT_REMOVED",
                                                "REASON_AGENT_REMOVED_BY_OPERATOR",
                                                "REASON_AGENT_REREGISTERED",
                                                "REASON_AGENT_RESTARTED",
                                                "REASON_AGENT_UNKNOWN",
                                                "REASON_TASK_KILLED_DURING_LAUNCH",
                                                "REASON_TASK_CHECK_STATUS_UPDATED",
                                                "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED",
                                                "REASON_TASK_GROUP_INVALID",
                                                "REASON_TASK_GROUP_UNAUTHORIZED",
                                                "REASON_TASK_INVALID",
                                                "REASON_TASK_UNAUTHORIZED",
                                                "REASON_TASK_UNKNOWN"};
inline constexpr std::string_view kCheckTypes[] = {"UNKNOWN", "COMMAND", "HTTP", "TCP"};
inline constexpr std::string_view kCallTypes[] = {"UNKNOWN", "SUBSCRIBE", "UPDATE", "MESSAGE",
                                                  "HEARTBEAT"};
inline constexpr std::string_view kProtocols[] = {"IPv4", "IPv6"};

inline constexpr Field kExitCodeFields[] = {{"exit_code", Kind::Number}};
inline constexpr Schema kCheckCommand{kExitCodeFields};
inline constexpr Field kStatusCodeFields[] = {{"status_code", Kind::Number}};
inline constexpr Schema kCheckHttp{kStatusCodeFields};
inline constexpr Field kSucceededFields[] = {{"succeeded", Kind::Bool}};
inline constexpr Schema kCheckTcp{kSucceededFields};
inline constexpr Field kCheckStatusFields[] = {
    {"type", Kind::Enum, false, false, nullptr, kCheckTypes},
    {"command", Kind::Message, false, false, &kCheckCommand},
    {"http", Kind::Message, false, false, &kCheckHttp},
    {"tcp", Kind::Message, false, false, &kCheckTcp}};
inline constexpr Schema kCheckStatus{kCheckStatusFields};

inline constexpr Field kLabelFields[] = {{"key", Kind::String, true}, {"value", Kind::String}};
inline constexpr Schema kLabel{kLabelFields};
inline constexpr Field kLabelsFields[] = {{"labels", Kind::Message, false, true, &kLabel}};
inline constexpr Schema kLabels{kLabelsFields};

inline constexpr Field kIpAddressFields[] = {
    {"protocol", Kind::Enum, false, false, nullptr, kProtocols}, {"ip_address", Kind::String}};
inline constexpr Schema kIpAddress{kIpAddressFields};
inline constexpr Field kNetworkInfoFields[] = {
    {"ip_addresses", Kind::Message, false, true, &kIpAddress},
    {"name", Kind::String},
    {"groups", Kind::String, false, true},
    {"labels", Kind::Message, false, false, &kLabels},
    {"port_mappings", Kind::Message, false, true}};
inline constexpr Schema kNetworkInfo{kNetworkInfoFields};
inline constexpr Field kContainerIdFields[] = {{"value", Kind::String, true},
                                               {"parent", Kind::Message}};
inline constexpr Schema kContainerId{kContainerIdFields};
inline constexpr Field kContainerStatusFields[] = {
    {"container_id", Kind::Message, false, false, &kContainerId},
    {"network_infos", Kind::Message, false, true, &kNetworkInfo},
    {"cgroup_info", Kind::Message},
    {"executor_pid", Kind::Number}};
inline constexpr Schema kContainerStatus{kContainerStatusFields};

inline constexpr Field kTaskStatusFields[] = {
    {"task_id", Kind::Message, true, false, &kId},
    {"state", Kind::Enum, true, false, nullptr, kTaskStates},
    {"message", Kind::String},
    {"source", Kind::Enum, false, false, nullptr, kSources},
    {"reason", Kind::Enum, false, false, nullptr, kReasons},
    {"data", Kind::Bytes},
    {"agent_id", Kind::Message, false, false, &kId},
    {"executor_id", Kind::Message, false, false, &kId},
    {"timestamp", Kind::Number},
    {"uuid", Kind::Bytes},
    {"healthy", Kind::Bool},
    {"check_status", Kind::Message, false, false, &kCheckStatus},
    {"labels", Kind::Message, false, false, &kLabels},
    {"container_status", Kind::Message, false, false, &kContainerStatus},
    {"unreachable_time", Kind::Message},
    {"limitation", Kind::Message}};
inline constexpr Schema kTaskStatus{kTaskStatusFields};

inline constexpr Field kExecutorInfoFields[] = {{"type", Kind::Enum},
                                                {"executor_id", Kind::Message, true, false, &kId},
                                                {"framework_id", Kind::Message, false, false, &kId},
                                                {"command", Kind::Message},
                                                {"container", Kind::Message},
                                                {"resources", Kind::Message, false, true},
                                                {"name", Kind::String},
                                                {"source", Kind::String},
                                                {"data", Kind::Bytes}};
inline constexpr Schema kExecutorInfo{kExecutorInfoFields};
inline constexpr Field kDockerFields[] = {{"image", Kind::String, true},
                                          {"network", Kind::Enum},
                                          {"port_mappings", Kind::Message, false, true},
                                          {"privileged", Kind::Bool},
                                          {"parameters", Kind::Message, false, true},
                                          {"force_pull_image", Kind::Bool},
                                          {"volume_driver", Kind::String}};
inline constexpr Schema kDocker{kDockerFields};
inline constexpr Field kContainerFields[] = {{"type", Kind::Enum, true},
                                             {"volumes", Kind::Message, false, true},
                                             {"hostname", Kind::String},
                                             {"docker", Kind::Message, false, false, &kDocker}};
inline constexpr Schema kContainer{kContainerFields};
inline constexpr Field kTaskInfoFields[] = {
    {"name", Kind::String, true},
    {"task_id", Kind::Message, true, false, &kId},
    {"agent_id", Kind::Message, true, false, &kId},
    {"resources", Kind::Message, false, true},
    {"executor", Kind::Message, false, false, &kExecutorInfo},
    {"container", Kind::Message, false, false, &kContainer},
    {"data", Kind::Bytes}};
inline constexpr Schema kTaskInfo{kTaskInfoFields};

inline constexpr Field kUpdateFields[] = {{"status", Kind::Message, true, false, &kTaskStatus}};
inline constexpr Schema kUpdate{kUpdateFields};
inline constexpr Field kSubscribeFields[] = {
    {"unacknowledged_tasks", Kind::Message, false, true, &kTaskInfo},
    {"unacknowledged_updates", Kind::Message, false, true, &kUpdate}};
inline constexpr Schema kSubscribe{kSubscribeFields};
inline constexpr Field kMessageFields[] = {{"data", Kind::Bytes, true}};
inline constexpr Schema kMessage{kMessageFields};
inline constexpr Field kCallFields[] = {{"executor_id", Kind::Message, true, false, &kId},
                                        {"framework_id", Kind::Message, true, false, &kId},
                                        {"type", Kind::Enum, false, false, nullptr, kCallTypes},
                                        {"subscribe", Kind::Message, false, false, &kSubscribe},
                                        {"update", Kind::Message, false, false, &kUpdate},
                                        {"message", Kind::Message, false, false, &kMessage}};
inline constexpr Schema kCall{kCallFields};

}  // namespace mini_agent
