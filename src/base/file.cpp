#include "base/file.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace sidecar_executor {

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Error file_error(const std::string& path, int number) {
  const bool absent = number == ENOENT || number == ENOTDIR;
  return {absent ? ErrorKind::not_found : ErrorKind::invalid,
          path + ": " + std::generic_category().message(number)};
}

Result<std::string> read_up_to(int fd, const std::string& path, std::size_t limit) {
  constexpr std::size_t step = 16 * 1024;
  std::string bytes;
  for (std::size_t size = 0;;) {
    bytes.resize(std::min(size + step, limit + 1));
    const ssize_t got = ::read(fd, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(path, errno);
    size += static_cast<std::size_t>(got);
    if (got > 0 && size <= limit) continue;
    bytes.resize(size);
    return bytes;
  }
}

}  // namespace sidecar_executor
