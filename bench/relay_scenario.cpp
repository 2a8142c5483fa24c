// The executor while it relays its container's log.
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "file_descriptor.hpp"
#include "log_sink.hpp"
#include "process_memory.hpp"
#include "scenarios.hpp"

namespace sx_bench {
namespace {

constexpr std::uint64_t kLines = 1'000'000;
constexpr std::size_t kLine = 100;              // bytes, with \n
constexpr std::size_t kEntry = 8 + 31 + kLine;  // after a frame's header and a time stamp
constexpr std::size_t kRecord = 190;            // bytes: such a line as JSON
constexpr std::uint64_t kLongLines = 30;
// Of a line of 1 MiB, in datagrams of up to 65,507 bytes.
constexpr std::uint64_t kLongParts = 17;
constexpr double kPause = 0.0006;  // seconds: some 60 lines, as the relay has it
constexpr int kQuiet = 5;

// Stays when it has written, and ends with exit code 0 when it is told to.
std::string then_wait(const std::string& writes) {
  return "trap \"exit 0\" TERM; " + writes + "; sleep 1000 & wait";
}

std::string short_lines() {
  return then_wait("yes " + std::string(kLine - 1, 'x') + " | head -n " + std::to_string(kLines));
}

std::string long_lines() {
  return then_wait("for i in $(seq " + std::to_string(kLongLines) +
                   "); do head -c 1048576 /dev/zero | tr \"\\\\0\" x; echo; done");
}

std::string running_container(const DockerApi& docker, const BenchTask& task, AgentRun& agent) {
  agent.until("update", "TASK_RUNNING");
  const auto containers = docker.containers_of(task.id);
  if (containers.size() != 1) throw std::runtime_error("not one container of " + task.id);
  return containers[0];
}

/// Its exit code is 0: no log is copied at the end.
void end(const DockerApi& docker, const std::string& container, AgentRun& agent) {
  const auto answer = docker.call("POST", "/containers/" + container + "/kill?signal=TERM");
  if (answer.status != 204) throw std::runtime_error("kill: " + answer.body);
  agent.until("update", "TASK_FINISHED");
  agent.finish();
  docker.remove(container);
}

/// Seconds, of this thread.
double own_cpu() {
  timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

struct Cost {
  double cpu = 0;   ///< seconds, of the process since its start
  double peak = 0;  ///< MB
  double took = 0;  ///< seconds from the first line to the last
};

Cost relay(const Plan& plan, const DockerApi& docker, LogSink::Kind kind, const std::string& shell,
           std::uint64_t records) {
  const LogSink sink(kind);
  const BenchTask task = make_task(shell);
  AgentRun agent(plan.programs, task, {plan.docker_host, sink.arguments()});
  const std::string container = running_container(docker, task, agent);
  sink.wait_for(records + 1);  // the relay says a line of its own
  const Cost cost{cpu_ms(agent.executor_pid()) / 1e3, peak_mb(agent.executor_pid()), sink.took()};
  end(docker, container, agent);
  return cost;
}

/// What follows the log of the same container below the same executor, whose relay is off.
Cost read_barely(const Plan& plan, const DockerApi& docker, double pause,
                 const std::function<void(std::size_t)>& each) {
  const BenchTask task = make_task(short_lines());
  AgentRun agent(plan.programs, task, {plan.docker_host, {}});
  const std::string container = running_container(docker, task, agent);
  const double before = own_cpu();
  const double took = docker.follow_log(container, kLines * kEntry, pause, each);
  const Cost cost{own_cpu() - before, 0, took};
  end(docker, container, agent);
  return cost;
}

/// As many records as lines were read, of the same size and all the same: what the kernel alone
/// takes for a relay. One call for what one read brought, UDP cut into datagrams by the kernel.
class BareSender {
 public:
  BareSender(const LogSink& sink, LogSink::Kind kind)
      : fd_(sink.connect()), records_(kMost * kRecord, '{') {
    const int size = kRecord;
    if (kind == LogSink::Kind::udp &&
        ::setsockopt(fd_.get(), SOL_UDP, UDP_SEGMENT, &size, sizeof size) != 0) {
      throw std::runtime_error("no UDP_SEGMENT");
    }
  }
  void operator()(std::size_t read) {
    for (read_ += read; read_ >= kEntry;) {
      const std::size_t count = std::min(read_ / kEntry, kMost);
      if (::send(fd_.get(), records_.data(), count * kRecord, MSG_NOSIGNAL) < 0) {
        throw std::runtime_error("the collector takes no more");
      }
      read_ -= count * kEntry;
    }
  }

 private:
  static constexpr std::size_t kMost = 64;  // the kernel's UDP_MAX_SEGMENTS
  FileDescriptor fd_;
  std::string records_;
  std::size_t read_ = 0;
};

double send_barely(const Plan& plan, const DockerApi& docker, LogSink::Kind kind) {
  const LogSink sink(kind);
  BareSender sender(sink, kind);
  return read_barely(plan, docker, kPause, std::ref(sender)).cpu;
}

void measure_quiet(const Plan& plan, Figures& figures) {
  Figure wakeups{
      "relay_wakeups", "relay of a quiet container: wakeups a minute", "", 0, "", {}, {}};
  const LogSink sink(LogSink::Kind::udp);
  std::vector<std::unique_ptr<AgentRun>> agents;
  for (int i = 0; i < kQuiet; ++i) {
    agents.push_back(
        std::make_unique<AgentRun>(plan.programs, make_task(then_wait("echo ready")),
                                   AgentRun::Start{plan.docker_host, sink.arguments()}));
    agents.back()->until("update", "TASK_RUNNING");
  }
  sink.wait_for(2 * kQuiet);
  rest(plan.idle_seconds);
  std::vector<long> before;
  before.reserve(agents.size());
  for (const auto& agent : agents) before.push_back(voluntary_switches_of(agent->executor_pid()));
  rest(plan.watch_seconds);
  for (std::size_t i = 0; i < agents.size(); ++i) {
    const long woken = voluntary_switches_of(agents[i]->executor_pid()) - before[i];
    wakeups.values.push_back(static_cast<double>(woken) * 60 / plan.watch_seconds);
  }
  for (const auto& agent : agents) agent->interrupt();
  for (const auto& agent : agents) agent->finish();
  figures.push_back(std::move(wakeups));
}

}  // namespace

void measure_relay(const Plan& plan, const DockerApi& docker, Figures& figures) {
  const std::string million = "relay of 1,000,000 lines of 100 bytes, ";
  Figure udp{"relay_cpu_udp", million + "udp: processor time", "s", 1, "8.4", 8.4, {}};
  Figure tcp{"relay_cpu_tcp", million + "tcp: processor time", "s", 1, "8.4", 8.4, {}};
  Figure peak{"relay_peak", million + "udp: peak memory", "MB", 9, "23.6", 23.6, {}};
  Figure peak_long{
      "relay_peak_long", "relay of lines of 1 MiB: peak memory", "MB", 9, "23.6", 23.6, {}};
  Figure rate{"relay_rate", million + "udp: thousands of lines a second", "", {}, "", {}, {}};
  Figure bare{
      "reader_rate", "the same, a bare reader: thousands of lines a second", "", {}, "", {}, {}};
  Figure bare_cpu{"reader_cpu", "the same, a bare reader: processor time", "s", {}, "", {}, {}};
  Figure resting_cpu{"resting_reader_cpu",
                     "the same, a bare reader with pauses: processor time",
                     "s",
                     {},
                     "",
                     {},
                     {}};
  const std::string sends = "the same, a bare reader with pauses that sends as much, ";
  Figure bare_udp{"bare_relay_cpu_udp", sends + "udp: processor time", "s", {}, "", {}, {}};
  Figure bare_tcp{"bare_relay_cpu_tcp", sends + "tcp: processor time", "s", {}, "", {}, {}};
  const auto nothing = [](std::size_t) {};
  Figure ratio{
      "relay_ratio", "time that the relay takes, the bare reader's is 1", "", {}, "", {}, {}};
  const int runs = std::max(1, plan.runs / 5);
  for (int i = 0; i < runs; ++i) {
    const Cost alone = read_barely(plan, docker, 0, nothing);
    resting_cpu.values.push_back(read_barely(plan, docker, kPause, nothing).cpu);
    bare_udp.values.push_back(send_barely(plan, docker, LogSink::Kind::udp));
    bare_tcp.values.push_back(send_barely(plan, docker, LogSink::Kind::tcp));
    const Cost cost = relay(plan, docker, LogSink::Kind::udp, short_lines(), kLines);
    udp.values.push_back(cost.cpu);
    peak.values.push_back(cost.peak);
    rate.values.push_back(kLines / cost.took / 1e3);
    bare.values.push_back(kLines / alone.took / 1e3);
    bare_cpu.values.push_back(alone.cpu);
    ratio.values.push_back(cost.took / alone.took);
    tcp.values.push_back(relay(plan, docker, LogSink::Kind::tcp, short_lines(), kLines).cpu);
    peak_long.values.push_back(
        relay(plan, docker, LogSink::Kind::udp, long_lines(), kLongLines * kLongParts).peak);
    say("millions of lines", i + 1, runs);
  }
  for (auto* figure : {&udp, &tcp, &bare_cpu, &resting_cpu, &bare_udp, &bare_tcp, &peak, &peak_long,
                       &rate, &bare, &ratio}) {
    figures.push_back(std::move(*figure));
  }
  measure_quiet(plan, figures);
}

}  // namespace sx_bench
