#include "base/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <system_error>

namespace sidecar_executor {
namespace {

/// 0 or an errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return 0;
}

/// The pid alone is not enough: in pid namespaces of their own several executors have the same.
std::string temporary_beside(const std::string& path) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return path + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(now);
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

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

Result<void> replace_file(const std::string& path, std::string_view bytes, mode_t mode,
                          Durable durable) {
  const std::string temporary = temporary_beside(path);
  const FileDescriptor file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0) return file_error(temporary, errno);
  int failed = write_all(file.get(), bytes);
  if (failed == 0 && durable == Durable::yes && ::fsync(file.get()) != 0) failed = errno;
  if (failed == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) failed = errno;
  if (failed != 0) {
    ::unlink(temporary.c_str());
    return file_error(path, failed);
  }
  if (durable == Durable::yes) {
    const FileDescriptor folder(
        ::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.get() >= 0) ::fsync(folder.get());
  }
  return boost::system::in_place_value;
}

}  // namespace sidecar_executor
