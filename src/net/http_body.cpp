// The body of an answer, as it arrives.
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <cstring>

#include "base/file.hpp"
#include "net/http_impl.hpp"

namespace sidecar_executor::net {
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t read_chunk = 16 * 1024;
constexpr std::size_t large_read = 32 * 1024;

}  // namespace

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

asio::awaitable<void> HttpConnection::leave_unread(Duration time, Cancellation& cancellation) {
  Impl& self = *impl_;
  const std::uint64_t began = self.generation;
  error_code ec;
  const auto protocol = self.socket.local_endpoint(ec).protocol();
  // Out of the loop. Whoever closes the connection meanwhile finds no socket: the end of this does.
  FileDescriptor fd(ec ? -1 : self.socket.release(ec));
  co_await sleep_for(time, cancellation);
  if (fd.get() < 0 || began != self.generation) co_return;
  self.socket.assign(protocol, fd.get(), ec);
  if (!ec) static_cast<void>(fd.release());  // the socket owns it again
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

}  // namespace sidecar_executor::net
