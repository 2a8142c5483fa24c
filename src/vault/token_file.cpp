#include "vault/token_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/file.hpp"

namespace sidecar_executor::vault {
namespace {

constexpr std::size_t largest_token = 8UL * 1024;  // Vault's batch tokens are a few hundred bytes

/// Blanks at both ends go; anything but printable ASCII within is no token.
Result<Secret> as_token(std::string bytes, const std::string& path) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = bytes.find_first_not_of(blanks);
  const auto last = bytes.find_last_not_of(blanks);
  Secret token(first == std::string::npos ? "" : bytes.substr(first, last - first + 1));
  wipe(bytes);
  if (token.empty()) return Error{ErrorKind::invalid, path + " is empty"};
  const auto& text = token.text();
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; })) {
    return Error{ErrorKind::invalid, path + " holds no token"};
  }
  return token;
}

}  // namespace

Result<StoredToken> read_token_file(const std::string& path) {
  // O_NONBLOCK: a FIFO in its place must not hold the executor up.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return file_error(path, errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return file_error(path, errno);
  if (!S_ISREG(info.st_mode)) return Error{ErrorKind::invalid, path + " is no regular file"};
  auto bytes = read_up_to(file.get(), path, largest_token);
  if (!bytes) return bytes.error();
  if (bytes->size() > largest_token) {
    wipe(*bytes);
    return Error{ErrorKind::too_large, path + " is larger than a token can be"};
  }
  auto token = as_token(std::move(*bytes), path);
  if (!token) return token.error();
  StoredToken out;
  out.token = std::move(*token);
  const auto written = std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::seconds(info.st_mtim.tv_sec) +
          std::chrono::nanoseconds(info.st_mtim.tv_nsec)));
  out.age = std::chrono::system_clock::now() - written;
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    out.warning = path + " can be read or written by others than its owner; chmod 600 it";
  }
  return out;
}

Result<void> write_token_file(const std::string& path, const Secret& token) {
  return replace_file(path, token.text(), 0600, Durable::yes);
}

asio::awaitable<Result<TokenLock>> TokenLock::take(std::string path, net::Duration limit,
                                                   net::Cancellation& cancellation) {
  constexpr net::Duration pause = std::chrono::milliseconds(20);
  const std::string name = path + ".lock";
  FileDescriptor file(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) co_return file_error(name, errno);
  const auto end = std::chrono::steady_clock::now() + limit;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EWOULDBLOCK && error != EINTR) co_return file_error(name, error);
    if (std::chrono::steady_clock::now() >= end) {
      co_return Error{ErrorKind::timeout, name + " was not free within " + net::limit_text(limit)};
    }
    if (!co_await net::sleep_for(pause, cancellation))
      co_return Error{ErrorKind::cancelled, "cancelled"};
  }
  co_return TokenLock(file.release());
}

TokenLock::~TokenLock() {
  // Closing gives the lock back. The lock file stays: removing it would let two hold "the" lock.
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace sidecar_executor::vault
