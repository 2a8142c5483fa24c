// The part of the runner that keeps the report and writes the summary at the end.
#include <array>

#include "task/post_mortem.hpp"
#include "task/runner.hpp"

namespace sidecar_executor::task {

/// From the LAUNCH on, also of a task that is refused: before, there is nothing to tell.
void Runner::begin_report(const mesos::TaskInfo& task) {
  report_.task_id = task.task_id;
  report_.task_name = task.name;
  if (task.container && task.container->docker) report_.image = task.container->docker->image;
  report_.phases.on_change = [this] { report_file_.changed(); };
}

void Runner::report_limits() {
  constexpr std::array limits{"Memory",    "MemorySwap", "MemoryReservation", "NanoCpus",
                              "CpuShares", "CpuPeriod",  "CpuQuota",          "PidsLimit"};
  if (const auto* host = spec_->body.if_contains("HostConfig"); host != nullptr) {
    for (const char* name : limits) {
      const auto* value = host->is_object() ? host->as_object().if_contains(name) : nullptr;
      if (value != nullptr && value->is_int64()) {
        report_.limits.emplace_back(name, value->as_int64());
      }
    }
  }
}

void Runner::health_known(bool healthy, std::string text) {
  add_health(report_, {healthy, std::move(text)});
  report_file_.changed();
}

void Runner::write_summary() {
  if (report_.task_id.empty()) report_.task_id = lifecycle_.task_id();
  report_.container_id = container_.id;
  report_.outcome = lifecycle_.outcome();
  report_file_.write();
  err_.write(format_summary(report_));
}

}  // namespace sidecar_executor::task
