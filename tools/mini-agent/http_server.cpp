#include "http_server.hpp"

#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>

namespace mini_agent {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr std::uint64_t kBodyLimit = 256ULL * 1024 * 1024;

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

// The order of the headers is the real agent's.
std::string head(const HttpAnswer& answer) {
  std::string out = "HTTP/1.1 " + std::to_string(answer.status) + " " + answer.reason +
                    "\r\nDate: " + http_date() + "\r\n";
  if (answer.stream) {
    return out + "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n";
  }
  for (const auto& [name, value] : answer.headers) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
  return out + "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
}

CallRequest to_call(http::request<http::string_body>& message, bool unix_socket) {
  CallRequest call;
  const auto header = [&message](http::field field) -> std::optional<std::string> {
    const auto found = message.find(field);
    if (found == message.end()) return std::nullopt;
    return std::string(found->value());
  };
  call.method = std::string(message.method_string());
  call.target = std::string(message.target());
  call.content_type = header(http::field::content_type);
  call.accept = header(http::field::accept);
  call.authorization = header(http::field::authorization);
  for (const auto& field : message) {
    std::string name(field.name_string());
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    call.headers[name] = std::string(field.value());
  }
  call.body = std::move(message.body());
  call.over_domain_socket = unix_socket;
  return call;
}

}  // namespace

struct HttpServer::Connection {
  StreamSocket socket;
  bool unix_socket;
  std::weak_ptr<EventStream> stream;

  void drop() {
    if (const auto events = stream.lock(); events && events->open()) {
      events->abort();
    } else {
      boost::system::error_code ignored;
      socket.close(ignored);
    }
  }
};

HttpServer::HttpServer(asio::io_context& io, Handler handler)
    : io_(io),
      handler_(std::make_shared<Handler>(std::move(handler))),
      acceptor_(io),
      unix_acceptor_(io) {}

HttpServer::~HttpServer() {
  close_listeners();
  *handler_ = nullptr;
  drop_connections();
}

unsigned short HttpServer::listen(unsigned short port) {
  const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
  acceptor_ = asio::ip::tcp::acceptor(io_, endpoint);
  accept();
  return acceptor_.local_endpoint().port();
}

void HttpServer::listen_unix(const std::string& path) {
  ::unlink(path.c_str());
  unix_acceptor_ =
      asio::local::stream_protocol::acceptor(io_, asio::local::stream_protocol::endpoint(path));
  accept_unix();
}

void HttpServer::close_listeners() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  unix_acceptor_.close(ignored);
}

void HttpServer::drop_connections() {
  for (const auto& weak : std::exchange(connections_, {})) {
    if (const auto connection = weak.lock()) connection->drop();
  }
}

void HttpServer::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, asio::ip::tcp::socket socket) {
    if (error) return;  // the listener was closed
    boost::system::error_code ignored;
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    serve(tls_ ? tls_->enter(std::move(socket)) : StreamSocket(std::move(socket)), false);
    accept();
  });
}

void HttpServer::accept_unix() {
  unix_acceptor_.async_accept(
      [this](boost::system::error_code error, asio::local::stream_protocol::socket socket) {
        if (error) return;
        serve(StreamSocket(std::move(socket)), true);
        accept_unix();
      });
}

void HttpServer::serve(StreamSocket socket, bool unix_socket) {
  std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
  auto connection = std::make_shared<Connection>(Connection{std::move(socket), unix_socket, {}});
  connections_.insert(connection);
  asio::co_spawn(io_, run(connection, handler_), asio::detached);
}

asio::awaitable<void> HttpServer::run(std::shared_ptr<Connection> connection,
                                      std::shared_ptr<Handler> handler) {
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  for (bool keep = true; keep;) {
    http::request_parser<http::string_body> parser;
    parser.body_limit(kBodyLimit);
    co_await http::async_read(connection->socket, buffer, parser, token);
    if (error || !*handler) break;  // a request that is no HTTP gets no answer (03 c62)
    keep = parser.get().keep_alive();
    HttpAnswer answer = (*handler)(to_call(parser.get(), connection->unix_socket));
    if (answer.silent) continue;
    std::string text = head(answer) + answer.body;
    if (answer.cut) text.resize(text.size() - answer.body.size() / 2);
    const auto bytes = asio::buffer(text);
    co_await asio::async_write(connection->socket, bytes, token);
    if (error || answer.cut) break;
    if (answer.stream) {
      const auto stream = std::make_shared<EventStream>(connection->socket, answer.style);
      connection->stream = stream;
      answer.stream(stream);
      co_await stream->run();
      if (!connection->socket.is_open()) break;
    }
  }
  boost::system::error_code ignored;
  connection->socket.shutdown(StreamSocket::shutdown_both, ignored);
  connection->socket.close(ignored);
}

}  // namespace mini_agent
