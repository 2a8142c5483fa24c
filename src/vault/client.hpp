#pragma once
// Vault's HTTP API: one call with its retries and redirects, bounded by VAULT_CLIENT_TIMEOUT.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "base/wipe.hpp"
#include "net/http_client.hpp"
#include "net/tls.hpp"
#include "vault/answer.hpp"
#include "vault/environment.hpp"

namespace sidecar_executor::vault {

struct Call {
  std::string method = "GET";
  std::string path;        ///< below /v1/, percent-encoded, with its query
  std::string shown = {};  ///< the path for messages, when it holds what is not to be shown
  Secret body = {};        ///< JSON; empty = none
  Secret token = {};
  net::Duration limit = net::Duration::max();  ///< of everything; never more than the settings'
};

/// What Vault answered, whatever it is.
struct Reply {
  int status = 0;
  std::string where;  ///< `GET https://vault:8200/v1/secret/x`, for messages
  Secret body;

  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  /// For anything but 2xx: its kind by the status, and what Vault said.
  [[nodiscard]] Error error() const;
  /// The error, or the parsed body (empty for an answer without one).
  [[nodiscard]] Result<Answer> answer() const;
};

/// The connections of one piece of work; they end with it or with its cancellation.
class Client {
 public:
  static constexpr std::size_t answer_limit = 4UL * 1024 * 1024;  ///< bytes; secrets are smaller

  /// `settings`, `environment` and `cancellation` outlive it. `environment`: for HTTPS_PROXY and
  /// its kin.
  Client(asio::any_io_executor executor, const Settings& settings, const Lookup& environment,
         net::Cancellation& cancellation);

  /// Connection errors, 412, 429 and 5xx (not 501) are tried again; not what TLS refuses. Errors
  /// are those of the connection; a status that says no is a Reply.
  asio::awaitable<Result<Reply>> call(Call call);
  /// call() and Reply::answer().
  asio::awaitable<Result<Answer>> ask(Call call);

  /// The same, with connections of its own that end with `cancellation`.
  [[nodiscard]] Client with(net::Cancellation& cancellation) const {
    return {executor_, settings_, environment_, cancellation};
  }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] net::Cancellation& cancellation() { return cancellation_; }
  [[nodiscard]] asio::any_io_executor executor() const { return executor_; }

 private:
  struct Attempt {
    Reply reply;
    net::HttpResponse head;  ///< its headers
  };
  asio::awaitable<Result<Attempt>> attempt(const Call& call, net::SteadyTime end);
  asio::awaitable<Result<Attempt>> send(const Call& call, const net::Url& url, net::SteadyTime end);
  Result<net::Address> reachable(net::Address address);
  Result<net::HttpConnection> connection_to(const net::Address& address);
  net::HttpRequest request_of(const Call& call, const std::string& target) const;

  asio::any_io_executor executor_;
  const Settings& settings_;
  const Lookup& environment_;
  net::Cancellation& cancellation_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::vector<net::HttpConnection> idle_;
};

/// The settings' TLS. Errors name the variable.
Result<std::shared_ptr<const net::TlsContext>> make_tls(const Settings& settings);

/// Where a redirect leads. Errors (refused): from https to http, no HTTP URL.
Result<net::Url> redirect_target(const net::Url& from, std::string_view location);

}  // namespace sidecar_executor::vault
