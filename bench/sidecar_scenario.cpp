// The executor while it polls a Sidecar with a big state.
#include <sys/types.h>

#include <fstream>
#include <string>

#include "process_memory.hpp"
#include "scenarios.hpp"

namespace sx_bench {
namespace {

constexpr int kMegabytes = 100;
constexpr int kPolls = 5;

}  // namespace

void measure_sidecar(const Plan& plan, Figures& figures) {
  const std::string state = "Sidecar's state of " + std::to_string(kMegabytes) + " MB: ";
  Figure cpu{"sidecar_cpu", state + "processor time of a poll", "ms", 100, "1,035", 1035, {}};
  Figure memory{"sidecar_memory", state + "peak memory above idle", "MB", 1, "640", 640, {}};
  BenchTask task = make_task("trap \"exit 0\" TERM; sleep 1000 & wait");
  task.discovered = true;
  AgentRun agent(
      plan.programs, task,
      {plan.docker_host,
       {"--sidecar-pad", std::to_string(kMegabytes), "--env", "EXECUTOR_SIDECAR_BACKOFF=3s",
        "--env", "EXECUTOR_SIDECAR_POLL_INTERVAL=1s", "--env", "EXECUTOR_HTTP_TIMEOUT=20s", "--env",
        "EXECUTOR_SIDECAR_DRAINING_DURATION=0"}});
  agent.until("update", "TASK_RUNNING");
  const pid_t pid = agent.executor_pid();
  rest(2);  // idle, and not polled yet
  const double idle = memory_of(pid).rss_mb;
  forget_peak(pid);
  agent.until("sidecar_polled");
  rest(0.7);
  double before = cpu_ms(pid);
  for (int i = 0; i < kPolls; ++i) {
    agent.until("sidecar_polled");
    rest(0.7);  // the answer is read by then
    const double after = cpu_ms(pid);
    cpu.values.push_back(after - before);
    before = after;
  }
  memory.values.push_back(peak_mb(pid) - idle);
  agent.interrupt();
  agent.finish();
  figures.push_back(std::move(cpu));
  figures.push_back(std::move(memory));
}

}  // namespace sx_bench
