#include "cost.hpp"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>

#include "file_descriptor.hpp"

namespace sx_bench {
namespace {

double cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

double status_mb(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) return std::stod(line.substr(name.size())) * 1024 / 1e6;
  }
  throw std::runtime_error("/proc/self/status has no " + name);
}

[[noreturn]] void measure(const std::function<void()>& before, const std::function<void()>& work,
                          int result) {
  try {
    before();
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    Cost cost;
    cost.memory_mb = status_mb("VmRSS:");
    cost.cpu_ms = cpu_ms();
    work();
    cost.cpu_ms = cpu_ms() - cost.cpu_ms;
    cost.memory_mb = status_mb("VmHWM:") - cost.memory_mb;
    ::_exit(::write(result, &cost, sizeof(cost)) == sizeof(cost) ? 0 : 1);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    ::_exit(1);
  }
}

}  // namespace

Cost cost_of(const std::function<void()>& before, const std::function<void()>& work) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const FileDescriptor from(ends[0]);
  FileDescriptor to(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) measure(before, work, to.get());
  to.reset();
  Cost cost;
  const bool whole = ::read(from.get(), &cost, sizeof(cost)) == sizeof(cost);
  ::waitpid(child, nullptr, 0);
  if (!whole) throw std::runtime_error("the measured process failed");
  return cost;
}

}  // namespace sx_bench
