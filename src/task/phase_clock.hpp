#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "task/post_mortem.hpp"

namespace sidecar_executor::task {

/// Adds the time since it was made as a phase.
class PhaseClock {
 public:
  PhaseClock(std::vector<PhaseTime>& phases, std::string name)
      : phases_(phases), name_(std::move(name)), began_(std::chrono::steady_clock::now()) {}
  ~PhaseClock() { phases_.push_back({name_, took()}); }
  PhaseClock(const PhaseClock&) = delete;
  PhaseClock& operator=(const PhaseClock&) = delete;
  [[nodiscard]] std::chrono::nanoseconds took() const {
    return std::chrono::steady_clock::now() - began_;
  }

 private:
  std::vector<PhaseTime>& phases_;
  std::string name_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace sidecar_executor::task
