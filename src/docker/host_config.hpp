#pragma once
// The parts of the create body that say what the host gives: ports, limits, capabilities.
// Split from container_spec, which puts them together; the mapping is docker.md's.

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

/// ExposedPorts into `body`, PortBindings into `host_config`, MESOS_PORT_... to the end of `env`.
/// `field` is the list's name for errors.
Result<void> add_ports(const std::vector<mesos::PortMapping>& mappings, const std::string& field,
                       boost::json::object& body, boost::json::object& host_config,
                       std::vector<std::string>& env);

/// CpuPeriod and CpuQuota or CpuShares, and Memory: what TaskInfo.limits and the settings force.
/// `host_cpus` is the Docker host's number of CPUs. Warnings are for the log only.
boost::json::object forced_limits(const mesos::TaskInfo& task, const Settings& settings,
                                  double host_cpus, std::vector<std::string>& log_warnings);

/// Puts the forced limits over what parameters ask for; a parameter that gives way is a warning.
void put_limits(const boost::json::object& forced, boost::json::object& host_config,
                std::vector<std::string>& warnings);

/// ContainerInfo.rlimit_info → Ulimits. Errors (invalid) name the field.
Result<void> add_rlimits(const std::vector<mesos::Rlimit>& limits, boost::json::object& host_config,
                         std::vector<std::string>& warnings);

/// ContainerInfo.linux_info → CapAdd and CapDrop. Errors (invalid) name the field.
Result<void> add_linux_info(const mesos::LinuxInfo& info, boost::json::object& host_config,
                            std::vector<std::string>& warnings,
                            std::vector<std::string>& log_warnings);

}  // namespace sidecar_executor::docker
