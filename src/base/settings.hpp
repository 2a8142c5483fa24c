#pragma once
// Every setting of the executor: one table gives names, defaults, parsing, the log at start and
// docs/configuration.md.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor {

enum class SyslogFormat { json, rfc5424, rfc3164 };
enum class SyslogProtocol { udp, tcp, unix_socket };

/// Values as the seed's table names them (EXECUTOR_ + the name split at its capitals).
struct Settings {
  std::chrono::seconds kill_task_timeout{5};
  std::chrono::nanoseconds http_timeout = std::chrono::seconds(2);
  std::int64_t sidecar_retry_count = 5;
  std::chrono::nanoseconds sidecar_retry_delay = std::chrono::seconds(3);
  std::string sidecar_url = "http://localhost:7777/state.json";
  std::chrono::nanoseconds sidecar_backoff = std::chrono::minutes(1);
  std::chrono::nanoseconds sidecar_poll_interval = std::chrono::seconds(30);
  std::int64_t sidecar_max_fails = 3;
  std::chrono::nanoseconds sidecar_draining_duration = std::chrono::seconds(10);
  bool seed_sidecar = false;
  std::string docker_repository = "https://index.docker.io/v1/";
  std::chrono::nanoseconds logs_since = std::chrono::minutes(3);
  bool force_cpu_limit = false;
  bool force_memory_limit = false;
  bool use_cpu_shares = false;
  bool debug = false;
  std::uint16_t mesos_master_port = 5050;
  bool relay_syslog = false;
  bool relay_syslog_startup_only = false;
  std::chrono::nanoseconds relay_syslog_startup_time = std::chrono::minutes(1);
  std::string syslog_addr = "127.0.0.1:514";
  bool container_logs_stdout = false;
  std::vector<std::string> send_docker_labels;
  std::string log_hostname;  ///< empty in the defaults; load() puts the host name in
  std::string aws_role;
  std::chrono::nanoseconds aws_role_ttl{0};
  std::chrono::nanoseconds aws_role_max_ttl = std::chrono::hours(744);
  // Ours:
  bool strict_parameters = false;
  bool remove_container = false;
  bool pass_vault_credentials = false;
  bool aws_role_renew = true;
  SyslogFormat syslog_format = SyslogFormat::json;
  SyslogProtocol syslog_protocol = SyslogProtocol::udp;
};

/// Looks a variable up; nullopt when it is not set.
using Lookup = std::function<std::optional<std::string>(std::string_view name)>;

enum class SettingSource { built_in, executor_variable, bare_variable };

/// One line of the log at start, and of docs/configuration.md.
struct SettingReport {
  std::string name;      ///< `SidecarRetryDelay`
  std::string variable;  ///< `EXECUTOR_SIDECAR_RETRY_DELAY`
  std::string value;     ///< effective, printed as Go prints it
  SettingSource source = SettingSource::built_in;
};

struct LoadedSettings {
  Settings settings;
  std::vector<SettingReport> report;  ///< all settings, in table order
  /// Bad values: `EXECUTOR_SIDECAR_RETRY_DELAY="abc" is not a duration such as 300ms, 2s or 1m40s`.
  std::vector<std::string> problems;
  /// Tolerated, to be logged as warnings: bad values under bare names, unknown EXECUTOR_ variables.
  std::vector<std::string> warnings;
};

/// Reads every setting. `names` are all variables that exist (to find unknown EXECUTOR_ ones).
LoadedSettings load_settings(const Lookup& lookup, const std::vector<std::string>& names,
                             std::string_view host_name);

/// The table as Markdown: the body of docs/configuration.md.
std::string settings_markdown();

/// Go's strconv.ParseBool.
Result<bool> parse_go_bool(std::string_view text);
/// Go's strconv.ParseInt with base 0 (0x1f, 017, 0b1, 1_000).
Result<std::int64_t> parse_go_int(std::string_view text);

}  // namespace sidecar_executor
