#pragma once
// What a piece of work costs, measured in a process of its own.

#include <functional>

namespace sx_bench {

struct Cost {
  double cpu_ms = 0;     ///< user and system
  double memory_mb = 0;  ///< by which the peak of its resident memory is above the start
};

/// Runs both in a child and measures `work`; throws when one of them throws.
Cost cost_of(const std::function<void()>& before, const std::function<void()>& work);

}  // namespace sx_bench
