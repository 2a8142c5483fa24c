#include "base/settings_table.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <type_traits>

#include "base/go_duration.hpp"
#include "base/text.hpp"
#include "base/url.hpp"

namespace sidecar_executor {
namespace {

using std::chrono::nanoseconds;

/// Longer ones count as this long: `now + 290 years` would overflow.
constexpr auto longest = std::chrono::hours(24 * 365 * 100);

// ---- parsing into a member ---------------------------------------------------------------------

template <auto Member>
bool flag(std::string_view text, Settings& into) {
  const auto value = parse_go_bool(text);
  if (value) into.*Member = *value;
  return value.has_value();
}

template <auto Member, std::int64_t Least, std::int64_t Most>
bool number(std::string_view text, Settings& into) {
  const auto value = parse_go_int(text);
  if (!value || *value < Least || *value > Most) return false;
  using Type = std::remove_reference_t<decltype(into.*Member)>;
  into.*Member = static_cast<Type>(*value);
  return true;
}

template <auto Member>
bool whole_seconds(std::string_view text, Settings& into) {
  const auto value = parse_go_int(text);
  if (!value || *value < 0) return false;
  constexpr auto most = std::chrono::seconds(longest).count();
  into.*Member = std::chrono::seconds(std::min<std::int64_t>(*value, most));
  return true;
}

/// A negative time means what it meant to the Go executor's timers: at once.
template <auto Member>
bool duration(std::string_view text, Settings& into) {
  const auto value = parse_go_duration(text);
  if (!value) return false;
  into.*Member = std::clamp<nanoseconds>(*value, nanoseconds(0), longest);
  return true;
}

/// Go's HTTP client takes 0 as: no limit.
bool http_timeout(std::string_view text, Settings& into) {
  if (!duration<&Settings::http_timeout>(text, into)) return false;
  if (into.http_timeout == nanoseconds(0)) into.http_timeout = longest;
  return true;
}

template <auto Member>
bool any_text(std::string_view text, Settings& into) {
  into.*Member = text;
  return true;
}

/// Split at commas, not trimmed; blanks alone are no element (both as the Go executor's library).
template <auto Member>
bool list(std::string_view text, Settings& into) {
  const bool blank = text.find_first_not_of(" \t\r\n") == std::string_view::npos;
  into.*Member = blank ? std::vector<std::string>{} : split(text, ',');
  return true;
}

bool sidecar_url(std::string_view text, Settings& into) {
  if (!parse_http_url(text)) return false;
  into.sidecar_url = text;
  return true;
}

bool syslog_format(std::string_view text, Settings& into) {
  if (text == "json") {
    into.syslog_format = SyslogFormat::json;
  } else if (text == "rfc5424") {
    into.syslog_format = SyslogFormat::rfc5424;
  } else if (text == "rfc3164") {
    into.syslog_format = SyslogFormat::rfc3164;
  } else {
    return false;
  }
  return true;
}

bool syslog_protocol(std::string_view text, Settings& into) {
  if (text == "udp") {
    into.syslog_protocol = SyslogProtocol::udp;
  } else if (text == "tcp") {
    into.syslog_protocol = SyslogProtocol::tcp;
  } else if (text == "unix") {
    into.syslog_protocol = SyslogProtocol::unix_socket;
  } else {
    return false;
  }
  return true;
}

// ---- printing ----------------------------------------------------------------------------------

std::string go_text(bool value) { return value ? "true" : "false"; }
std::string go_text(std::int64_t value) { return std::to_string(value); }
std::string go_text(std::uint16_t value) { return std::to_string(value); }
std::string go_text(std::chrono::seconds value) { return std::to_string(value.count()); }
std::string go_text(nanoseconds value) { return format_go_duration(value); }
std::string go_text(const std::string& value) { return value; }
std::string go_text(const std::vector<std::string>& values) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ' ';
    out += value;
  }
  return out + "]";
}
std::string go_text(SyslogFormat value) {
  return value == SyslogFormat::json ? "json"
                                     : (value == SyslogFormat::rfc5424 ? "rfc5424" : "rfc3164");
}
std::string go_text(SyslogProtocol value) {
  return value == SyslogProtocol::udp ? "udp" : (value == SyslogProtocol::tcp ? "tcp" : "unix");
}

template <auto Member>
std::string shown(const Settings& from) {
  return go_text(from.*Member);
}

