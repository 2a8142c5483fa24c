#pragma once
// Which networks a container is in: the task's fields against the network parameters.

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "docker/parameters.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

struct NetworkPlan {
  std::string mode;              ///< HostConfig.NetworkMode
  boost::json::object endpoint;  ///< NetworkingConfig.EndpointsConfig[mode]; empty = none needed
  std::string mac_address;       ///< the container's, for engines before API 1.44
  /// To be connected between create and start: engines before API 1.44 take one network in the
  /// create.
  std::vector<NetworkRequest> more;
};

/// Takes `networks`, `endpoint` and HostConfig.Links of the parameters; adds to their warnings and
/// needs.
/// Errors (invalid) end in TASK_ERROR.
Result<NetworkPlan> plan_networks(const mesos::ContainerInfo& container, ParameterValues& values,
                                  bool strict);

}  // namespace sidecar_executor::docker
