// How a connection is made: unix socket, TCP to each address of a name, proxy, TLS.
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>

#include "net/http_impl.hpp"
#include "net/keep_alive.hpp"
#include "net/proxy.hpp"
#include "net/resolver.hpp"
#include "net/tls.hpp"
#include "net/tunnel.hpp"

namespace sidecar_executor::net {
using boost::system::error_code;

namespace {

/// Why the other side's certificate was refused, or what OpenSSL says.
std::string handshake_failure(SSL* ssl, const error_code& ec) {
  const long verified = ::SSL_get_verify_result(ssl);
  // Without verification OpenSSL judges all the same, and goes on.
  const bool counts = ::SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE;
  if (counts && verified != X509_V_OK) return "TLS: " + certificate_refusal(verified);
  return "TLS handshake failed: " + tls_text(ec);
}

/// SNI and the name to verify. A name that is an IP address is compared with the certificate's IPs.
void expect_server(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* parameters = ::SSL_get0_param(ssl);
  if (::X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) == 1) return;
  ::ERR_clear_error();
  ::SSL_set_tlsext_host_name(ssl, name.c_str());
  ::SSL_set1_host(ssl, name.c_str());
}

}  // namespace

std::string tls_text(const error_code& ec) {
  if (ec.category() != asio::error::get_ssl_category()) return ec.message();
  const std::string meaning = meaning_of_tls_error(static_cast<unsigned long>(ec.value()));
  return meaning.empty() ? ec.message() : meaning + " (" + ec.message() + ")";
}

asio::awaitable<Result<void>> HttpConnection::Impl::connect_to(Socket::endpoint_type endpoint,
                                                               SteadyTime end, Duration limit) {
  const std::uint64_t began = generation;
  error_code ec;
  Deadline deadline(executor, left_until(end), [this] {
    error_code ignored;
    socket.close(ignored);
  });
  co_await socket.async_connect(endpoint, asio::redirect_error(asio::use_awaitable, ec));
  if (!ec && !deadline.expired() && !cancelled() && began == generation) {
    co_return boost::system::in_place_value;
  }
  const Error error = explain(ec, deadline.expired(), limit, began);
  error_code ignored;
  socket.close(ignored);
  co_return error;
}

/// At once, or EAGAIN when the server's queue is full. Asio takes that for EINPROGRESS and finds a
/// socket that is "not connected"; nothing tells when the queue has room again.
asio::awaitable<Result<void>> HttpConnection::Impl::connect_unix(SteadyTime end, Duration limit) {
  constexpr Duration pause = std::chrono::milliseconds(10);
  const asio::local::stream_protocol::endpoint endpoint(address.unix_path);
  const std::uint64_t began = generation;
  for (;;) {
    error_code ec;
    socket.open(endpoint.protocol(), ec);
    if (!ec) socket.non_blocking(true, ec);
    if (!ec && ::connect(socket.native_handle(), endpoint.data(),
                         static_cast<socklen_t>(endpoint.size())) == 0) {
      co_return boost::system::in_place_value;
    }
    if (!ec) ec = error_code(errno, boost::system::system_category());
    error_code ignored;
    socket.close(ignored);
    const bool timed_out = std::chrono::steady_clock::now() >= end;
    if (ec != asio::error::would_block || timed_out) co_return explain(ec, timed_out, limit, began);
    Cancellation closed;
    look_up = &closed;
    co_await sleep_for(std::min(pause, left_until(end)), closed);
    look_up = nullptr;
    if (cancelled() || began != generation) co_return cancelled_error();
  }
}

asio::awaitable<Result<void>> HttpConnection::Impl::connect_tcp(SteadyTime end, Duration limit) {
  const std::uint64_t began = generation;
  // What the socket leads to: the server, or a proxy that knows the way.
  const Address next = address.proxy ? address.proxy->address : address;
  Cancellation closed;
  look_up = &closed;
  const auto addresses = co_await resolve(next.host, limit, &closed);
  look_up = nullptr;
  if (cancelled() || began != generation) co_return cancelled_error();
  if (!addresses) co_return addresses.error();
  Result<void> last = Error{ErrorKind::unreachable, "no address"};
  auto others = static_cast<int>(addresses->size());
  for (const auto& ip : *addresses) {
    // A silent address must not use up the time of those after it.
    const SteadyTime share =
        end == SteadyTime::max() ? end : end_of(left_until(end) / std::max(others--, 1));
    last = co_await connect_to(asio::ip::tcp::endpoint(ip, next.port), share, limit);
    if (cancelled() || began != generation) co_return cancelled_error();
    if (last) break;
  }
  if (!last) {
    co_return address.proxy ? last.error().during("proxy", next.display()) : last.error();
  }
  const int on = 1;
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  keep_alive(socket.native_handle());
  if (address.proxy) last = co_await tunnel(end, limit);
  if (last && address.tls) last = co_await handshake(end, limit);
  co_return last;
}

asio::awaitable<Result<void>> HttpConnection::Impl::tunnel(SteadyTime end, Duration limit) {
  const std::uint64_t began = generation;
  Deadline deadline(executor, left_until(end), [this] { close(); });
  auto opened = co_await open_tunnel(socket, address, *address.proxy);
  if (opened && began == generation) co_return opened;
  const bool ours = cancelled() || deadline.expired() || began != generation;
  Error error = ours ? explain({}, deadline.expired(), limit, began) : opened.error();
  close();
  co_return error;
}

asio::awaitable<Result<void>> HttpConnection::Impl::handshake(SteadyTime end, Duration limit) {
  if (!address.tls_context) {
    close();
    co_return Error{ErrorKind::invalid, address.display() + ": https is not set up"};
  }
  SSL* ssl = ::SSL_new(static_cast<SSL_CTX*>(address.tls_context->native()));
  if (ssl == nullptr) {
    close();
    co_return Error{ErrorKind::unreachable, "TLS: out of memory"};
  }
  const std::string& name = address.tls_context->settings().server_name;
  expect_server(ssl, name.empty() ? address.host : name);
  tls.emplace(socket, ssl);  // owns ssl
  const std::uint64_t began = generation;
  error_code ec;
  busy = true;
  Deadline deadline(executor, left_until(end), [this] { close(); });
  co_await tls->async_handshake(asio::ssl::stream_base::client,
                                asio::redirect_error(asio::use_awaitable, ec));
  busy = false;
  if (!ec && began == generation) co_return boost::system::in_place_value;
  if (ec && began == generation) {
    const std::string text = handshake_failure(ssl, ec);
    close();
    co_return Error{ErrorKind::unreachable, address.display() + ": " + text};
  }
  auto error = explain(ec, deadline.expired(), limit, began);
  close();
  co_return error;
}

asio::awaitable<Result<void>> HttpConnection::connect(Duration limit) {
  Impl& self = *impl_;
  if (self.cancelled()) co_return self.cancelled_error();
  if (is_reusable()) co_return boost::system::in_place_value;
  self.close();
  const auto hook = self.close_when_cancelled();
  const SteadyTime end = end_of(limit);
  Result<void> connected = boost::system::in_place_value;
  if (!self.address.is_unix()) {
    connected = co_await self.connect_tcp(end, limit);
  } else if (self.address.unix_path.size() >= sizeof(sockaddr_un::sun_path)) {
    co_return Error{ErrorKind::invalid,
                    self.address.display() + ": path of the socket is too long"};
  } else {
    connected = co_await self.connect_unix(end, limit);
  }
  self.idle = connected.has_value();
  co_return connected;
}

}  // namespace sidecar_executor::net
