#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "task/report.hpp"

namespace sidecar_executor::task {

inline Now now() { return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()}; }

/// Adds the time since it was made as a phase.
class PhaseClock {
 public:
  PhaseClock(Phases& phases, std::string name)
      : phases_(phases), name_(std::move(name)), began_(now()) {
    phases_.begin(name_, began_.wall);
  }
  ~PhaseClock() { phases_.add({name_, began_.wall, took()}); }
  PhaseClock(const PhaseClock&) = delete;
  PhaseClock& operator=(const PhaseClock&) = delete;
  [[nodiscard]] std::chrono::nanoseconds took() const {
    return std::chrono::steady_clock::now() - began_.steady;
  }

 private:
  Phases& phases_;
  std::string name_;
  Now began_;
};

}  // namespace sidecar_executor::task
