#include "net/http_client.hpp"

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cstring>

#include "base/text.hpp"
#include "net/chunked.hpp"
#include "net/proxy.hpp"
#include "net/resolver.hpp"
#include "net/tls.hpp"
#include "net/tunnel.hpp"

namespace sidecar_executor::net {
namespace beast = boost::beast;
namespace http = beast::http;
using Socket = asio::generic::stream_protocol::socket;
using TlsStream = asio::ssl::stream<Socket&>;
using boost::system::error_code;

namespace {

constexpr std::size_t header_limit = 64 * 1024;
constexpr std::size_t read_chunk = 16 * 1024;
constexpr std::size_t large_read = 32 * 1024;
/// What may wait to be parsed. Beast has no limit of its own for chunk extensions and trailers.
constexpr std::size_t buffer_limit = 128 * 1024;

SteadyTime end_of(Duration limit) {
  const SteadyTime now = std::chrono::steady_clock::now();
  return limit > SteadyTime::max() - now ? SteadyTime::max() : now + limit;
}

/// Time that is left, at least a tick; without limit as it came.
Duration left_until(SteadyTime end) {
  if (end == SteadyTime::max()) return Duration::max();
  return std::max<Duration>(end - std::chrono::steady_clock::now(), Duration(1));
}

/// A peer that vanished without a word is noticed: 30 s idle, then 3 probes 10 s apart.
void set_tcp_options(Socket& socket) {
  const int fd = socket.native_handle();
  const int on = 1;
  const int idle = 30;
  const int interval = 10;
  const int probes = 3;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}

template <class Message>
HttpResponse head_of(const Message& message) {
  HttpResponse response;
  response.status = static_cast<int>(message.result_int());
  for (const auto& field : message) {
    response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  return response;
}

http::request<http::string_body> to_beast(HttpRequest&& request, const std::string& authority) {
  http::request<http::string_body> out;
  out.version(11);
  out.method_string(request.method);
  out.target(request.target);
  out.set(http::field::host, authority);
  out.set(http::field::user_agent, "sidecar-executor/" SX_VERSION);
  for (const auto& [name, value] : request.headers) out.set(name, value);
  if (!request.content_type.empty()) out.set(http::field::content_type, request.content_type);
  out.body() = std::move(request.body);
  // Docker and Mesos want a length on a POST, also when it is 0.
  out.prepare_payload();
  return out;
}

/// What `ec` says, and what it means where OpenSSL's own words do not tell.
std::string tls_text(const error_code& ec) {
  if (ec.category() != asio::error::get_ssl_category()) return ec.message();
  const std::string meaning = meaning_of_tls_error(static_cast<unsigned long>(ec.value()));
  return meaning.empty() ? ec.message() : meaning + " (" + ec.message() + ")";
}

/// Why the other side's certificate was refused, or what OpenSSL says.
std::string handshake_failure(SSL* ssl, const error_code& ec) {
  const long verified = ::SSL_get_verify_result(ssl);
  if (verified != X509_V_OK) return "TLS: " + certificate_refusal(verified);
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

/// Enough has come to say that this is no HTTP answer; `text` is the beginning of what came.
bool is_other_protocol(std::string_view text) {
  constexpr std::string_view begin = "HTTP/";
  const auto size = std::min(text.size(), begin.size());
  return size > 0 && text.substr(0, size) != begin.substr(0, size);
}

bool is_bad_http(const error_code& ec) {
  return ec.category() == http::make_error_code(http::error::bad_line_ending).category();
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  const std::string wanted = to_lower(name);
  for (const auto& [key, value] : headers) {
    if (to_lower(key) == wanted) return value;
  }
  return {};
}

struct HttpConnection::Impl {
  Impl(asio::any_io_executor ex, Address where, Cancellation* cancel)
      : executor(std::move(ex)),
        address(std::move(where)),
        cancellation(cancel),
        socket(executor) {}

  asio::any_io_executor executor;
  Address address;
  Cancellation* cancellation;
  Socket socket;
  std::optional<TlsStream> tls;
  beast::flat_buffer buffer{buffer_limit};
  std::optional<http::response_parser<http::buffer_body>> stream;
  ChunkDecoder chunks;              // of read_many()
  std::uint64_t length_read = 0;    // of a body with a length, by read_many()
  bool idle = false;                // open and between exchanges
  bool busy = false;                // an operation waits and still uses buffer and stream
  std::uint64_t generation = 0;     // tells an operation that close() came while it waited
  Cancellation* look_up = nullptr;  // what connect() waits for before it has a socket to close

  void close() {
    error_code ignored;
    socket.close(ignored);
    idle = false;
    ++generation;
    if (look_up != nullptr) look_up->cancel();
    if (busy) return;  // the operation returns with an error and cleans up itself
    tls.reset();
    buffer = beast::flat_buffer(buffer_limit);
    stream.reset();
  }

  Cancellation::Registration close_when_cancelled() {
    if (cancellation == nullptr) return {};
    return cancellation->on_cancel([this] { close(); });
  }

  [[nodiscard]] bool cancelled() const {
    return cancellation != nullptr && cancellation->cancelled();
  }

  Error cancelled_error() const { return {ErrorKind::cancelled, "cancelled"}; }

  /// What `ec` means, given what we did ourselves.
  Error explain(const error_code& ec, bool timed_out, Duration limit, std::uint64_t began) const {
    if (cancelled()) return cancelled_error();
    if (timed_out) {
      return {ErrorKind::timeout, address.display() + ": no answer within " + limit_text(limit)};
    }
    if (began != generation) return cancelled_error();
    if (ec == http::error::end_of_stream || ec == asio::error::eof ||
        ec == asio::ssl::error::stream_truncated) {
      return {ErrorKind::unreachable, address.display() + ": connection closed by the other side"};
    }
    if (ec == http::error::partial_message) {
      return {ErrorKind::unreachable, address.display() + ": answer cut off"};
    }
    if (ec == http::error::body_limit || ec == http::error::header_limit ||
        ec == http::error::buffer_overflow) {
      return {ErrorKind::too_large, address.display() + ": answer larger than the limit"};
    }
    if (is_bad_http(ec)) {
      return {ErrorKind::protocol,
              address.display() + ": not an HTTP answer (" + ec.message() + ")"};
    }
    return {ErrorKind::unreachable, address.display() + ": " + tls_text(ec)};
  }

  /// `limit` is what the message says; the operation ends at `end`.
  asio::awaitable<Result<void>> connect_to(Socket::endpoint_type endpoint, SteadyTime end,
                                           Duration limit);
  asio::awaitable<Result<void>> connect_tcp(SteadyTime end, Duration limit);
  asio::awaitable<Result<void>> connect_unix(SteadyTime end, Duration limit);
  asio::awaitable<Result<void>> tunnel(SteadyTime end, Duration limit);
  asio::awaitable<Result<void>> handshake(SteadyTime end, Duration limit);
  asio::awaitable<Result<std::size_t>> read_some(char* data, std::size_t size, SteadyTime end,
                                                 Duration limit);
  asio::awaitable<Result<std::string>> read_rest(SteadyTime end, Duration limit,
                                                 std::size_t body_limit);
  asio::awaitable<error_code> read_bytes(char* data, std::size_t size, std::size_t& got);
  Result<std::size_t> take_framing(char* data, std::size_t got);
  [[nodiscard]] bool body_done() const;
};

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
  set_tcp_options(socket);
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

HttpConnection::HttpConnection(asio::any_io_executor executor, Address address,
                               Cancellation* cancellation)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(address), cancellation)) {}
HttpConnection::~HttpConnection() = default;
HttpConnection::HttpConnection(HttpConnection&&) noexcept = default;
HttpConnection& HttpConnection::operator=(HttpConnection&&) noexcept = default;

void HttpConnection::close() { impl_->close(); }
bool HttpConnection::is_open() const { return impl_->socket.is_open(); }
const Address& HttpConnection::address() const { return impl_->address; }

bool HttpConnection::is_reusable() const {
  // Bytes after an answer belong to nothing: the next answer must not begin with them.
  if (!impl_->idle || !impl_->socket.is_open() || impl_->buffer.size() > 0) return false;
  char byte = 0;
  const auto got = ::recv(impl_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
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

asio::awaitable<Result<HttpResponse>> HttpConnection::open(HttpRequest request, Duration limit) {
  Impl& self = *impl_;
  const SteadyTime end = end_of(limit);
  auto connected = co_await connect(limit);
  if (!connected) co_return connected.error();
  const auto hook = self.close_when_cancelled();
  const std::uint64_t began = self.generation;
  self.idle = false;
  bool timed_out = false;
  Deadline deadline(self.executor, left_until(end), [&self, &timed_out] {
    timed_out = true;
    self.close();
  });
  self.busy = true;
  const auto message = to_beast(std::move(request), self.address.authority());
  error_code ec;
  if (self.tls) {
    co_await http::async_write(*self.tls, message, asio::redirect_error(asio::use_awaitable, ec));
  } else {
    co_await http::async_write(self.socket, message, asio::redirect_error(asio::use_awaitable, ec));
  }
  if (!ec && began == self.generation) {
    self.stream.emplace();
    self.chunks = {};
    self.length_read = 0;
    self.stream->header_limit(header_limit);
    self.stream->body_limit(boost::none);
    self.stream->get().result(0U);  // until a status line has been read
    auto& parser = *self.stream;
    if (self.tls) {
      co_await http::async_read_header(*self.tls, self.buffer, parser,
                                       asio::redirect_error(asio::use_awaitable, ec));
    } else {
      co_await http::async_read_header(self.socket, self.buffer, parser,
                                       asio::redirect_error(asio::use_awaitable, ec));
    }
  }
  self.busy = false;
  if (ec || timed_out || began != self.generation) {
    auto error = self.explain(ec, timed_out, limit, began);
    const auto came = self.buffer.cdata();
    const bool no_status_line = self.stream && self.stream->get().result_int() == 0;
    if (error.kind != ErrorKind::cancelled && no_status_line &&
        is_other_protocol({static_cast<const char*>(came.data()), came.size()})) {
      error = {ErrorKind::protocol, self.address.display() + ": not an HTTP answer"};
    }
    self.close();
    co_return error;
  }
  co_return head_of(self.stream->get());
}

asio::awaitable<Result<std::size_t>> HttpConnection::Impl::read_some(char* data, std::size_t size,
                                                                     SteadyTime end,
                                                                     Duration limit) {
  if (cancelled() || !stream) co_return cancelled_error();
  const auto hook = close_when_cancelled();
  const std::uint64_t began = generation;
  bool timed_out = false;
  Deadline deadline(executor, left_until(end), [this, &timed_out] {
    timed_out = true;
    close();
  });
  auto& body = stream->get().body();
  // Beast reads what fits into the buffer as it is, 512 bytes at first: 200,000 reads for a state
  // of 100 MB. Only who reads in large pieces pays for a large one.
  if (size >= large_read) buffer.reserve(std::min(size, buffer_limit));
  // A read that took only the head of a chunk, or the end, gives nothing: go on.
  while (!stream->is_done()) {
    body.data = data;
    body.size = size;
    error_code ec;
    busy = true;
    if (tls) {
      co_await http::async_read_some(*tls, buffer, *stream,
                                     asio::redirect_error(asio::use_awaitable, ec));
    } else {
      co_await http::async_read_some(socket, buffer, *stream,
                                     asio::redirect_error(asio::use_awaitable, ec));
    }
    busy = false;
    if (ec == http::error::need_buffer) ec = {};
    if (ec || timed_out || began != generation) {
      auto error = explain(ec, timed_out, limit, began);
      close();
      co_return error;
    }
    if (body.size < size) co_return size - body.size;
  }
  idle = stream->keep_alive() && socket.is_open();
  if (!idle) {
    error_code ignored;
    socket.close(ignored);
  }
  co_return std::size_t{0};
}

asio::awaitable<Result<std::size_t>> HttpConnection::read_some(char* data, std::size_t size,
                                                               Duration idle) {
  return impl_->read_some(data, size, end_of(idle), idle);
}

/// What is there of the body, as it is on the wire.
asio::awaitable<error_code> HttpConnection::Impl::read_bytes(char* data, std::size_t size,
                                                             std::size_t& got) {
  error_code ec;
  got = std::min(size, buffer.size());
  if (got > 0) {  // came with the head
    std::memcpy(data, buffer.cdata().data(), got);
    buffer.consume(got);
    co_return ec;
  }
  if (tls) {
    got = co_await tls->async_read_some(asio::buffer(data, size),
                                        asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
  }
  for (;;) {
    const auto received = ::recv(socket.native_handle(), data, size, MSG_DONTWAIT);
    if (received > 0) got = static_cast<std::size_t>(received);
    if (received == 0) ec = asio::error::eof;
    if (received < 0) ec = error_code(errno, boost::system::system_category());
    if (ec != asio::error::would_block && ec != asio::error::interrupted) co_return ec;
    ec = {};
    co_await socket.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, ec));
    if (ec || !socket.is_open()) co_return ec ? ec : asio::error::operation_aborted;
  }
}

bool HttpConnection::Impl::body_done() const {
  if (stream->chunked()) return chunks.done();
  const auto length = stream->content_length();
  return length && length_read >= *length;
}

Result<std::size_t> HttpConnection::Impl::take_framing(char* data, std::size_t got) {
  if (!stream->chunked()) {
    const auto length = stream->content_length();
    if (length) {
      got = static_cast<std::size_t>(std::min<std::uint64_t>(got, *length - length_read));
    }
    length_read += got;
    return got;
  }
  const auto payload = chunks.decode(data, got);
  if (payload) return *payload;
  return Error{ErrorKind::protocol, address.display() + ": not a chunked body"};
}

asio::awaitable<Result<std::size_t>> HttpConnection::read_many(char* data, std::size_t size) {
  Impl& self = *impl_;
  if (self.cancelled() || !self.stream) co_return self.cancelled_error();
  const auto hook = self.close_when_cancelled();
  const std::uint64_t began = self.generation;
  // A read that took only framing gives nothing: go on.
  while (!self.body_done()) {
    std::size_t got = 0;
    self.busy = true;
    const auto ec = co_await self.read_bytes(data, size, got);
    self.busy = false;
    const bool closed = self.cancelled() || began != self.generation;
    if (ec == asio::error::eof && !closed && !self.stream->chunked() &&
        !self.stream->content_length()) {
      break;  // such a body ends with its connection
    }
    if (ec || closed) {
      auto error = self.explain(ec, false, Duration::max(), began);
      self.close();
      co_return error;
    }
    auto payload = self.take_framing(data, got);
    if (!payload) self.close();
    if (!payload || *payload > 0) co_return payload;
  }
  self.close();
  co_return std::size_t{0};
}

asio::awaitable<Result<std::string>> HttpConnection::read_rest(Duration limit,
                                                               std::size_t body_limit) {
  return impl_->read_rest(end_of(limit), limit, body_limit);
}

asio::awaitable<Result<std::string>> HttpConnection::Impl::read_rest(SteadyTime end, Duration limit,
                                                                     std::size_t body_limit) {
  std::string body;
  std::string chunk(read_chunk, '\0');
  for (;;) {
    auto got = co_await read_some(chunk.data(), chunk.size(), end, limit);
    if (!got) co_return got.error();
    if (*got == 0) co_return body;
    if (body.size() + *got > body_limit) {
      close();
      co_return Error{ErrorKind::too_large, address.display() + ": answer larger than " +
                                                std::to_string(body_limit) + " bytes"};
    }
    body.append(chunk, 0, *got);
  }
}

asio::awaitable<Result<HttpResponse>> HttpConnection::exchange(HttpRequest request, Duration limit,
                                                               std::size_t body_limit) {
  const SteadyTime end = end_of(limit);
  auto response = co_await open(std::move(request), limit);
  if (!response) co_return response;
  auto body = co_await impl_->read_rest(end, limit, body_limit);
  if (!body) co_return body.error();
  response->body = std::move(*body);
  co_return response;
}

}  // namespace sidecar_executor::net
