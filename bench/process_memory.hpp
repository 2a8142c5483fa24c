#pragma once
// What a process holds and does, from /proc.

#include <sys/types.h>

#include <string>

namespace sx_bench {

struct ProcessMemory {
  double rss_mb = 0;  ///< MB = 1,000,000 bytes, here and in the limits
  double pss_mb = 0;
  double anonymous_mb = 0;
  int threads = 0;
};
ProcessMemory memory_of(pid_t pid);

/// Open descriptors; throws when it has ended.
int descriptors_of(pid_t pid);

/// The peak of its resident memory since its start or since forget_peak().
double peak_mb(pid_t pid);
void forget_peak(pid_t pid);

/// User and system time since its start.
double cpu_ms(pid_t pid);

/// Times that it has slept of its own will.
long voluntary_switches_of(pid_t pid);

/// The child of `parent` whose program is `path`; throws when there is none.
pid_t child_running(pid_t parent, const std::string& path);

}  // namespace sx_bench
