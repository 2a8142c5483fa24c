#include "support/scripted_server.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace sidecar_executor::test {
namespace {

constexpr int backlog = 128;

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// A bound TCP socket; `port` gets what the kernel chose.
int bound_tcp(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto* generic = reinterpret_cast<sockaddr*>(&where);
  if (::bind(fd, generic, size) != 0 || ::getsockname(fd, generic, &size) != 0) fail("bind");
  port = ntohs(where.sin_port);
  return fd;
}

/// A bound unix socket; `where` gets its address.
int bound_unix(const std::string& path, sockaddr_un& where) {
  where.sun_family = AF_UNIX;
  if (path.size() >= sizeof where.sun_path) throw std::runtime_error("path too long: " + path);
  std::memcpy(where.sun_path, path.c_str(), path.size() + 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) fail("bind");
  return fd;
}

net::Address loopback(std::uint16_t port) {
  net::Address address;
  address.host = "127.0.0.1";
  address.port = port;
  return address;
}

SeenRequest parse_head(std::string_view head) {
  SeenRequest request;
  const auto line_end = head.find("\r\n");
  const std::string_view line = head.substr(0, line_end);
  const auto first = line.find(' ');
  const auto second = line.find(' ', first + 1);
  if (second == std::string_view::npos) {
    throw std::runtime_error("bad request line: " + std::string(line));
  }
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  head.remove_prefix(line_end + 2);
  while (!head.starts_with("\r\n")) {
    const auto end = head.find("\r\n");
    const auto field = head.substr(0, end);
    const auto colon = field.find(':');
    auto value = field.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    request.headers.emplace_back(std::string(field.substr(0, colon)), std::string(value));
    head.remove_prefix(end + 2);
  }
  return request;
}

}  // namespace

std::string SeenRequest::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return value;
  }
  return {};
}

std::string answer(int status, std::string_view body, std::string_view more_headers) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
  if (status != 204 && status != 304) {
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return out.append(more_headers).append("\r\n").append(body);
}

std::string chunked_head(int status, std::string_view more_headers) {
  std::string out = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
  return out.append("Transfer-Encoding: chunked\r\n").append(more_headers).append("\r\n");
}

std::string chunk(std::string_view data) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return std::string(size).append(data).append("\r\n");
}

// ---- Peer --------------------------------------------------------------------------------------

Peer::Peer(Socket socket, int number, std::vector<SeenRequest>& seen)
    : socket_(std::move(socket)), number_(number), seen_(seen), closed_(socket_.get_executor()) {
  const int on = 1;  // fails on a unix socket, which does not delay
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

asio::awaitable<SeenRequest> Peer::request() {
  const std::size_t size = co_await asio::async_read_until(socket_, asio::dynamic_buffer(buffer_),
                                                           "\r\n\r\n", asio::use_awaitable);
  SeenRequest request = parse_head(std::string_view(buffer_).substr(0, size));
  buffer_.erase(0, size);
  const std::string length = request.header("Content-Length");
  const std::size_t wanted = length.empty() ? 0 : std::stoul(length);
  if (buffer_.size() < wanted) {
    co_await asio::async_read(socket_, asio::dynamic_buffer(buffer_),
                              asio::transfer_at_least(wanted - buffer_.size()),
                              asio::use_awaitable);
  }
  request.body = buffer_.substr(0, wanted);
  buffer_.erase(0, wanted);
  request.connection = number_;
  seen_.push_back(request);
  co_return request;
}

asio::awaitable<void> Peer::send(std::string bytes) {
  co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
}

asio::awaitable<void> Peer::drip(std::string bytes, net::Duration pause) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (const char byte : bytes) {
    if (pause > net::Duration(0)) {
      timer.expires_after(pause);
      co_await timer.async_wait(asio::use_awaitable);
    } else {
      // Let the client read the byte before: it waits on the same loop.
      co_await asio::post(asio::use_awaitable);
      co_await asio::post(asio::use_awaitable);
    }
    co_await asio::async_write(socket_, asio::buffer(&byte, 1), asio::use_awaitable);
  }
}

asio::awaitable<void> Peer::send_after(net::Duration pause, std::string bytes) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(pause);
  co_await timer.async_wait(asio::use_awaitable);
  co_await send(std::move(bytes));
}

asio::awaitable<void> Peer::until_shutdown() { co_await closed_.wait(); }

asio::awaitable<void> Peer::hang() {
  char dropped[4096];
  for (;;) co_await socket_.async_read_some(asio::buffer(dropped), asio::use_awaitable);
}

void Peer::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  closed_.raise();
}

void Peer::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

// ---- ScriptedServer ----------------------------------------------------------------------------

