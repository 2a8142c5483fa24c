#pragma once
// The plot of docs/soak.md.

#include <string>

#include "soak_sample.hpp"

namespace sx_bench {

/// Memory and descriptors against time, all executors above, the control group below.
std::string soak_plot(const SoakSamples& samples);

}  // namespace sx_bench
