#pragma once
// Small files of the host: read whole, with an end.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"

namespace sidecar_executor {

/// Closes what it owns; negative owns nothing.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor();
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// `path: what errno says`; not_found when there is no such file, else invalid.
Error file_error(const std::string& path, int number);

/// The rest of the file, `limit` + 1 bytes at most: more than `limit` means that it is larger.
Result<std::string> read_up_to(int fd, const std::string& path, std::size_t limit);

/// `yes`: on the disk when the call returns, whatever the disk takes for it.
enum class Durable { no, yes };

/// Written beside `path` and moved over it: a reader sees the old bytes or the new ones. Nothing is
/// left beside it after an error.
Result<void> replace_file(const std::string& path, std::string_view bytes, mode_t mode,
                          Durable durable);

}  // namespace sidecar_executor
