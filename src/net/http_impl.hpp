#pragma once
// Inside HttpConnection, for http_client.cpp (exchanges), http_connect.cpp and http_body.cpp alone.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "net/chunked.hpp"
#include "net/http_client.hpp"

namespace sidecar_executor::net {

/// What may wait to be parsed. Beast has no limit of its own for chunk extensions and trailers.
inline constexpr std::size_t buffer_limit = 128 * 1024;

/// What `ec` says, and what it means where OpenSSL's own words do not tell.
std::string tls_text(const boost::system::error_code& ec);

struct HttpConnection::Impl {
  Impl(asio::any_io_executor ex, Address where, Cancellation* cancel)
      : executor(std::move(ex)),
        address(std::move(where)),
        cancellation(cancel),
        socket(executor) {}

  using Socket = boost::asio::generic::stream_protocol::socket;

  asio::any_io_executor executor;
  Address address;
  Cancellation* cancellation;
  Socket socket;
  std::optional<boost::asio::ssl::stream<Socket&>> tls;
  boost::beast::flat_buffer buffer{buffer_limit};
  std::optional<boost::beast::http::response_parser<boost::beast::http::buffer_body>> stream;
  ChunkDecoder chunks;              // of read_many()
  std::uint64_t length_read = 0;    // of a body with a length, by read_many()
  bool idle = false;                // open and between exchanges
  bool busy = false;                // an operation waits and still uses buffer and stream
  std::uint64_t generation = 0;     // tells an operation that close() came while it waited
  Cancellation* look_up = nullptr;  // what connect() waits for before it has a socket to close

  void close() {
    boost::system::error_code ignored;
    socket.close(ignored);
    idle = false;
    ++generation;
    if (look_up != nullptr) look_up->cancel();
    if (busy) return;  // the operation returns with an error and cleans up itself
    tls.reset();
    buffer = boost::beast::flat_buffer(buffer_limit);
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
  Error explain(const boost::system::error_code& ec, bool timed_out, Duration limit,
                std::uint64_t began) const;

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
  /// Of the answer, into `stream`; interim ones (1xx) before it are passed over.
  asio::awaitable<boost::system::error_code> read_head();
  asio::awaitable<boost::system::error_code> read_bytes(char* data, std::size_t size,
                                                        std::size_t& got);
  Result<std::size_t> take_framing(char* data, std::size_t got);
  [[nodiscard]] bool body_done() const;
};

}  // namespace sidecar_executor::net
