#pragma once
// Pure: how long to wait before something that failed is tried again.

#include <algorithm>
#include <chrono>

namespace sidecar_executor {

/// `first` after the first failure, twice as long after each further one, at most `longest`.
/// `failures` counts from 0, which is the first; below that counts as 0. `first` is above 0.
constexpr std::chrono::nanoseconds doubled(std::chrono::nanoseconds first,
                                           std::chrono::nanoseconds longest, int failures) {
  std::chrono::nanoseconds wait = first;
  for (int i = 0; i < failures && wait < longest; ++i) wait *= 2;
  return std::min(wait, longest);
}

}  // namespace sidecar_executor
