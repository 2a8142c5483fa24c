#pragma once
// container.volumes → Binds and Mounts. Paths mean what they mean to Mesos' own Docker executor
// (Mesos 1.11, src/docker/docker.cpp, Docker::RunOptions::create).

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::docker {

struct VolumePlan {
  boost::json::array binds;   ///< HostConfig.Binds: `host:container[:ro]`
  boost::json::array mounts;  ///< HostConfig.Mounts
  /// Folders below the sandbox that have to be there before the container is created.
  std::vector<std::string> directories;
};

/// `sandbox`: what relative host paths are below; empty = unknown, then they are errors.
/// `has_driver`: a volume driver is named, so a relative host_path is the name of a volume.
/// Errors (invalid) end in TASK_ERROR; they name the field.
Result<VolumePlan> plan_volumes(const std::vector<mesos::Volume>& volumes,
                                const std::string& sandbox, bool has_driver);

/// Behind those that the parameters volume and mount left in `host_config`. Docker refuses two at
/// one container path ("Duplicate mount point"): the field's counts, and a parameter that says
/// something else there (tmpfs too) is a warning.
void put_volumes(const VolumePlan& plan, boost::json::object& host_config,
                 std::vector<std::string>& warnings);

}  // namespace sidecar_executor::docker
