#pragma once
// The plot of poll_bench: processor time and peak memory of a poll against the state's size.

#include <string>

#include "figure.hpp"

namespace sx_bench {

/// Of the figures poll_cpu_N, parse_cpu_N, poll_memory_N and parse_memory_N, N in MB. Both axes are
/// logarithmic.
std::string poll_plot(const Figures& figures);

}  // namespace sx_bench
