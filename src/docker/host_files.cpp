#include "docker/host_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/file.hpp"

namespace sidecar_executor::docker {
namespace {

constexpr std::size_t most_bytes = 1024 * 1024;  // env files and seccomp profiles are a few KB

Result<std::string> read_all(int fd, const std::string& path) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return file_error(path, errno);
  if (!S_ISREG(status.st_mode)) return Error{ErrorKind::invalid, path + ": not a regular file"};
  auto bytes = read_up_to(fd, path, most_bytes);
  if (bytes && bytes->size() > most_bytes)
    return Error{ErrorKind::too_large, path + ": larger than 1 MiB"};
  return bytes;
}

}  // namespace

Result<std::string> read_host_file(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return file_error(path, errno);
  return read_all(file.get(), path);
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
