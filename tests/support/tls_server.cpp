#include "support/tls_server.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <stdexcept>

#include "support/scripted_server.hpp"

namespace sidecar_executor::test {
namespace {

using asio::ip::tcp;

struct Free {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(BIO* bio) const { ::BIO_free(bio); }
  void operator()(X509_EXTENSION* extension) const { ::X509_EXTENSION_free(extension); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void check(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Owned<EVP_PKEY> make_key() {
  Owned<EVP_PKEY> key(::EVP_EC_gen("P-256"));
  check(key != nullptr, "EVP_EC_gen");
  return key;
}

std::string pem_of(X509* certificate) {
  const Owned<BIO> bio(::BIO_new(::BIO_s_mem()));
  check(::PEM_write_bio_X509(bio.get(), certificate) == 1, "PEM_write_bio_X509");
  return text_of(bio.get());
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(
      ::X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  check(extension != nullptr && ::X509_add_ext(certificate, extension.get(), -1) == 1,
        value.c_str());
}

Owned<X509> make_certificate(const CertificateOptions& options, EVP_PKEY* key) {
  static long serial = 1;
  Owned<X509> certificate(::X509_new());
  X509* x = certificate.get();
  ::X509_set_version(x, 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(x), serial++);
  ::X509_gmtime_adj(X509_getm_notBefore(x), options.valid_from);
  ::X509_gmtime_adj(X509_getm_notAfter(x), options.valid_for);
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(options.common_name.c_str()),
                               -1, -1, 0);
  check(::X509_set_pubkey(x, key) == 1, "X509_set_pubkey");
  return certificate;
}

/// CN of the certificate that the client showed.
std::string client_name(SSL* ssl) {
  const Owned<X509> certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return {};
  char name[256] = {};
  ::X509_NAME_get_text_by_NID(::X509_get_subject_name(certificate.get()), NID_commonName, name,
                              sizeof name);
  return name;
}

}  // namespace

struct Authority::Keys {
  Owned<EVP_PKEY> key;
  Owned<X509> certificate;
};

Authority::Authority(const std::string& name) : keys_(std::make_unique<Keys>()) {
  keys_->key = make_key();
  CertificateOptions options;
  options.common_name = name;
  keys_->certificate = make_certificate(options, keys_->key.get());
  X509* x = keys_->certificate.get();
  ::X509_set_issuer_name(x, ::X509_get_subject_name(x));
  extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
  extend(x, x, NID_subject_key_identifier, "hash");
  check(::X509_sign(x, keys_->key.get(), ::EVP_sha256()) > 0, "X509_sign");
  pem_ = pem_of(x);
}

Authority::~Authority() = default;

Certificate Authority::issue(const CertificateOptions& options) const {
  const auto key = make_key();
  const auto certificate = make_certificate(options, key.get());
  X509* issuer = keys_->certificate.get();
  ::X509_set_issuer_name(certificate.get(), ::X509_get_subject_name(issuer));
  if (!options.alternative_names.empty()) {
    extend(certificate.get(), issuer, NID_subject_alt_name, options.alternative_names);
  }
  check(::X509_sign(certificate.get(), keys_->key.get(), ::EVP_sha256()) > 0, "X509_sign");
  const Owned<BIO> bio(::BIO_new(::BIO_s_mem()));
  check(
      ::PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
      "PEM_write_bio_PrivateKey");
  return {pem_of(certificate.get()), text_of(bio.get())};
}

struct TlsServer::State {
  explicit State(const asio::any_io_executor& executor)
      : acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        context(asio::ssl::context::tls_server) {}

  static asio::awaitable<void> accept(std::shared_ptr<State> self) {
    try {
      for (;;) {
        tcp::socket socket = co_await self->acceptor.async_accept(asio::use_awaitable);
        ++self->connections;
        asio::co_spawn(self->acceptor.get_executor(), converse(self, std::move(socket)),
                       asio::detached);
      }
      // NOLINTNEXTLINE(bugprone-empty-catch): stop()
    } catch (const boost::system::system_error&) {
    }
  }

  /// The head of the next request; its body is dropped. `buffer` keeps what came behind it.
  static asio::awaitable<std::string> take_request(asio::ssl::stream<tcp::socket&>& stream,
                                                   std::string& buffer) {
    const std::size_t size = co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer),
                                                             "\r\n\r\n", asio::use_awaitable);
    std::string head = buffer.substr(0, size);
    constexpr std::string_view length = "\r\nContent-Length: ";
    const auto found = head.find(length);
    const std::size_t end =
        size + (found == std::string::npos ? 0 : std::stoul(head.substr(found + length.size())));
    if (buffer.size() < end) {
      co_await asio::async_read(stream, asio::dynamic_buffer(buffer),
                                asio::transfer_exactly(end - buffer.size()), asio::use_awaitable);
    }
    buffer.erase(0, end);
    co_return head;
  }

  static asio::awaitable<void> converse(std::shared_ptr<State> self, tcp::socket socket) {
    const auto place = self->sockets.insert(self->sockets.end(), &socket);
    try {
      asio::ssl::stream<tcp::socket&> stream(socket, self->context);
      co_await stream.async_handshake(asio::ssl::stream_base::server, asio::use_awaitable);
      TlsRequest request;
      request.client_name = client_name(stream.native_handle());
      std::string buffer;
      for (;;) {
        request.head = co_await take_request(stream, buffer);
        ++self->requests;
        const std::string bytes = self->answerer(request);
        co_await asio::async_write(stream, asio::buffer(bytes), asio::use_awaitable);
      }
      // NOLINTNEXTLINE(bugprone-empty-catch): no handshake, or the client went away.
    } catch (const boost::system::system_error&) {
    }
    self->sockets.erase(place);
  }

  tcp::acceptor acceptor;
  asio::ssl::context context;
  Answerer answerer;
  std::list<tcp::socket*> sockets;
  int requests = 0;
  int connections = 0;
};

TlsServer::TlsServer(const asio::any_io_executor& executor, const TlsServerOptions& options,
                     std::string body)
    : TlsServer(executor, options,
                [bytes = answer(200, body)](const TlsRequest&) { return bytes; }) {}

TlsServer::TlsServer(const asio::any_io_executor& executor, const TlsServerOptions& options,
                     Answerer answerer)
    : state_(std::make_shared<State>(executor)) {
  state_->answerer = std::move(answerer);
  auto& context = state_->context;
  context.use_certificate_chain(asio::buffer(options.identity.certificate));
  context.use_private_key(asio::buffer(options.identity.key), asio::ssl::context::pem);
  if (!options.client_authority.empty()) {
    context.add_certificate_authority(asio::buffer(options.client_authority));
    context.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  }
  if (options.max_version != 0) {
    SSL_CTX* native = context.native_handle();
    ::SSL_CTX_set_security_level(native, 0);  // else OpenSSL itself refuses the old ones
    SSL_CTX_set_min_proto_version(native, 0);
    SSL_CTX_set_max_proto_version(native, options.max_version);
  }
  asio::co_spawn(executor, State::accept(state_), asio::detached);
}

TlsServer::~TlsServer() { stop(); }

net::Address TlsServer::address() const {
  net::Address address;
  address.host = "127.0.0.1";
  address.port = state_->acceptor.local_endpoint().port();
  return address;
}

int TlsServer::requests() const { return state_->requests; }

int TlsServer::connections() const { return state_->connections; }

void TlsServer::stop() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (tcp::socket* socket : state_->sockets) socket->close(ignored);
}

}  // namespace sidecar_executor::test
