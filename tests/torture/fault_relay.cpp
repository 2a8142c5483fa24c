#include "torture/fault_relay.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "support/system_socket.hpp"

namespace sx_torture {
namespace {

using namespace std::chrono_literals;
using sx_test::address_of;
using sx_test::connected_to;
using sx_test::request_size;

constexpr std::string_view kGarbage = "HTTP/9.9 \xff\xfe }garbage{\r\n\r\n\x00\x01";
constexpr std::size_t kSlowPiece = 256;
constexpr auto kSlowPause = 5ms;

/// The stand-in Sidecar asks for the list of containers, over and over; the executor never does.
bool of_another(const std::string& line) {
  return line.find("/containers/json") != std::string::npos;
}

std::string refusal() {
  const std::string body = R"({"message":"tortured"})";
  return "HTTP/1.1 500 Internal Server Error\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

struct FaultRelay::Connection {
  int client = -1;
  int daemon = -1;
  std::string pending;  ///< of a request that is not all there
  std::string line;     ///< of the request that is on its way
  bool answered = true;
};

FaultRelay::FaultRelay(std::string listen_path, std::string upstream_path, Seen seen)
    : path_(std::move(listen_path)), upstream_(std::move(upstream_path)), seen_(std::move(seen)) {
  ::unlink(path_.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(path_);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("fault relay: " + path_);
  listen(fd);
}

FaultRelay::FaultRelay() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    throw std::runtime_error("fault relay: no port");
  port_ = ::ntohs(address.sin_port);
  listen(fd);
}

void FaultRelay::listen(int fd) {
  listener_ = fd;
  if (::listen(listener_, 64) != 0) throw std::runtime_error("fault relay: listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

FaultRelay::~FaultRelay() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  ::shutdown(listener_, SHUT_RDWR);  // accept() returns
  acceptor_.join();
  cut();
  for (auto& thread : threads_) thread.join();
  ::close(listener_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

void FaultRelay::set(Mode mode) {
  {
    const std::lock_guard lock(mutex_);
    mode_ = mode;
  }
  changed_.notify_all();
}

void FaultRelay::cut() {
  const std::lock_guard lock(mutex_);
  for (const int fd : open_) {
    const linger reset{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ::shutdown(fd, SHUT_RDWR);
  }
  open_.clear();
  changed_.notify_all();
}

void FaultRelay::garble() { garble_ = true; }
void FaultRelay::refuse_one() { refuse_ = true; }

void FaultRelay::accept_all() {
  for (;;) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (over_) {
      if (client >= 0) ::close(client);
      return;
    }
    if (client < 0) continue;
    if (mode_ == Mode::refuse) {
      ::close(client);
      continue;
    }
    open_.insert(client);
    threads_.emplace_back([this, client] { serve(client); });
  }
}

bool FaultRelay::held() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return mode_ != Mode::hang || over_; });
  return !over_;
}

bool FaultRelay::send(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    if (!held()) return false;
    bool slow = false;
    {
      const std::lock_guard lock(mutex_);
      slow = mode_ == Mode::slow;
    }
    const std::size_t piece = slow ? std::min(bytes.size(), kSlowPiece) : bytes.size();
    if (slow) std::this_thread::sleep_for(kSlowPause);  // the slowness itself
    const ssize_t sent = ::send(fd, bytes.data(), piece, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool FaultRelay::take_request(Connection& c, std::string_view bytes) {
  c.pending += bytes;
  const std::size_t size = request_size(c.pending);
  if (size == 0) return true;
  c.line = c.pending.substr(0, c.pending.find('\r'));
  c.answered = false;
  const std::string request = c.pending.substr(0, size);
  c.pending.erase(0, size);
  if (of_another(c.line)) return send(c.daemon, request);
  seen_(c.line, false);
  if (refuse_.exchange(false)) return send(c.client, refusal());
  return send(c.daemon, request);
}

bool FaultRelay::take_answer(Connection& c, std::string_view bytes) {
  if (of_another(c.line)) return send(c.client, bytes);
  if (!std::exchange(c.answered, true)) seen_(c.line, true);
  if (!garble_.exchange(false)) return send(c.client, bytes);
  send(c.client, kGarbage);
  return false;
}

void FaultRelay::serve(int client) {
  Connection c;
  c.client = client;
  c.daemon = upstream_.empty() ? -1 : connected_to(upstream_);
  std::string piece(64 * 1024, '\0');
  while (upstream_.empty() || c.daemon >= 0) {
    pollfd ready[] = {{client, POLLIN, 0}, {c.daemon, POLLIN, 0}};
    ::poll(ready, 2, -1);
    if (!held()) break;
    const bool from_daemon = ready[1].revents != 0;
    const ssize_t got = ::recv(from_daemon ? c.daemon : client, piece.data(), piece.size(), 0);
    if (got <= 0) break;
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
    if (upstream_.empty()) {
      if (garble_.exchange(false) && !send(client, kGarbage)) break;
      bool slow = false;
      {
        const std::lock_guard lock(mutex_);
        slow = mode_ == Mode::slow;
      }
      if (slow) std::this_thread::sleep_for(50ms);  // the slowness itself
    } else if (from_daemon ? !take_answer(c, bytes) : !take_request(c, bytes)) {
      break;
    }
  }
  const std::lock_guard lock(mutex_);
  open_.erase(client);
  if (c.daemon >= 0) ::close(c.daemon);
  ::close(client);
}

}  // namespace sx_torture
