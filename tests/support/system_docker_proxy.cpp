#include "support/system_docker_proxy.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "support/system_socket.hpp"

namespace sx_test {
namespace {

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

}  // namespace

DockerProxy::DockerProxy(const std::string& socket, const std::string& host, Gate gate)
    : socket_(socket), daemon_(host.substr(std::strlen("unix://"))), gate_(std::move(gate)) {
  ::unlink(socket_.c_str());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(socket_);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 64) != 0 || ::pipe2(end_, O_CLOEXEC) != 0)
    throw std::runtime_error("docker proxy: " + socket_);
  acceptor_ = std::thread([this] { accept_all(); });
}

DockerProxy::~DockerProxy() {
  ::close(end_[1]);
  acceptor_.join();
  for (auto& connection : connections_) connection.join();
  ::close(end_[0]);
  ::close(listener_);
  ::unlink(socket_.c_str());
}

void DockerProxy::accept_all() {
  for (;;) {
    pollfd ready[] = {{end_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    ::poll(ready, 2, -1);
    if (ready[0].revents != 0) return;
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) connections_.emplace_back([this, client] { serve(client); });
  }
}

void DockerProxy::serve(int client) const {
  const int daemon = connected_to(daemon_);
  std::string pending;
  std::string line;
  std::string piece(64 * 1024, '\0');
  while (daemon >= 0) {
    pollfd ready[] = {{end_[0], POLLIN, 0}, {client, POLLIN, 0}, {daemon, POLLIN, 0}};
    ::poll(ready, 3, -1);
    if (ready[0].revents != 0) break;
    const bool from_daemon = ready[2].revents != 0;
    const ssize_t got = ::recv(from_daemon ? daemon : client, piece.data(), piece.size(), 0);
    if (got <= 0) break;
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
    if (from_daemon) {
      if (gate_(line, bytes) || !send_all(client, bytes)) break;
      continue;
    }
    pending += bytes;
    const std::size_t size = request_size(pending);
    if (size == 0) continue;
    line = pending.substr(0, pending.find('\r'));
    if (gate_(line, {}) || !send_all(daemon, std::string_view(pending).substr(0, size))) break;
    pending.erase(0, size);
  }
  if (daemon >= 0) ::close(daemon);
  ::close(client);
}

}  // namespace sx_test