struct ScriptedServer::State {
  using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
  explicit State(const asio::any_io_executor& ex) : executor(ex), acceptor(ex) {}

  asio::any_io_executor executor;
  Acceptor acceptor;
  std::deque<Script> queue;
  Script otherwise;
  std::vector<SeenRequest> seen;
  std::list<Peer*> peers;
  int connections = 0;
  int running = 0;

  static asio::awaitable<void> accept(std::shared_ptr<State> self) {
    for (;;) {
      boost::system::error_code ec;
      auto socket =
          co_await self->acceptor.async_accept(asio::redirect_error(asio::use_awaitable, ec));
      if (ec) co_return;  // closed
      ++self->connections;
      Script script = self->otherwise;
      if (!self->queue.empty()) {
        script = std::move(self->queue.front());
        self->queue.pop_front();
      }
      if (!script) continue;
      ++self->running;
      asio::co_spawn(self->executor,
                     converse(self, std::move(socket), std::move(script), self->connections),
                     asio::detached);
    }
  }

  static asio::awaitable<void> converse(std::shared_ptr<State> self, Peer::Socket socket,
                                        Script script, int number) {
    Peer peer(std::move(socket), number, self->seen);
    const auto place = self->peers.insert(self->peers.end(), &peer);
    try {
      co_await script(peer);
      // NOLINTNEXTLINE(bugprone-empty-catch): the client went away, or the server stopped.
    } catch (const boost::system::system_error&) {
    }
    self->peers.erase(place);
    --self->running;
  }
};

ScriptedServer::ScriptedServer(const asio::any_io_executor& executor)
    : state_(std::make_shared<State>(executor)) {
  std::uint16_t port = 0;
  const int fd = bound_tcp(port);
  address_ = loopback(port);
  listen(fd, {AF_INET, IPPROTO_TCP});
}

ScriptedServer::ScriptedServer(const asio::any_io_executor& executor, std::string path)
    : state_(std::make_shared<State>(executor)) {
  sockaddr_un where{};
  const int fd = bound_unix(path, where);
  address_.unix_path = std::move(path);
  listen(fd, {AF_UNIX, 0});
}

void ScriptedServer::listen(int fd, const asio::generic::stream_protocol& protocol) {
  if (::listen(fd, backlog) != 0) fail("listen");
  state_->acceptor.assign(protocol, fd);
  asio::co_spawn(state_->executor, State::accept(state_), asio::detached);
}

ScriptedServer::~ScriptedServer() { stop(); }

void ScriptedServer::next(Script script) { state_->queue.push_back(std::move(script)); }
void ScriptedServer::always(Script script) { state_->otherwise = std::move(script); }

void ScriptedServer::serve(std::function<std::string(const SeenRequest&)> handler) {
  always([handler = std::move(handler)](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const SeenRequest request = co_await peer.request();
      co_await peer.send(handler(request));
    }
  });
}

net::Address ScriptedServer::address() const { return address_; }
const std::vector<SeenRequest>& ScriptedServer::requests() const { return state_->seen; }
int ScriptedServer::connections() const { return state_->connections; }
int ScriptedServer::open() const { return state_->running; }

void ScriptedServer::reset_all() {
  for (Peer* peer : state_->peers) peer->reset();
}

void ScriptedServer::stop() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (Peer* peer : state_->peers) peer->close();
}

// ---- servers that are none ---------------------------------------------------------------------

DeafServer::DeafServer() {
  std::uint16_t port = 0;
  const int listener = bound_tcp(port);
  fds_.push_back(listener);
  if (::listen(listener, 0) != 0) fail("listen");
  address_ = loopback(port);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(port);
  // One fits into a queue of length 0; the others show that it is full.
  for (int i = 0; i < 3; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) fail("socket");
    fds_.push_back(fd);
    ::connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where);
  }
}

DeafServer::DeafServer(std::string path) {
  sockaddr_un where{};
  const int listener = bound_unix(path, where);
  fds_.push_back(listener);
  if (::listen(listener, 0) != 0) fail("listen");
  address_.unix_path = std::move(path);
  for (int i = 0; i < 3; ++i) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) fail("socket");
    fds_.push_back(fd);
    ::connect(fd, reinterpret_cast<sockaddr*>(&where), sizeof where);
  }
}

DeafServer::~DeafServer() {
  for (const int fd : fds_) ::close(fd);
}

RefusedPort::RefusedPort() {
  std::uint16_t port = 0;
  fd_ = bound_tcp(port);
  address_ = loopback(port);
}

RefusedPort::~RefusedPort() { ::close(fd_); }

}  // namespace sidecar_executor::test
