#pragma once
// What /proc says about this process and the others: how an executor is told from a later process
// with its pid.

#include <string>

#include "app/reap_plan.hpp"

namespace sidecar_executor::app {

/// Of this process: `<start time in clock ticks since boot>@<boot id>`.
std::string process_start_mark();

/// Of this process: `pid:[4026531836]`. Empty when /proc does not say.
std::string pid_namespace();

/// Every process that `proc` shows. Blocks for some 50 µs a process.
HostFacts read_host_facts(const std::string& proc = "/proc");

}  // namespace sidecar_executor::app
