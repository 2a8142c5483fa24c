#pragma once
// TLS settings and contexts, by OpenSSL. TLS 1.2 or newer, host names verified.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor::net {

/// Files are PEM. Empty = not used.
struct TlsSettings {
  std::string ca_file;           ///< instead of the system's bundle
  std::string ca_dir;            ///< hashed directory (c_rehash), instead of the system's bundle
  std::string ca_pem;            ///< the certificates themselves
  std::string certificate_file;  ///< client certificate, with its chain
  std::string key_file;          ///< of the client certificate
  std::string server_name;       ///< to verify and to send as SNI, instead of the address's host
  bool verify = true;            ///< the server's certificate; off only on an operator's word
};

/// An SSL_CTX, made once and shared by connections.
class TlsContext {
 public:
  /// Errors (invalid) name the file. The system's CA bundle is looked for where Debian, RHEL, SUSE
  /// and Alpine keep it: the static binary has no compiled-in path.
  static Result<std::shared_ptr<const TlsContext>> make(const TlsSettings& settings);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] void* native() const { return context_; }  ///< SSL_CTX*
  [[nodiscard]] const TlsSettings& settings() const { return settings_; }

 private:
  explicit TlsContext(const TlsSettings& settings) : settings_(settings) {}
  Result<void> load();
  Result<void> load_authorities();
  TlsSettings settings_;
  void* context_ = nullptr;
};

/// What a failure of TLS means for an operator: the other side's alert about certificates, or a
/// version that is too old; empty when `openssl_error` (an ERR code) is neither.
std::string meaning_of_tls_error(unsigned long openssl_error);

/// Why the server's certificate is not believed; `verify_result` of SSL_get_verify_result().
std::string certificate_refusal(long verify_result);

/// `error` holds one of the two texts above: an operator has to do something, trying again in a
/// moment does not help.
bool is_tls_refusal(const Error& error);

/// Where the distributions keep their CA bundle, in the order they are tried.
const std::vector<std::string>& system_ca_bundles();

}  // namespace sidecar_executor::net
