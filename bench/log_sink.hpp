#pragma once
// A syslog collector on loopback that counts records and throws them away, in a thread of its own.

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "file_descriptor.hpp"

namespace sx_bench {

class LogSink {
 public:
  enum class Kind { udp, tcp };
  explicit LogSink(Kind kind);
  ~LogSink();
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  /// What mini-agent is told so that the executor relays to it.
  [[nodiscard]] std::vector<std::string> arguments() const;
  /// A socket that is connected to it; throws.
  [[nodiscard]] FileDescriptor connect() const;
  /// Returns when there are so many; throws when none comes for ten seconds.
  void wait_for(std::uint64_t records) const;
  /// CLOCK_MONOTONIC seconds between the first record and the newest.
  [[nodiscard]] double took() const { return last_ - first_; }

 private:
  void run();
  bool take_datagrams();
  bool take_stream();
  void count(std::uint64_t records);

  Kind kind_;
  int port_ = 0;
  FileDescriptor socket_;
  FileDescriptor peer_;
  FileDescriptor stop_;
  std::atomic<std::uint64_t> records_ = 0;
  std::atomic<double> first_ = 0;
  std::atomic<double> last_ = 0;
  std::thread thread_;
};

}  // namespace sx_bench