// ---- the table ---------------------------------------------------------------------------------

constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view flag_form = "true or false (also 1, t, T, TRUE, True, 0, f, F, ...)";
constexpr std::string_view duration_form = "a duration such as 300ms, 2s or 1m40s";
constexpr std::string_view count_form = "a whole number, 0 or more";
constexpr std::string_view text_form = "a text";

using S = Settings;

constexpr SettingRow rows[] = {
    {"KillTaskTimeout", "5",
     "a number of whole seconds such as 5 (without a unit: it is the one time that is not a "
     "duration)",
     "Seconds between SIGTERM and SIGKILL when a container is stopped and the framework gave no "
     "kill policy. Raise it for services that take long to shut down.",
     whole_seconds<&S::kill_task_timeout>, shown<&S::kill_task_timeout>},
    {"HttpTimeout", "2s", duration_form, "How long one request to Sidecar may take. 0: no limit.",
     http_timeout, shown<&S::http_timeout>},
    {"SidecarRetryCount", "5", count_form,
     "How often a failed request to Sidecar is tried again within one health check.",
     number<&S::sidecar_retry_count, 0, huge>, shown<&S::sidecar_retry_count>},
    {"SidecarRetryDelay", "3s", duration_form, "The wait between two such tries.",
     duration<&S::sidecar_retry_delay>, shown<&S::sidecar_retry_delay>},
    {"SidecarUrl", "http://localhost:7777/state.json",
     "an http or https URL with a host, such as http://localhost:7777/state.json",
     "Sidecar's state document. Draining goes to the same scheme, host and port.", sidecar_url,
     shown<&S::sidecar_url>},
    {"SidecarBackoff", "1m", duration_form,
     "How long after its start a container is not health checked. Longer than the service needs "
     "until its health check succeeds.",
     duration<&S::sidecar_backoff>, shown<&S::sidecar_backoff>},
    {"SidecarPollInterval", "30s", duration_form,
     "Time between two health checks; at least 100ms are kept.",
     duration<&S::sidecar_poll_interval>, shown<&S::sidecar_poll_interval>},
    {"SidecarMaxFails", "3", count_form,
     "After so many checks in a row in which Sidecar says that the service is unhealthy, the "
     "container is stopped. A Sidecar that cannot be reached does not count.",
     number<&S::sidecar_max_fails, 0, huge>, shown<&S::sidecar_max_fails>},
    {"SidecarDrainingDuration", "10s", duration_form,
     "How long the service is drained in Sidecar before its container is stopped. 0: not at all.",
     duration<&S::sidecar_draining_duration>, shown<&S::sidecar_draining_duration>},
    {"SeedSidecar", "false", flag_form,
     "Ask the Mesos master for all agents and give their names to the container as SIDECAR_SEEDS.",
     flag<&S::seed_sidecar>, shown<&S::seed_sidecar>},
    {"DockerRepository", "https://index.docker.io/v1/", text_form,
     "The entry of the Docker configuration file whose credentials pull the image.",
     any_text<&S::docker_repository>, shown<&S::docker_repository>},
    {"LogsSince", "3m", duration_form,
     "How far back container logs are copied to the task's stdout and stderr when the task does "
     "not finish well.",
     duration<&S::logs_since>, shown<&S::logs_since>},
    {"ForceCpuLimit", "false", flag_form, "Limit the container to the task's cpus.",
     flag<&S::force_cpu_limit>, shown<&S::force_cpu_limit>},
    {"ForceMemoryLimit", "false", flag_form, "Limit the container to the task's mem.",
     flag<&S::force_memory_limit>, shown<&S::force_memory_limit>},
    {"UseCpuShares", "false", flag_form,
     "With ForceCpuLimit: CPU shares, a weight, in place of a quota of the CFS scheduler.",
     flag<&S::use_cpu_shares>, shown<&S::use_cpu_shares>},
    {"MesosMasterPort", "5050", "a port from 1 to 65535",
     "Where the Mesos master listens (for SeedSidecar).", number<&S::mesos_master_port, 1, 65535>,
     shown<&S::mesos_master_port>},
    {"RelaySyslog", "false", flag_form, "Send the container's log lines to SyslogAddr.",
     flag<&S::relay_syslog>, shown<&S::relay_syslog>},
    {"RelaySyslogStartupOnly", "false", flag_form,
     "Send them for RelaySyslogStartupTime only: for services that log to syslog themselves once "
     "they run.",
     flag<&S::relay_syslog_startup_only>, shown<&S::relay_syslog_startup_only>},
    {"RelaySyslogStartupTime", "1m", duration_form, "How long, with RelaySyslogStartupOnly.",
     duration<&S::relay_syslog_startup_time>, shown<&S::relay_syslog_startup_time>},
    {"SyslogAddr", "127.0.0.1:514",
     "host:port (IPv6 as [::1]:514; a path such as /dev/log with protocol unix)",
     "Where log lines go. With SyslogProtocol unix a path, by default /dev/log.",
     any_text<&S::syslog_addr>, shown<&S::syslog_addr>},
    {"ContainerLogsStdout", "false", flag_form,
     "Copy relayed log lines to the task's stdout too. Mesos does not rotate that file.",
     flag<&S::container_logs_stdout>, shown<&S::container_logs_stdout>},
    {"SendDockerLabels", "", "a list with commas",
     "Container labels, by name and with commas, whose values are added to each relayed line.",
     list<&S::send_docker_labels>, shown<&S::send_docker_labels>},
    {"LogHostname", "", text_form, "Hostname in relayed log lines. Default: the host's name.",
     any_text<&S::log_hostname>, shown<&S::log_hostname>},
    {"AWSRole", "", text_form,
     "A role of Vault's AWS engine whose keys the container gets, for as long as it runs.",
     any_text<&S::aws_role>, shown<&S::aws_role>},
    {"AWSRoleTTL", "0s", duration_form,
     "How long the keys should be good. 0: as the role in Vault says.", duration<&S::aws_role_ttl>,
     shown<&S::aws_role_ttl>},
    {"AWSRoleMaxTTL", "744h", duration_form, "The longest AWSRoleTTL that is accepted.",
     duration<&S::aws_role_max_ttl>, shown<&S::aws_role_max_ttl>},
    {"Debug", "false", flag_form, "Write debug lines to the log.", flag<&S::debug>,
     shown<&S::debug>},
    {"StrictParameters", "false", flag_form,
     "A Docker parameter that is unknown or cannot be read fails the task; otherwise it is a "
     "warning.",
     flag<&S::strict_parameters>, shown<&S::strict_parameters>, false},
    {"RemoveContainer", "false", flag_form,
     "Remove the container after its end. By default it stays, because people read its logs.",
     flag<&S::remove_container>, shown<&S::remove_container>, false},
    {"PassVaultCredentials", "false", flag_form,
     "Let the executor's own Vault and agent credentials through to the container.",
     flag<&S::pass_vault_credentials>, shown<&S::pass_vault_credentials>, false},
    {"AWSRoleRenew", "true", flag_form,
     "Renew the keys' lease while the task runs. false: the task is stopped when it ends.",
     flag<&S::aws_role_renew>, shown<&S::aws_role_renew>, false},
    {"SyslogFormat", "json", "json, rfc5424 or rfc3164",
     "Form of relayed lines: JSON alone, or syslog messages after one of the RFCs.", syslog_format,
     shown<&S::syslog_format>, false},
    {"SyslogProtocol", "udp", "udp, tcp or unix",
     "How they travel: UDP datagrams, TCP with octet counting, or a local socket.", syslog_protocol,
     shown<&S::syslog_protocol>, false},
};

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

}  // namespace

std::span<const SettingRow> setting_table() { return rows; }

bool is_port(std::string_view text) {
  unsigned value = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  return failure == std::errc() && rest == text.data() + text.size() && value >= 1 &&
         value <= 65535;
}

std::string setting_variable(std::string_view name) {
  std::string out = "EXECUTOR";
  for (std::size_t i = 0; i < name.size(); ++i) {
    // A word begins at a capital behind a small letter, and at the last capital of a run that small
    // letters follow: AWS|Role, Role|TTL.
    const bool after_small = i == 0 || !is_upper(name[i - 1]);
    const bool before_small = i + 1 < name.size() && !is_upper(name[i + 1]);
    if (is_upper(name[i]) && (after_small || before_small)) out += '_';
    out += is_upper(name[i]) ? name[i] : static_cast<char>(name[i] - 'a' + 'A');
  }
  return out;
}

}  // namespace sidecar_executor
