#pragma once
// executor-report.json in the sandbox, for programs and people who look while the task lives.

#include <boost/asio/any_io_executor.hpp>
#include <string>

#include "base/log.hpp"
#include "task/report.hpp"

namespace sidecar_executor::task {

class ReportFile {
 public:
  /// `folder`: the sandbox; empty = no file. What is given has to outlive it and the loop.
  ReportFile(boost::asio::any_io_executor executor, std::string folder, const Report& report,
             Log& log);

  /// Written when the loop comes to it: many changes in one turn are one write, and nobody who
  /// reports one waits for the disk.
  void changed();
  /// Now. A disk that does not take it is said once.
  void write();

 private:
  boost::asio::any_io_executor executor_;
  std::string path_;
  const Report& report_;
  Log& log_;
  bool due_ = false;
  bool trouble_said_ = false;
};

}  // namespace sidecar_executor::task
