#pragma once
// CLOCK_MONOTONIC in seconds: the clock of mini-agent's `mono`, so that both can be compared.

#include <time.h>

namespace sx_bench {

inline double now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

}  // namespace sx_bench
