#pragma once
// Pure: a Singularity deploy (1.5) → the TaskInfo that Singularity makes of it, for `render`.
// Seen with a real Singularity: ../shared/spec/singularity.md.

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor::app {

struct DeployedTask {
  boost::json::object task;         ///< TaskInfo, as JSON
  std::vector<std::string> unused;  ///< what the executor makes no use of, with the reason
  std::vector<std::string> notes;   ///< what stands for values that only a launch knows
};

/// `{"deploy": {...}}` as it is posted, or the deploy itself.
bool is_singularity_deploy(const boost::json::object& document);

/// Instance 1 of the deploy. Ports of an offer are 31000 and up. Errors (invalid) name the field.
Result<DeployedTask> task_of_deploy(const boost::json::object& document);

}  // namespace sidecar_executor::app
