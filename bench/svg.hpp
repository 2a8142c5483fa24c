#pragma once
// The two plots of docs/performance.md.

#include <string>

#include "figure.hpp"

namespace sx_bench {

/// One row a figure: every sample as a dot, quartiles as a box, the limit as a line.
std::string latency_plot(const Figures& figures);
/// Bars, each beside its limit and beside the Go executor's number.
std::string memory_plot(const Figures& figures);

}  // namespace sx_bench
