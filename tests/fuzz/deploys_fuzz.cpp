// Singularity's deploys, which `render` takes: each becomes a task or a named error.
#include <boost/json.hpp>

#include "app/singularity_deploy.hpp"
#include "fuzz/fuzz_target.hpp"
#include "mesos/task_info.hpp"

namespace json = boost::json;
namespace sx = sidecar_executor;
using sx::fuzz::require;

SX_FUZZ_TARGET(deploys) {
  boost::system::error_code failed;
  const auto value = json::parse(input, failed);
  if (failed || !value.is_object()) return;
  sx::app::is_singularity_deploy(value.get_object());
  const auto made = sx::app::task_of_deploy(value.get_object());
  if (!made) {
    require(made.error().kind == sx::ErrorKind::invalid && !made.error().message.empty(),
            "an error names the field");
    return;
  }
  const auto task = sx::mesos::parse_task_info(made->task);
  if (!task) require(task.error().kind == sx::ErrorKind::invalid, "a task, or what is wrong");
}
