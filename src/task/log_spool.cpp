#include "task/log_spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <utility>

namespace sidecar_executor::task {
using docker::LogStream;

namespace {

constexpr std::size_t memory_limit = 256 * 1024;
constexpr std::size_t header_size = 5;

Error errno_error(const std::string& what) {
  return {ErrorKind::invalid, what + ": " + std::generic_category().message(errno)};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

}  // namespace

LogSpool::LogSpool(std::string folder, std::uint64_t limit)
    : folder_(std::move(folder)), limit_(limit) {}

LogSpool::~LogSpool() {
  for (const File* file : {&older_, &newer_}) {
    if (file->fd >= 0) ::close(file->fd);
  }
}

Result<void> LogSpool::open(File& file) const {
  file.fd = ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file.fd < 0) {
    // Not every file system knows files without a name.
    std::string path = folder_ + "/.sidecar-executor-log-XXXXXX";
    file.fd = ::mkostemp(path.data(), O_CLOEXEC);
    if (file.fd >= 0) ::unlink(path.c_str());
  }
  if (file.fd < 0) return errno_error("spool the log in " + folder_);
  return boost::system::in_place_value;
}

Result<void> LogSpool::add(LogStream stream, std::string_view bytes) {
  total_ += bytes.size();
  if (spooling_) return append(stream, bytes);
  if (memory_bytes_ + bytes.size() <= memory_limit) {
    memory_bytes_ += bytes.size();
    if (!memory_.empty() && memory_.back().stream == stream) {
      memory_.back().bytes += bytes;
    } else {
      memory_.push_back({stream, std::string(bytes)});
    }
    return boost::system::in_place_value;
  }
  spooling_ = true;
  for (const auto& piece : std::exchange(memory_, {})) {
    auto appended = append(piece.stream, piece.bytes);
    if (!appended) return appended;
  }
  return append(stream, bytes);
}

Result<void> LogSpool::append(LogStream stream, std::string_view bytes) {
  if (newer_.fd < 0) {
    auto opened = open(newer_);
    if (!opened) return opened;
  }
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::array<char, header_size> header{};
  header[0] = static_cast<char>(stream);
  std::memcpy(header.data() + 1, &length, sizeof length);
  if (!write_all(newer_.fd, {header.data(), header.size()}) || !write_all(newer_.fd, bytes)) {
    return errno_error("spool the log in " + folder_);
  }
  newer_.payload += bytes.size();
  newer_.size += header_size + bytes.size();
  if (newer_.payload < limit_) return boost::system::in_place_value;
  // The newer file alone is enough: what was in the older one is too old now.
  if (older_.fd >= 0) ::close(older_.fd);
  older_ = std::exchange(newer_, File{});
  return boost::system::in_place_value;
}

std::uint64_t LogSpool::kept() const {
  const std::uint64_t there = spooling_ ? older_.payload + newer_.payload : memory_bytes_;
  return std::min(there, limit_);
}

LogSpool::Piece LogSpool::next() {
  if (!spooling_) return memory_at_ < memory_.size() ? std::move(memory_[memory_at_++]) : Piece{};
  if (!std::exchange(reading_, true)) skip_ = older_.payload + newer_.payload - kept();
  for (File* file : {&older_, &newer_}) {
    while (file->read_at < file->size) {
      Piece piece = read(*file);
      const auto skipped =
          static_cast<std::size_t>(std::min<std::uint64_t>(skip_, piece.bytes.size()));
      skip_ -= skipped;
      piece.bytes.erase(0, skipped);
      if (!piece.bytes.empty()) return piece;
    }
  }
  return {};
}

LogSpool::Piece LogSpool::read(File& file) {
  Piece piece;
  std::array<char, header_size> header{};
  std::uint32_t length = 0;
  const auto at = static_cast<off_t>(file.read_at);
  const bool good =
      ::pread(file.fd, header.data(), header.size(), at) == static_cast<ssize_t>(header_size);
  if (good) {
    std::memcpy(&length, header.data() + 1, sizeof length);
    piece.stream = header[0] == static_cast<char>(LogStream::err) ? LogStream::err : LogStream::out;
    piece.bytes.resize(length);
  }
  const auto got =
      good ? ::pread(file.fd, piece.bytes.data(), length, at + static_cast<off_t>(header_size))
           : -1;
  if (got != static_cast<ssize_t>(length)) {
    file.read_at = file.size;  // a disk that forgets: what is left cannot be trusted
    return {};
  }
  file.read_at += header_size + length;
  return piece;
}

}  // namespace sidecar_executor::task
