#pragma once
// Pure: how far a log was read, so that a new stream (the daemon was restarted) gives no entry
// twice and leaves none out. Docker's `since` is inclusive, and stamps are not in strict order: the
// container's two streams are stamped by two goroutines, and a journal counts microseconds only.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "docker/frames.hpp"

namespace sidecar_executor::docker {

class LogPosition {
 public:
  /// An entry was taken, all of it. One without a stamp is not remembered.
  void took(std::string_view stamp, LogStream stream);

  /// For Docker's `since`, in `seconds.nanoseconds`: what is still remembered begins there. `0`
  /// when nothing was taken yet. From now on was_taken() knows what comes again.
  std::string begin_again();

  /// True, once for each entry that had been taken before begin_again(): it is to be skipped.
  bool was_taken(std::string_view stamp, LogStream stream);

 private:
  /// Entries of one stamp and stream, one after the other. Podman's stamps are whole seconds: a
  /// hundred thousand lines may have the same.
  struct Taken {
    std::int64_t key = 0;  ///< time and stream
    std::int64_t count = 0;
  };
  void remember(std::int64_t key);
  std::int64_t key_of(std::string_view stamp, LogStream stream);
  std::vector<Taken> recent_;  // a ring, the newest
  std::size_t oldest_ = 0;
  std::vector<Taken> again_;    // sorted by key, each once
  std::int64_t forgotten_ = 0;  // what is older was taken and is not remembered; 0 = nothing
  std::string second_;          // of the last stamp: the next is likely of the same
  std::int64_t second_ns_ = 0;  // nanoseconds since 1970
};

}  // namespace sidecar_executor::docker
