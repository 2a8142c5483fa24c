#pragma once
// HTTP/1.1 over TCP and unix sockets: whole exchanges, and answers read as they arrive.
// The only place (with tls) that knows Beast.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "net/address.hpp"
#include "net/cancellation.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::net {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  Headers headers = {};
  std::string body = {};
  std::string content_type = {};  ///< sent when not empty, exactly so
};

struct HttpResponse {
  int status = 0;
  Headers headers;
  std::string body;

  /// Value of the header (name in any case), empty when absent.
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// One connection. Every operation ends: by its answer, by its time limit (ErrorKind::timeout), or
/// by close() or the Cancellation (ErrorKind::cancelled). After an error the connection is closed
/// and the next operation opens a new one.
class HttpConnection {
 public:
  static constexpr std::size_t default_body_limit = 16 * 1024 * 1024;  ///< bytes

  /// `cancellation` may be null; else it has to outlive the connection.
  HttpConnection(asio::any_io_executor executor, Address address,
                 Cancellation* cancellation = nullptr);
  ~HttpConnection();
  HttpConnection(HttpConnection&&) noexcept;
  HttpConnection& operator=(HttpConnection&&) noexcept;

  /// Opens the connection if it is not open. Included in the calls below.
  asio::awaitable<Result<void>> connect(Duration limit);

  /// Sends and reads the whole answer, body up to `body_limit` (else too_large). Keeps the
  /// connection for the next exchange when the server does.
  asio::awaitable<Result<HttpResponse>> exchange(HttpRequest request, Duration limit,
                                                 std::size_t body_limit = default_body_limit);

  /// Sends and reads the answer's head only; body empty. read_some() gives the body.
  asio::awaitable<Result<HttpResponse>> open(HttpRequest request, Duration limit);

  /// Next bytes of the body of open(): at least one, or 0 at its end. `idle`: how long no byte may
  /// come.
  asio::awaitable<Result<std::size_t>> read_some(char* data, std::size_t size, Duration idle);

  /// As read_some() without a limit, for streams of many small chunks: one read takes all that is
  /// there, up to `size` bytes. Not together with the others on one answer.
  asio::awaitable<Result<std::size_t>> read_many(char* data, std::size_t size);

  /// Waits while what arrives lies in the socket and wakes nobody; epoll would for each write of
  /// the other end. Between two read_many(). Less when `cancellation` says so.
  asio::awaitable<void> leave_unread(Duration time, Cancellation& cancellation);

  /// The rest of the body of open(), at most `body_limit` bytes.
  asio::awaitable<Result<std::string>> read_rest(Duration limit, std::size_t body_limit);

  void close();
  [[nodiscard]] bool is_open() const;
  /// False when the peer has closed a connection that waits for its next exchange.
  [[nodiscard]] bool is_reusable() const;
  [[nodiscard]] const Address& address() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sidecar_executor::net
