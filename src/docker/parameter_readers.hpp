#pragma once
// How values are read. One function a form of value; which flag it is for stands in the row.
// Private to parameter_table.cpp.

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "docker/body_parts.hpp"
#include "docker/parameter_table.hpp"

namespace sidecar_executor::docker {

// ---- tools of the readers -----------------------------------------------------------------------

inline Error expected(std::string_view what) { return invalid("expected " + std::string(what)); }
inline Result<void> taken() { return boost::system::in_place_value; }

/// The member of the create body that `path` names, `HostConfig.CapAdd` or `Domainname`.
boost::json::value& body_member(boost::json::object& body, std::string_view path);
boost::json::value& target_of(const ParameterReading& reading);

/// A host's file for env-file, label-file and seccomp. Errors don't name it: it may be anything.
Result<std::string> file_of(const ParameterReading& reading, std::string_view path);

// ---- any flag -----------------------------------------------------------------------------------

Result<void> read_text(const ParameterReading& reading, std::string_view value);
Result<void> append_text(const ParameterReading& reading, std::string_view value);
Result<void> read_flag(const ParameterReading& reading, std::string_view value);
Result<void> read_number(const ParameterReading& reading, std::string_view value);
Result<void> read_bytes(const ParameterReading& reading, std::string_view value);
Result<void> read_bytes_or_unlimited(const ParameterReading& reading, std::string_view value);
/// One of the row's `syntax`: `host|private|container:NAME`.
Result<void> read_choice(const ParameterReading& reading, std::string_view value);
/// `name=value` into an object; without `=` the value is empty.
Result<void> read_pair(const ParameterReading& reading, std::string_view value);
/// ... the `=` is required.
Result<void> read_full_pair(const ParameterReading& reading, std::string_view value);
/// Accepted and without effect, as on Linux; a line in the debug log.
Result<void> ignore_quietly(const ParameterReading& reading, std::string_view value);
/// Accepted and without effect; a warning with the row's doc.
Result<void> ignore_loudly(const ParameterReading& reading, std::string_view value);

// ---- environment, labels, process ---------------------------------------------------------------

Result<void> read_env(const ParameterReading& reading, std::string_view value);
Result<void> read_env_file(const ParameterReading& reading, std::string_view value);
Result<void> read_label(const ParameterReading& reading, std::string_view value);
Result<void> read_label_file(const ParameterReading& reading, std::string_view value);
Result<void> read_entrypoint(const ParameterReading& reading, std::string_view value);
Result<void> read_security_opt(const ParameterReading& reading, std::string_view value);
Result<void> read_ulimit(const ParameterReading& reading, std::string_view value);
Result<void> read_sysctl(const ParameterReading& reading, std::string_view value);
Result<void> read_restart(const ParameterReading& reading, std::string_view value);
Result<void> read_platform(const ParameterReading& reading, std::string_view value);
Result<void> read_health_command(const ParameterReading& reading, std::string_view value);
Result<void> read_health_time(const ParameterReading& reading, std::string_view value);
Result<void> read_health_retries(const ParameterReading& reading, std::string_view value);
Result<void> read_no_healthcheck(const ParameterReading& reading, std::string_view value);

// ---- limits and devices -------------------------------------------------------------------------

Result<void> read_cpus(const ParameterReading& reading, std::string_view value);
Result<void> read_swappiness(const ParameterReading& reading, std::string_view value);
Result<void> read_oom_score(const ParameterReading& reading, std::string_view value);
Result<void> read_blkio_weight(const ParameterReading& reading, std::string_view value);
Result<void> read_weight_device(const ParameterReading& reading, std::string_view value);
Result<void> read_device_bytes(const ParameterReading& reading, std::string_view value);
Result<void> read_device_operations(const ParameterReading& reading, std::string_view value);
Result<void> read_device(const ParameterReading& reading, std::string_view value);
Result<void> read_device_rule(const ParameterReading& reading, std::string_view value);
Result<void> read_gpus(const ParameterReading& reading, std::string_view value);

// ---- mounts -------------------------------------------------------------------------------------

Result<void> read_mount(const ParameterReading& reading, std::string_view value);
Result<void> read_tmpfs(const ParameterReading& reading, std::string_view value);
Result<void> read_volume(const ParameterReading& reading, std::string_view value);

// ---- network ------------------------------------------------------------------------------------

Result<void> read_add_host(const ParameterReading& reading, std::string_view value);
Result<void> read_dns(const ParameterReading& reading, std::string_view value);
Result<void> read_dns_search(const ParameterReading& reading, std::string_view value);
Result<void> read_expose(const ParameterReading& reading, std::string_view value);
Result<void> read_publish(const ParameterReading& reading, std::string_view value);
Result<void> read_link(const ParameterReading& reading, std::string_view value);
Result<void> read_network(const ParameterReading& reading, std::string_view value);
Result<void> read_ip(const ParameterReading& reading, std::string_view value);
Result<void> read_ip6(const ParameterReading& reading, std::string_view value);
Result<void> read_link_local_ip(const ParameterReading& reading, std::string_view value);
Result<void> read_network_alias(const ParameterReading& reading, std::string_view value);
Result<void> read_mac_address(const ParameterReading& reading, std::string_view value);

}  // namespace sidecar_executor::docker
