#include "net/http_client.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cerrno>

#include "base/text.hpp"
#include "base/version.hpp"
#include "net/http_impl.hpp"

namespace sidecar_executor::net {
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t header_limit = 64 * 1024;
/// RFC 9110, 15.2: any number of them may come before the answer. More than these is mischief.
constexpr int most_interim_answers = 10;

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

/// Beast sends what it is given: a line end in a value would begin a header of its own, or end them
/// all. Empty: nothing of the kind; otherwise the header's name, for its value may be a secret.
std::string header_with_control(const HttpRequest& request) {
  const auto cannot_be_sent = [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; };
  for (const auto& [name, value] : request.headers) {
    if (std::any_of(value.begin(), value.end(), cannot_be_sent)) return name;
  }
  return {};
}

/// Enough has come to say that this is no HTTP answer; `text` is the beginning of what came.
bool is_other_protocol(std::string_view text) {
  constexpr std::string_view begin = "HTTP/";
  const auto size = std::min(text.size(), begin.size());
  return size > 0 && text.substr(0, size) != begin.substr(0, size);
}

/// 100 Continue, 103 Early Hints: the answer is still to come. 101 is one: the protocol changes.
bool is_interim(unsigned status) { return status >= 100 && status < 200 && status != 101; }

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

Error HttpConnection::Impl::explain(const error_code& ec, bool timed_out, Duration limit,
                                    std::uint64_t began) const {
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
    return {ErrorKind::protocol, address.display() + ": not an HTTP answer (" + ec.message() + ")"};
  }
  return {ErrorKind::unreachable, address.display() + ": " + tls_text(ec)};
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

asio::awaitable<error_code> HttpConnection::Impl::read_head() {
  const std::uint64_t at_first = generation;
  for (int interim = 0; interim <= most_interim_answers; ++interim) {
    error_code ec;
    auto& parser = stream.emplace();
    chunks = {};
    length_read = 0;
    parser.header_limit(header_limit);
    parser.body_limit(boost::none);
    parser.get().result(0U);  // until a status line has been read
    if (tls) {
      co_await http::async_read_header(*tls, buffer, parser,
                                       asio::redirect_error(asio::use_awaitable, ec));
    } else {
      co_await http::async_read_header(socket, buffer, parser,
                                       asio::redirect_error(asio::use_awaitable, ec));
    }
    if (ec || generation != at_first || !is_interim(parser.get().result_int())) co_return ec;
  }
  co_return http::make_error_code(http::error::bad_status);
}

asio::awaitable<Result<HttpResponse>> HttpConnection::open(HttpRequest request, Duration limit) {
  Impl& self = *impl_;
  const SteadyTime end = end_of(limit);
  if (const auto bad = header_with_control(request); !bad.empty()) {
    co_return Error{ErrorKind::invalid, self.address.display() + ": the value of header " + bad +
                                            " holds a control character, such as a line end"};
  }
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
  if (!ec && began == self.generation) ec = co_await self.read_head();
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
