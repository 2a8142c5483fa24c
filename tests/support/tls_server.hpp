#pragma once
// An HTTPS server on the test's loop, and certificates for it, made on the spot.

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/address.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::test {

/// A certificate and its key, PEM.
struct Certificate {
  std::string certificate;
  std::string key;
};

struct CertificateOptions {
  std::string common_name = "test";
  /// As in openssl.cnf: `DNS:localhost,IP:127.0.0.1`; empty = none.
  std::string alternative_names = {};
  long valid_from = -3600;  ///< seconds from now
  long valid_for = 3600;
};

/// A certificate authority of the test's own.
class Authority {
 public:
  explicit Authority(const std::string& name = "test authority");
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;
  [[nodiscard]] Certificate issue(const CertificateOptions& options) const;
  [[nodiscard]] const std::string& pem() const { return pem_; }

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
  std::string pem_;
};

struct TlsServerOptions {
  Certificate identity;
  std::string client_authority = {};  ///< PEM; not empty = a client certificate is required
  int max_version = 0;                ///< TLS1_1_VERSION ...; 0 = the newest
};

/// A request that came through TLS.
struct TlsRequest {
  std::string head;         ///< request line and headers
  std::string client_name;  ///< CN of the client's certificate; empty = it showed none
};

/// Answers every request on 127.0.0.1: with `200` and `body`, or with the bytes of `answerer`.
class TlsServer {
 public:
  using Answerer = std::function<std::string(const TlsRequest&)>;
  TlsServer(const asio::any_io_executor& executor, const TlsServerOptions& options,
            Answerer answerer);
  TlsServer(const asio::any_io_executor& executor, const TlsServerOptions& options,
            std::string body);
  ~TlsServer();
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  [[nodiscard]] net::Address address() const;
  [[nodiscard]] int requests() const;     ///< that came through TLS
  [[nodiscard]] int connections() const;  ///< accepted so far, whatever became of them
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace sidecar_executor::test
