#pragma once
// Pure: what is known of the task so far. The closing summary (post_mortem.hpp) and
// executor-report.json (docs/report.md) are made from it. No secret gets in here.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "task/outcome.hpp"

namespace sidecar_executor::task {

struct PhaseTime {
  std::string name;  ///< `pull`, `secrets`, `create`, `start`, `run`, `stop`, `logs`
  WallTime began;
  Nanoseconds took{0};
};

/// What the executor spent its time on, in order. One phase is under way at a time, or none.
class Phases {
 public:
  std::function<void()> on_change;  ///< one began or ended

  void begin(std::string name, WallTime now) {
    doing_ = {std::move(name), now};
    if (on_change) on_change();
  }
  void add(PhaseTime phase) {
    if (phase.name == doing_.name) doing_ = {};
    done_.push_back(std::move(phase));
    if (on_change) on_change();
  }
  [[nodiscard]] const std::vector<PhaseTime>& done() const { return done_; }
  /// Without a name: none. Its duration is not known yet.
  [[nodiscard]] const PhaseTime& doing() const { return doing_; }

 private:
  std::vector<PhaseTime> done_;
  PhaseTime doing_;
};

/// What was found out about the service's health, at the moment when it changed.
struct HealthChange {
  bool healthy = false;
  std::string text;  ///< `ALIVE since 2026-01-02T15:04:05Z`
};

struct Report {
  WallTime began;  ///< the executor
  std::string task_id;
  std::string task_name;
  std::string image;
  std::string image_id;      ///< `sha256:...`, once the container runs
  std::string image_digest;  ///< of the registry, `sha256:...`; empty: never was in one
  std::string container_id;
  std::string state;  ///< the last one reported: `TASK_RUNNING`
  Phases phases;
  /// Of Docker's HostConfig, those that are set: `Memory` in bytes, `NanoCpus`, ...
  std::vector<std::pair<std::string, std::int64_t>> limits;
  std::vector<HealthChange> health;  ///< the newest ones, see add_health()
  std::optional<ContainerEnd> end;
  std::optional<Outcome> outcome;
  std::string last_error;      ///< the newest trouble of a step
  std::string log_note;        ///< what became of the container's log
  bool logs_copied = false;    ///< there was something, and it is in the sandbox
  std::string launch_failure;  ///< as Docker said it
  std::string last_words;      ///< the end of the copied log; it may hold anything: never shown
};

/// Keeps the newest 20.
void add_health(Report& report, HealthChange change);

/// executor-report.json; `now` is when it is written, `pid` the executor's.
std::string report_json(const Report& report, WallTime now, int pid);

}  // namespace sidecar_executor::task
