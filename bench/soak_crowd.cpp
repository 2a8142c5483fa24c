#include "soak_crowd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>
#include <utility>

#include "process_memory.hpp"

namespace sx_bench {
namespace {

/// A UDP port of loopback.
FileDescriptor bound(int& port) {
  FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (fd.get() < 0 || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("no UDP port");
  port = ::ntohs(address.sin_port);
  return fd;
}

}  // namespace

SoakCrowd::SoakCrowd(Options options)
    : options_(std::move(options)), collector_(bound(collector_port_)) {}

void SoakCrowd::add(bool control) {
  AgentRun::Start start{options_.docker_host,
                        {"--timeout", "7200", "--env", "EXECUTOR_REMOVE_CONTAINER=true"}};
  BenchTask task;
  if (control) {
    task = make_task("trap \"exit 0\" TERM; while true; do echo tick; sleep 1; done");
    task.discovered = true;
    for (const char* more : {"EXECUTOR_SIDECAR_BACKOFF=1s", "EXECUTOR_SIDECAR_POLL_INTERVAL=2s",
                             "EXECUTOR_SIDECAR_DRAINING_DURATION=0", "EXECUTOR_RELAY_SYSLOG=true"})
      start.arguments.insert(start.arguments.end(), {"--env", more});
    start.arguments.insert(start.arguments.end(),
                           {"--sidecar", "--env",
                            "EXECUTOR_SYSLOG_ADDR=127.0.0.1:" + std::to_string(collector_port_)});
  } else {
    std::uniform_int_distribution<int> life(options_.life_min, options_.life_max);
    task = make_task("sleep " + std::to_string(life(dice_)));
  }
  auto& group = control ? control_ : others_;
  group.emplace_back(options_.programs, task, start);
  group.back().until("executor_pid");
}

void SoakCrowd::start() {
  for (int i = 0; i < options_.control; ++i) add(true);
  churn();
}

void SoakCrowd::churn() {
  constexpr int kAtMost = 10;
  for (auto& run : control_) {
    if (!run.executor_ended()) continue;
    throw std::runtime_error("one of the control group has ended: " +
                             boost::json::serialize(run.finish()));
  }
  int changes = 0;
  for (auto run = others_.begin(); run != others_.end() && changes < kAtMost;) {
    if (!run->executor_ended()) {
      ++run;
      continue;
    }
    ++changes;
    note_end(*run);
    run = others_.erase(run);
  }
  const auto wanted = static_cast<std::size_t>(options_.crowd - options_.control);
  for (int started = 0; others_.size() < wanted && started < kAtMost; ++started) add(false);
}

void SoakCrowd::note_end(AgentRun& run) {
  const auto end = run.finish();
  const auto& code = end.at("executor_code");
  if (!code.is_int64() || code.as_int64() != 0) {
    ++ends_["executor: " + boost::json::serialize(code)];
  }
  ++ends_[std::string(end.at("state").as_string())];
}

SoakSample SoakCrowd::look(double at) const {
  SoakSample out;
  out.at = at;
  const auto add_to = [&out](const AgentRun& run, bool control) {
    try {
      const ProcessMemory memory = memory_of(run.executor_pid());
      const int descriptors = descriptors_of(run.executor_pid());
      ++out.executors;
      out.pss_mb += memory.pss_mb;
      out.anonymous_mb += memory.anonymous_mb;
      out.descriptors += descriptors;
      out.threads += memory.threads;
      out.rss_max_mb = std::max(out.rss_max_mb, memory.rss_mb);
      out.descriptors_max = std::max(out.descriptors_max, descriptors);
      if (!control) return;
      out.control_rss_max_mb = std::max(out.control_rss_max_mb, memory.rss_mb);
      out.control_anonymous_mb += memory.anonymous_mb;
      out.control_descriptors += descriptors;
    } catch (const std::exception&) {
      // The others may end while they are looked at.
      if (control) throw std::runtime_error("one of the control group has ended");
    }
  };
  for (const auto& run : control_) add_to(run, true);
  for (const auto& run : others_) add_to(run, false);
  const auto members = static_cast<double>(std::max<std::size_t>(1, control_.size()));
  out.control_anonymous_mb /= members;
  out.control_descriptors /= members;
  return out;
}

void SoakCrowd::stop() {
  for (auto* group : {&control_, &others_}) {
    for (const auto& run : *group) {
      if (!run.executor_ended()) run.interrupt();
    }
  }
  for (auto* group : {&control_, &others_}) {
    for (auto& run : *group) note_end(run);
    group->clear();
  }
}

}  // namespace sx_bench
