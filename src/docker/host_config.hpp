#pragma once
// The parts of the create body that say what the host gives: ports, volumes, network, limits.
// Split from container_spec, which puts them together; the mapping is docker.md's.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

/// ExposedPorts into `body`, PortBindings into `host_config`, MESOS_PORT_... to the end of `env`.
Result<void> add_ports(const std::vector<mesos::PortMapping>& mappings, boost::json::object& body,
                       boost::json::object& host_config, std::vector<std::string>& env);

/// HostConfig.Binds: `host:container` or `host:container:ro`.
Result<boost::json::array> binds_of(const std::vector<mesos::Volume>& volumes);

/// HostConfig.NetworkMode.
Result<std::string> network_mode(const mesos::ContainerInfo& container);

/// CpuPeriod and CpuQuota or CpuShares, and Memory, as far as the settings force them.
/// `host_cpus` is the Docker host's number of CPUs. Warnings are for the log only.
void add_limits(const mesos::TaskInfo& task, const Settings& settings, double host_cpus,
                boost::json::object& host_config, std::vector<std::string>& log_warnings);

}  // namespace sidecar_executor::docker
