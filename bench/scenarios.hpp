#pragma once
// What is done to get each figure.

#include <string>
#include <utility>
#include <vector>

#include "agent_run.hpp"
#include "docker_api.hpp"
#include "figure.hpp"

namespace sx_bench {

struct Plan {
  Programs programs;
  std::string docker_host;
  int runs = 20;           ///< of exit and kill; starts twice as many
  int crowd = 50;          ///< executors at once
  int idle_seconds = 30;   ///< from the last launch to the look at memory
  int watch_seconds = 60;  ///< wakeups and growth are counted so long
};

/// Start → SUBSCRIBE, and processor time of a start and shutdown.
void measure_starts(const Plan& plan, Figures& figures);
/// Exit of the container → UPDATE, beside a bare client; acknowledgement → process gone.
void measure_exits(const Plan& plan, const DockerApi& docker, Figures& figures);
/// Median milliseconds of each request to Docker between LAUNCH and start, in order.
using Breakdown = std::vector<std::pair<std::string, double>>;
/// LAUNCH → start request and KILL → stop request, through the proxy.
Breakdown measure_launches_and_kills(const Plan& plan, const DockerApi& docker, Figures& figures);
/// Memory, threads and wakeups of many that share one file.
void measure_idle(const Plan& plan, Figures& figures);
/// Memory of many that each run their own copy of the file.
void measure_copies(const Plan& plan, Figures& figures);
/// Processor time and peak memory of polls of a big state.
void measure_sidecar(const Plan& plan, Figures& figures);
/// Processor time, peak memory and wakeups of the log relay, its rate beside a bare reader's.
void measure_relay(const Plan& plan, const DockerApi& docker, Figures& figures);
void measure_binary(const Plan& plan, Figures& figures);

void say(const char* what, int number, int of);  ///< progress

}  // namespace sx_bench
