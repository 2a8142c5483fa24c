#pragma once
// How the executor comes by a token (../shared/spec/vault.md "Getting a token").

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "vault/answers.hpp"
#include "vault/client.hpp"
#include "vault/token_file.hpp"

namespace sidecar_executor::vault {

struct Token {
  Secret secret;
  Seconds duration{0};  ///< 0 = it does not end, or nobody asked
  bool renewable = false;
  bool ours = false;  ///< made by a login of ours, for nobody else: revoked at the end
  /// What `duration` counts from: net::boot_now() before the call whose answer said it, so that a
  /// slow answer adds nothing to it. 0 when nobody asked.
  std::chrono::nanoseconds received{0};
};

/// A second on top of what is asked for costs nothing, and clocks differ.
inline constexpr Seconds token_margin{600};

class Login {
 public:
  Login(Client& client, Log& log) : client_(client), log_(log) {}

  /// VAULT_TOKEN; VAULT_TOKEN_FILE; log in and write the file; ~/.vault-token.
  asio::awaitable<Result<Token>> shared_token();
  /// After Vault has rejected `rejected`: another one that was written meanwhile, or one new login.
  asio::awaitable<Result<Token>> another_token(const Secret& rejected);

  /// For AWS roles: a new one, never that of the file; without login data VAULT_TOKEN or
  /// ~/.vault-token, which are not ours to revoke. extend() it afterwards.
  asio::awaitable<Result<Token>> own_token();
  /// renew-self; less than asked for, or an error, is a warning.
  asio::awaitable<Token> extend(Token token, Seconds increment);

  /// auth/token/lookup-self, within `limit`; nullopt when Vault does not accept the token.
  asio::awaitable<Result<std::optional<TokenState>>> look_up(
      const Secret& token, net::Duration limit = net::Duration::max());

 private:
  asio::awaitable<Result<Token>> log_in();
  asio::awaitable<Result<Token>> log_in_for_all(Secret rejected);
  asio::awaitable<Result<Token>> new_token();
  asio::awaitable<Result<std::optional<Token>>> from_file(Secret rejected);
  std::optional<Secret> read_file(const Secret& rejected);
  Result<Token> from_home();
  [[nodiscard]] Call login_call() const;
  [[nodiscard]] Error without_secrets(Error error) const;
  [[nodiscard]] const Settings& settings() const { return client_.settings(); }

  Client& client_;
  Log& log_;
  std::string said_;  // the last warning about the file: not twice
};

}  // namespace sidecar_executor::vault
