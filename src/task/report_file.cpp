#include "task/report_file.hpp"

#include <unistd.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "base/file.hpp"

namespace sidecar_executor::task {

ReportFile::ReportFile(boost::asio::any_io_executor executor, std::string folder,
                       const Report& report, Log& log)
    : executor_(std::move(executor)),
      path_(folder.empty() ? "" : std::move(folder) + "/executor-report.json"),
      report_(report),
      log_(log) {}

void ReportFile::changed() {
  if (path_.empty() || std::exchange(due_, true)) return;
  boost::asio::post(executor_, [this] {
    if (due_) write();
  });
}

void ReportFile::write() {
  due_ = false;
  if (path_.empty()) return;
  // Not forced to the disk: the loop would wait for it.
  const auto written = replace_file(
      path_, report_json(report_, std::chrono::system_clock::now(), ::getpid()), 0644, Durable::no);
  if (!written && !std::exchange(trouble_said_, true)) {
    log_.warning("The report cannot be written, ignoring", {{"error", written.error().message}});
  }
}

}  // namespace sidecar_executor::task
