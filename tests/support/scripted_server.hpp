#pragma once
// A server inside the test that does exactly what a script says: answers, drips, cuts, resets,
// hangs. Speaks just enough HTTP to take a request apart; what it sends is bytes. Runs on the
// test's loop.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/address.hpp"
#include "net/deadline.hpp"

namespace sidecar_executor::test {

struct SeenRequest {
  std::string method;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int connection = 0;  ///< 1 = the first that the server accepted

  /// Value of the header (name in any case), empty when absent.
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// An answer with Content-Length (none for 204 and 304).
std::string answer(int status, std::string_view body = {}, std::string_view more_headers = {});
/// The head of an answer whose body follows in chunks.
std::string chunked_head(int status = 200, std::string_view more_headers = {});
/// One chunk; empty data = the last one.
std::string chunk(std::string_view data);

/// One accepted connection, in the hands of its script. Every call throws system_error when the
/// client has gone, which ends the script.
class Peer {
 public:
  using Socket = asio::generic::stream_protocol::socket;
  Peer(Socket socket, int number, std::vector<SeenRequest>& seen);

  asio::awaitable<SeenRequest> request();
  asio::awaitable<void> send(std::string bytes);
  /// One byte a packet, `pause` before each.
  asio::awaitable<void> drip(std::string bytes, net::Duration pause = net::Duration(0));
  asio::awaitable<void> send_after(net::Duration pause, std::string bytes);
  /// Reads nothing, so that the client's writes fill up; ends with the server.
  asio::awaitable<void> until_shutdown();
  /// Does nothing until the client closes. Bytes that come are dropped.
  asio::awaitable<void> hang();
  void close();
  void reset();  ///< RST on TCP; a unix socket is just closed

  [[nodiscard]] int number() const { return number_; }

 private:
  Socket socket_;
  std::string buffer_;
  int number_;
  std::vector<SeenRequest>& seen_;
  net::Signal closed_;
};

using Script = std::function<asio::awaitable<void>(Peer&)>;

class ScriptedServer {
 public:
  /// 127.0.0.1, a free port.
  explicit ScriptedServer(const asio::any_io_executor& executor);
  /// A unix socket.
  ScriptedServer(const asio::any_io_executor& executor, std::string path);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  /// Script of the next connection; call again for the one after it.
  void next(Script script);
  /// Script of every connection that next() has none for. Without it such a connection is closed.
  void always(Script script);
  /// always(): every request is answered by `handler`, as bytes; keep-alive.
  void serve(std::function<std::string(const SeenRequest&)> handler);

  [[nodiscard]] net::Address address() const;
  [[nodiscard]] const std::vector<SeenRequest>& requests() const;
  [[nodiscard]] int connections() const;  ///< accepted so far
  [[nodiscard]] int open() const;         ///< whose script is still running
  void reset_all();                       ///< RST on every connection
  /// Closes the listener and every connection.
  void stop();

 private:
  struct State;
  void listen(int fd, const asio::generic::stream_protocol& protocol);
  std::shared_ptr<State> state_;
  net::Address address_;
};

/// Listens and never accepts, its queue is full: a connect() hangs.
class DeafServer {
 public:
  DeafServer();
  explicit DeafServer(std::string path);  ///< a unix socket
  ~DeafServer();
  DeafServer(const DeafServer&) = delete;
  DeafServer& operator=(const DeafServer&) = delete;
  [[nodiscard]] net::Address address() const { return address_; }

 private:
  net::Address address_;
  std::vector<int> fds_;
};

/// A port of 127.0.0.1 that nobody listens on (bound, so nobody else gets it).
class RefusedPort {
 public:
  RefusedPort();
  ~RefusedPort();
  RefusedPort(const RefusedPort&) = delete;
  RefusedPort& operator=(const RefusedPort&) = delete;
  [[nodiscard]] net::Address address() const { return address_; }

 private:
  net::Address address_;
  int fd_ = -1;
};

}  // namespace sidecar_executor::test
