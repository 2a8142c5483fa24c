#pragma once
// VAULT_TOKEN_FILE: one token for all executors of a host. Never read half, never written in place.

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/wipe.hpp"
#include "net/cancellation.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::vault {

struct StoredToken {
  Secret token;
  std::chrono::nanoseconds age{0};  ///< since it was written; below 0 when that lies ahead
  std::string warning;              ///< permissions that are too wide; empty = none
};

/// Errors: not_found (no such file), invalid (cannot be read, is empty, holds no token), too_large;
/// all name the path, none shows what is in the file.
Result<StoredToken> read_token_file(const std::string& path);

/// To a temporary file in the same folder (mode 0600), synced, renamed. Errors name the path.
Result<void> write_token_file(const std::string& path, const Secret& token);

/// The right to log in and write the file: `<path>.lock`, held until it goes out of scope.
class TokenLock {
 public:
  /// Waits at most `limit`, without blocking the loop. Errors: timeout; cancelled; invalid (the
  /// lock file cannot be made; says why).
  static asio::awaitable<Result<TokenLock>> take(std::string path, net::Duration limit,
                                                 net::Cancellation& cancellation);
  ~TokenLock();
  TokenLock(TokenLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  TokenLock& operator=(TokenLock&&) = delete;
  TokenLock(const TokenLock&) = delete;
  TokenLock& operator=(const TokenLock&) = delete;

 private:
  explicit TokenLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace sidecar_executor::vault
