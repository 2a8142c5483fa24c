// The only room of mini-agent that includes Beast: a server for TCP and unix sockets whose answers
// may be event streams.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "call_validation.hpp"
#include "durations.hpp"
#include "tls_entrance.hpp"

namespace mini_agent {

using StreamSocket = boost::asio::generic::stream_protocol::socket;

struct StreamStyle {
  bool merge = false;  // what waits is joined into one chunk, after a short wait for more
  bool drip = false;   // a chunk and a write for each byte
  Nanoseconds drip_pause{0};
};

// A chunked answer that stays open. Records are written in order; writing never blocks the caller.
class EventStream : public std::enable_shared_from_this<EventStream> {
 public:
  EventStream(StreamSocket& socket, StreamStyle style);

  void send(std::string bytes);
  void send_half_and_abort(std::string bytes);  // the rest never comes, the connection is closed
  void finish();                                // the closing zero chunk; the connection stays
  void abort();                                 // closes the connection
  bool open() const { return open_; }

  std::function<void(const std::string& why)> on_end;  // called once, also after finish and abort

  boost::asio::awaitable<void> run();  // for the server: returns when the stream has ended

 private:
  boost::asio::awaitable<bool> write(std::string bytes);
  boost::asio::awaitable<bool> write_slowly(std::string bytes);
  std::string take_next();
  void watch_peer();
  void end(const std::string& why);

  StreamSocket& socket_;
  StreamStyle style_;
  boost::asio::steady_timer wake_;
  std::deque<std::string> waiting_;
  bool open_ = true, finishing_ = false, cutting_ = false;
};

struct HttpAnswer {
  unsigned status = 200;
  std::string reason = "OK";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool silent = false;  // no answer at all, the connection stays open
  bool cut = false;     // the connection ends in the middle of the body
  StreamStyle style;
  std::function<void(std::shared_ptr<EventStream>)> stream;  // set: the answer is a stream
};

class HttpServer {
 public:
  using Handler = std::function<HttpAnswer(const CallRequest&)>;

  HttpServer(boost::asio::io_context& io, Handler handler);
  ~HttpServer();

  // https on the TCP port from now on. Throws boost::system::system_error.
  void use_tls(const TlsFiles& files) { tls_.emplace(files); }
  // Returns the port. Throws boost::system::system_error.
  unsigned short listen(unsigned short port);
  void listen_unix(const std::string& path);
  void close_listeners();
  void drop_connections();

 private:
  struct Connection;
  void accept();
  void accept_unix();
  void serve(StreamSocket socket, bool unix_socket);
  static boost::asio::awaitable<void> run(std::shared_ptr<Connection> connection,
                                          std::shared_ptr<Handler> handler);

  boost::asio::io_context& io_;
  std::shared_ptr<Handler> handler_;
  std::optional<TlsEntrance> tls_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::local::stream_protocol::acceptor unix_acceptor_;
  std::set<std::weak_ptr<Connection>, std::owner_less<>> connections_;
};

}  // namespace mini_agent
