#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "task/report.hpp"

namespace sidecar_executor::task {

/// Adds the time since it was made as a phase.
class PhaseClock {
 public:
  PhaseClock(Phases& phases, std::string name)
      : phases_(phases), name_(std::move(name)), began_(std::chrono::steady_clock::now()) {
    phases_.begin(name_);
  }
  ~PhaseClock() { phases_.add(name_, took()); }
  PhaseClock(const PhaseClock&) = delete;
  PhaseClock& operator=(const PhaseClock&) = delete;
  [[nodiscard]] std::chrono::nanoseconds took() const {
    return std::chrono::steady_clock::now() - began_;
  }

 private:
  Phases& phases_;
  std::string name_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace sidecar_executor::task
