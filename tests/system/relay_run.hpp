#pragma once
// Runs of containers whose log is relayed.

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/collector.hpp"
#include "support/system.hpp"

namespace sx_test {

using Texts = std::vector<std::string>;

inline TaskBuilder task_of(const std::string& script) {
  TaskBuilder task("/bin/sh -c '" + script + "'");
  task.docker()["network"] = "NONE";
  return task;
}

inline RunOptions relay_to(const std::string& address, const std::string& protocol) {
  RunOptions options;
  options.executor_environment = {{"EXECUTOR_RELAY_SYSLOG", "true"},
                                  {"EXECUTOR_SYSLOG_ADDR", address},
                                  {"EXECUTOR_SYSLOG_PROTOCOL", protocol},
                                  {"EXECUTOR_LOG_HOSTNAME", "h"}};
  return options;
}

inline RunOptions relay_to(const Collector& collector, const std::string& protocol) {
  return relay_to(collector.address(), protocol);
}

inline json::object parsed(const std::string& record) { return json::parse(record).as_object(); }

/// Payloads behind our own first line.
inline Texts payloads(Collector& collector) {
  Texts out;
  for (const auto& record : collector.records()) {
    out.emplace_back(parsed(record).at("Payload").as_string());
  }
  if (out.empty()) return out;
  EXPECT_TRUE(out.front().starts_with("sidecar-executor starting log pump for '")) << out.front();
  out.erase(out.begin());
  return out;
}

/// The executor's own log while it runs.
class SandboxLog {
 public:
  /// For RunOptions::on_event: runs `action` at TASK_RUNNING.
  std::function<void(const json::object&)> then(std::function<void()> action) {
    return [this, action = std::move(action)](const json::object& event) {
      if (event.at("event") == "sandbox") folder_ = event.at("path").as_string();
      if (event.at("event") != "update") return;
      if (event.at("status").at("state") == "TASK_RUNNING") action();
    };
  }
  /// False: it did not in time.
  [[nodiscard]] bool says(const std::string& text) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (read_file(folder_ + "/stdout").find(text) == std::string::npos) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

 private:
  std::string folder_;
};

/// Of the first line with this text: `2026-01-02T15:04:05Z`.
inline std::string time_of(const std::string& log, const std::string& text) {
  const auto at = log.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  if (at == std::string::npos) return {};
  const std::string head = "time=\"";
  const auto from = log.rfind(head, at);
  return log.substr(from + head.size(), 20);
}

}  // namespace sx_test
