#pragma once
// Puts secrets in the place of `vault://` values.

#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "vault/client.hpp"
#include "vault/login.hpp"

namespace sidecar_executor::vault {

/// The first variable whose value begins with `vault://`; nullopt when Vault is not needed.
std::optional<std::string> first_to_resolve(const std::vector<std::string>& environment);

class Secrets {
 public:
  Secrets(Client& client, Log& log) : client_(client), log_(log), login_(client, log) {}

  /// `environment` with every `vault://` value replaced, in the same order. Each distinct path is
  /// read once, a few at a time; the first failure ends the others. Errors name variable, path and
  /// what Vault said, never a value.
  asio::awaitable<Result<std::vector<std::string>>> resolve(std::vector<std::string> environment);

 private:
  struct Wanted;
  struct Read;
  asio::awaitable<Result<void>> read_all(std::vector<Read>& reads);
  asio::awaitable<std::optional<Error>> read_at_once(std::vector<Read>& reads);
  asio::awaitable<Result<void>> read(Client& client, Read& read);
  asio::awaitable<Result<Mount>> find_mount(Client& client, const std::string& path);
  asio::awaitable<bool> token_is_dead();

  Client& client_;
  Log& log_;
  Login login_;
  Token token_;
  std::vector<Mount> mounts_;  // with KV version 2: known by now
};

}  // namespace sidecar_executor::vault
