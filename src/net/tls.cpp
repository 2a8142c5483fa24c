#include "net/tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <system_error>

namespace sidecar_executor::net {
namespace {

// is_tls_refusal() knows them again.
constexpr std::string_view theirs_refused = "certificate refused: ";
constexpr std::string_view ours_refused = "the server refuses the client certificate";
constexpr std::string_view certificate_wanted = "the server wants a client certificate";
constexpr std::string_view too_old = "the server's TLS version is too old, 1.2 is required";

std::string openssl_reason() {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

Error bad_file(std::string_view what, const std::string& path) {
  return {ErrorKind::invalid,
          std::string(what) + " " + path + " cannot be used: " + openssl_reason()};
}

SSL_CTX* as_context(void* context) { return static_cast<SSL_CTX*>(context); }

}  // namespace

std::string meaning_of_tls_error(unsigned long openssl_error) {
  if (ERR_GET_LIB(openssl_error) != ERR_LIB_SSL) return {};
  switch (ERR_GET_REASON(openssl_error)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return std::string(certificate_wanted);
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:  // how TLS 1.2 says the same, among other things
      return std::string(certificate_wanted) + ", or has no cipher in common with us";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
      return std::string(ours_refused);
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:  // the server will not go up to ours
    case SSL_R_UNSUPPORTED_PROTOCOL:          // the server has chosen one below it
      return std::string(too_old);
    default:
      return {};
  }
}

std::string certificate_refusal(long verify_result) {
  return std::string(theirs_refused) + ::X509_verify_cert_error_string(verify_result);
}

bool is_tls_refusal(const Error& error) {
  if (error.kind != ErrorKind::unreachable) return false;
  constexpr std::string_view texts[] = {theirs_refused, ours_refused, certificate_wanted, too_old};
  return std::any_of(std::begin(texts), std::end(texts), [&error](std::string_view text) {
    return error.message.find(text) != std::string::npos;
  });
}

const std::vector<std::string>& system_ca_bundles() {
  static const std::vector<std::string> paths{
      "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine, Arch
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL, Fedora
      "/etc/pki/tls/certs/ca-bundle.crt",                   // older RHEL
      "/etc/ssl/ca-bundle.pem",                             // SUSE
      "/etc/pki/tls/cacert.pem",
      "/etc/ssl/cert.pem",  // Alpine
  };
  return paths;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::make(const TlsSettings& settings) {
  // A host's openssl.cnf may name modules that a static binary cannot load.
  ::OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  std::shared_ptr<TlsContext> made(new TlsContext(settings));
  const auto loaded = made->load();
  if (!loaded) return loaded.error();
  return std::shared_ptr<const TlsContext>(std::move(made));
}

TlsContext::~TlsContext() { ::SSL_CTX_free(as_context(context_)); }

Result<void> TlsContext::load() {
  context_ = ::SSL_CTX_new(::TLS_client_method());
  if (context_ == nullptr)
    return Error{ErrorKind::invalid, "TLS cannot be set up: " + openssl_reason()};
  SSL_CTX* context = as_context(context_);
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  // One connection a call and few of them: caches would only hold memory.
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_verify(context, settings_.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (settings_.verify) {
    const auto authorities = load_authorities();
    if (!authorities) return authorities;
  }
  const std::string& certificate = settings_.certificate_file;
  const std::string& key = settings_.key_file.empty() ? certificate : settings_.key_file;
  if (!certificate.empty()) {
    if (::SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
      return bad_file("certificate file", certificate);
    }
    if (::SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return bad_file("key file", key);
    }
    if (::SSL_CTX_check_private_key(context) != 1)
      return bad_file("key does not fit the certificate:", key);
  }
  return boost::system::in_place_value;
}

Result<void> TlsContext::load_authorities() {
  SSL_CTX* context = as_context(context_);
  if (!settings_.ca_file.empty() &&
      ::SSL_CTX_load_verify_file(context, settings_.ca_file.c_str()) != 1) {
    return bad_file("CA file", settings_.ca_file);
  }
  // OpenSSL opens it when it looks for a certificate, and says nothing when it is not there.
  struct stat directory{};
  if (!settings_.ca_dir.empty() &&
      (::stat(settings_.ca_dir.c_str(), &directory) != 0 || !S_ISDIR(directory.st_mode) ||
       ::SSL_CTX_load_verify_dir(context, settings_.ca_dir.c_str()) != 1)) {
    return Error{ErrorKind::invalid,
                 "CA directory " + settings_.ca_dir + " cannot be used: it is no directory"};
  }
  if (!settings_.ca_pem.empty()) {
    BIO* bio =
        ::BIO_new_mem_buf(settings_.ca_pem.data(), static_cast<int>(settings_.ca_pem.size()));
    X509_STORE* store = ::SSL_CTX_get_cert_store(context);
    int loaded = 0;
    while (X509* certificate = ::PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
      loaded += ::X509_STORE_add_cert(store, certificate);
      ::X509_free(certificate);
    }
    ::ERR_clear_error();
    ::BIO_free(bio);
    if (loaded == 0)
      return Error{ErrorKind::invalid, "CA certificates given as text hold no PEM certificate"};
  }
  if (!settings_.ca_file.empty() || !settings_.ca_dir.empty() || !settings_.ca_pem.empty()) {
    return boost::system::in_place_value;
  }
  for (const auto& path : system_ca_bundles()) {
    if (::access(path.c_str(), R_OK) == 0 &&
        ::SSL_CTX_load_verify_file(context, path.c_str()) == 1) {
      return boost::system::in_place_value;
    }
  }
  ::ERR_clear_error();
  // No bundle: every certificate is refused, with a message that says so.
  return boost::system::in_place_value;
}

}  // namespace sidecar_executor::net
