#pragma once
// The newest part of a log of any size: small ones in memory, larger ones in two unlinked files.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "docker/frames.hpp"

namespace sidecar_executor::task {

class LogSpool {
 public:
  /// At most `limit` bytes are given back, the newest. `folder` takes the files: up to twice the
  /// limit, for logs that do not fit into memory.
  LogSpool(std::string folder, std::uint64_t limit);
  ~LogSpool();
  LogSpool(const LogSpool&) = delete;
  LogSpool& operator=(const LogSpool&) = delete;

  /// Error (invalid): the folder cannot be written, the disk is full.
  Result<void> add(docker::LogStream stream, std::string_view bytes);

  /// Everything added, less the oldest bytes beyond the limit.
  [[nodiscard]] std::uint64_t kept() const;
  [[nodiscard]] std::uint64_t dropped() const { return total_ - kept(); }

  /// Reading back: next bytes and their stream; empty at the end.
  struct Piece {
    docker::LogStream stream = docker::LogStream::out;
    std::string bytes;
  };
  Piece next();

 private:
  /// One generation: `[stream, length, bytes]` after one another.
  struct File {
    int fd = -1;
    std::uint64_t payload = 0;
    std::uint64_t size = 0;
    std::uint64_t read_at = 0;
  };
  Result<void> append(docker::LogStream stream, std::string_view bytes);
  Result<void> open(File& file) const;
  static Piece read(File& file);

  std::string folder_;
  std::uint64_t limit_;
  std::uint64_t total_ = 0;
  std::vector<Piece> memory_;
  std::size_t memory_bytes_ = 0;
  std::size_t memory_at_ = 0;
  bool spooling_ = false;
  bool reading_ = false;
  std::uint64_t skip_ = 0;
  File older_;
  File newer_;
};

}  // namespace sidecar_executor::task
