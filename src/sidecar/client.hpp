#pragma once
// Sidecar's HTTP API: our service's status, and draining (../shared/spec/sidecar.md).

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "net/http_client.hpp"
#include "net/tls.hpp"
#include "sidecar/health.hpp"
#include "sidecar/state_scanner.hpp"

namespace sidecar_executor::sidecar {

struct ClientConfig {
  net::Url url;                          ///< SidecarUrl
  std::chrono::nanoseconds timeout;      ///< HttpTimeout, of a whole exchange
  std::int64_t retries = 0;              ///< SidecarRetryCount
  std::chrono::nanoseconds retry_delay;  ///< SidecarRetryDelay
  std::string host;                      ///< key of our host in the document
};

/// What the settings say; `host`: key of our host. An https server is verified by `tls`: by default
/// by the system's authorities. Errors (invalid) name EXECUTOR_SIDECAR_URL.
Result<ClientConfig> client_config(const Settings& settings, std::string host,
                                   const net::TlsSettings& tls = {});

class Client {
 public:
  Client(asio::any_io_executor executor, ClientConfig config);

  /// One poll with its retries. `id12`: the first 12 characters of the container's id.
  asio::awaitable<Observation> status(std::string id12, net::Cancellation& cancellation);

  /// One try: whether our host is in the state document. Errors as they are said for status().
  asio::awaitable<Result<bool>> knows_host(net::Cancellation& cancellation);

  /// Tells Sidecar to set the service to DRAINING; retries as for a poll. `on_failure` is told of
  /// each try that failed.
  asio::awaitable<Result<void>> drain(
      std::string id12, net::Cancellation& cancellation, std::function<void()> on_failure = [] {});

 private:
  asio::awaitable<Result<Observation>> fetch(const std::string& id12,
                                             net::Cancellation& cancellation);
  asio::awaitable<Result<void>> scan(StateScanner& scanner, net::Cancellation& cancellation);
  asio::awaitable<Result<void>> post_drain(const std::string& id12,
                                           net::Cancellation& cancellation);
  [[nodiscard]] net::HttpRequest request(std::string method, std::string target) const;
  asio::any_io_executor executor_;
  ClientConfig config_;
};

}  // namespace sidecar_executor::sidecar
