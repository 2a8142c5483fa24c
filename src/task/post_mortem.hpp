#pragma once
// Pure: the summary block at the end, for somebody who looks at stderr at three in the morning.

#include <string>

#include "task/report.hpp"

namespace sidecar_executor::task {

/// The block, lines of text ending in '\n'.
std::string format_summary(const Report& report);

/// The one most likely thing to look at, from what Docker, the exit and the program said; empty
/// when there is none.
std::string likely_cause(const Report& report);

}  // namespace sidecar_executor::task
