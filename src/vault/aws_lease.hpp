#pragma once
// Keys of a role of Vault's AWS engine: fetched before the container starts, renewed while it runs,
// revoked when it has ended (../shared/spec/vault.md "AWS credentials").

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/log.hpp"
#include "vault/client.hpp"
#include "vault/lease.hpp"
#include "vault/login.hpp"

namespace sidecar_executor::vault {

struct AwsRole {
  std::string name;
  Seconds ttl{0};  ///< EXECUTOR_AWS_ROLE_TTL; 0 = the role's own
  bool renew = true;
};

class AwsLease {
 public:
  /// `settings` and `environment` outlive it.
  AwsLease(asio::any_io_executor executor, const Settings& settings, const Lookup& environment,
           Log& log, AwsRole role);

  /// Logs in and gets the keys. Errors name the role and what Vault said. What was got before an
  /// error is kept for revoke(). Cancelled, it may wait for an answer for 3 s.
  asio::awaitable<Result<AwsCredentials>> fetch(net::Cancellation& cancellation);

  /// Renews until that is not possible any more; then, at the usable end, `on_end` with the lease's
  /// id, its expiry and why it ends. Returns then, or with `cancellation`.
  asio::awaitable<void> watch(std::function<void(std::string)> on_end,
                              net::Cancellation& cancellation);

  /// Lease, then token (if it is ours): within `limit` together, whatever Vault does.
  asio::awaitable<void> revoke(net::Duration limit, net::Cancellation& cancellation);

 private:
  asio::awaitable<Result<AwsCredentials>> fetch_keys(Client& client,
                                                     net::Cancellation& cancellation);
  asio::awaitable<void> lengthen(Client& client);
  asio::awaitable<Result<Lease>> ask_to_renew_lease(Client& client, net::Duration limit);
  asio::awaitable<void> renew_lease(Client& client);
  asio::awaitable<void> renew_token(Client& client);
  asio::awaitable<bool> token_lives_on(Client& client);
  asio::awaitable<void> revoke_one(Call call, const char* what, net::Duration limit,
                                   net::Cancellation& cancellation);
  [[nodiscard]] net::Duration until_end() const;
  [[nodiscard]] Seconds token_increment() const;
  [[nodiscard]] Seconds lease_increment() const;
  void note_renewal(bool enough, const char* what, Seconds got, Seconds asked);
  void forget_failure();
  void note_failure(const char* what, const Error& error);
  void set_expiry(Seconds duration);
  [[nodiscard]] std::string end_text() const;

  asio::any_io_executor executor_;
  const Settings& settings_;
  const Lookup& environment_;
  Log& log_;
  AwsRole role_;
  std::optional<Token> token_;
  Lease lease_;
  BootTime lease_received_{0};
  std::chrono::system_clock::time_point expiry_;  // of the lease, for people
  std::optional<LeasePlan> plan_;
  std::string why_;       // it is not renewed (any more)
  bool failing_ = false;  // the last renewal
};

}  // namespace sidecar_executor::vault
