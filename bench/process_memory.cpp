#include "process_memory.hpp"

#include <time.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace sx_bench {
namespace {

/// The number behind `name` in a file of `Name:   123 kB` lines.
long field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::stol(line.substr(name.size() + 1));
  }
  throw std::runtime_error(path + " has no " + name + ": has the executor ended?");
}

double megabytes(long kib) { return static_cast<double>(kib) * 1024 / 1e6; }

}  // namespace

ProcessMemory memory_of(pid_t pid) {
  const std::string folder = "/proc/" + std::to_string(pid);
  const std::string rollup = folder + "/smaps_rollup";
  ProcessMemory memory;
  memory.rss_mb = megabytes(field(rollup, "Rss"));
  memory.pss_mb = megabytes(field(rollup, "Pss"));
  memory.anonymous_mb = megabytes(field(rollup, "Anonymous"));
  memory.threads = static_cast<int>(field(folder + "/status", "Threads"));
  return memory;
}

int descriptors_of(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<int>(std::distance(begin(all), end(all)));
}

double peak_mb(pid_t pid) {
  return megabytes(field("/proc/" + std::to_string(pid) + "/status", "VmHWM"));
}

void forget_peak(pid_t pid) { std::ofstream("/proc/" + std::to_string(pid) + "/clear_refs") << 5; }

double cpu_ms(pid_t pid) {
  clockid_t clock{};
  timespec t{};
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &t) != 0) {
    throw std::runtime_error("no processor time of " + std::to_string(pid));
  }
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

long voluntary_switches_of(pid_t pid) {
  long sum = 0;
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  for (const auto& thread : std::filesystem::directory_iterator(tasks)) {
    sum += field(thread.path().string() + "/status", "voluntary_ctxt_switches");
  }
  return sum;
}

pid_t child_running(pid_t parent, const std::string& path) {
  const std::string id = std::to_string(parent);
  std::ifstream children("/proc/" + id + "/task/" + id + "/children");
  for (pid_t child = 0; children >> child;) {
    std::error_code ec;
    const auto exe = std::filesystem::read_symlink("/proc/" + std::to_string(child) + "/exe", ec);
    if (!ec && exe == path) return child;
  }
  throw std::runtime_error("no child of " + id + " runs " + path);
}

}  // namespace sx_bench
