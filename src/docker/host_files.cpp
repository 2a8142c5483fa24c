#include "docker/host_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace sidecar_executor::docker {
namespace {

constexpr std::size_t most_bytes = 1024 * 1024;  // env files and seccomp profiles are a few KB

Error failed(const std::string& path, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR;
  return Error{absent ? ErrorKind::not_found : ErrorKind::invalid,
               path + ": " + std::generic_category().message(error)};
}

Result<std::string> read_all(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failed(path, errno);
  if (!S_ISREG(status.st_mode)) return Error{ErrorKind::invalid, path + ": not a regular file"};
  std::string bytes;
  std::string chunk(16 * 1024, '\0');
  ssize_t got = 0;
  while ((got = ::read(fd, chunk.data(), chunk.size())) > 0 && bytes.size() <= most_bytes)
    bytes.append(chunk, 0, static_cast<std::size_t>(got));
  if (got < 0) return failed(path, errno);
  if (bytes.size() > most_bytes) return Error{ErrorKind::too_large, path + ": larger than 1 MiB"};
  return bytes;
}

}  // namespace

Result<std::string> read_host_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return failed(path, errno);
  auto bytes = read_all(fd, path);
  ::close(fd);
  return bytes;
}

Result<void> make_directories(const std::vector<std::string>& folders) {
  for (const auto& folder : folders) {
    std::error_code error;
    if (std::filesystem::exists(folder, error)) continue;
    std::filesystem::create_directories(folder, error);
    if (error)
      return Error{ErrorKind::invalid,
                   "cannot make the folder " + folder + " of a volume: " + error.message()};
  }
  return boost::system::in_place_value;
}

}  // namespace sidecar_executor::docker
