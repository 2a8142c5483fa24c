#include "docker_proxy.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "clock.hpp"
#include "docker_api.hpp"

namespace sx_bench {
namespace {

constexpr int kServers = 12;  // an executor has at most five connections at once
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

bool send_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, bytes, size, MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
  return true;
}

/// `POST /a/b?x=y HTTP/1.1` → `POST /a/b`; empty when the bytes are no head of a request.
std::string request_line(std::string_view bytes) {
  for (const std::string_view method : {"GET ", "POST ", "DELETE ", "HEAD ", "PUT "}) {
    if (bytes.starts_with(method)) {
      return std::string(bytes.substr(0, bytes.find_first_of("? \r", method.size())));
    }
  }
  return {};
}

}  // namespace

DockerProxy::DockerProxy(std::string docker_socket)
    : docker_socket_(std::move(docker_socket)), stop_(::eventfd(0, EFD_CLOEXEC)) {
  char folder[] = "/tmp/sx-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) throw std::runtime_error("mkdtemp failed");
  folder_ = folder;
  path_ = folder_ + "/docker.sock";
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener_.get(), 64) != 0) {
    throw std::runtime_error(path_ + ": " + std::strerror(errno));
  }
  for (int i = 0; i < kServers; ++i) servers_.emplace_back([this] { serve(); });
}

DockerProxy::~DockerProxy() {
  ::eventfd_write(stop_.get(), 1);
  ::shutdown(listener_.get(), SHUT_RDWR);
  for (auto& server : servers_) server.join();
  ::unlink(path_.c_str());
  ::rmdir(folder_.c_str());
}

std::vector<DockerProxy::Exchange> DockerProxy::take() {
  const std::lock_guard lock(mutex_);
  std::vector<Exchange> result(exchanges_.begin() + static_cast<std::ptrdiff_t>(taken_),
                               exchanges_.end());
  taken_ = exchanges_.size();
  return result;
}

void DockerProxy::serve() {
  for (;;) {
    FileDescriptor docker;
    try {
      docker.reset(connect_unix(docker_socket_));
    } catch (const std::exception&) {
      return;  // dockerd is gone: the executor's connections stay unanswered
    }
    // In place of poll(): the kernel wakes one of them, not all.
    FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client.get() < 0) return;  // shut down by the destructor
    forward(std::move(client), std::move(docker));
  }
}

void DockerProxy::forward(FileDescriptor client, FileDescriptor docker) {
  std::size_t current = kNone;
  char buffer[65536];
  for (;;) {
    pollfd all[] = {{client.get(), POLLIN, 0}, {docker.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
    if (::poll(all, 3, -1) < 0) continue;
    if (all[2].revents != 0) return;
    for (const int from : {0, 1}) {
      if (all[from].revents == 0) continue;
      const ssize_t n = ::read(all[from].fd, buffer, sizeof(buffer));
      if (n <= 0) return;
      const auto size = static_cast<std::size_t>(n);
      if (from == 0) {
        note_request({buffer, size}, current);
      } else {
        note_answer(current);
      }
      if (!send_all(all[1 - from].fd, buffer, size)) return;
    }
  }
}

void DockerProxy::note_request(std::string_view bytes, std::size_t& current) {
  const double at = now();
  std::string line = request_line(bytes);
  if (line.empty()) return;  // the body, in a segment of its own
  const std::lock_guard lock(mutex_);
  current = exchanges_.size();
  exchanges_.push_back({std::move(line), at, 0});
}

void DockerProxy::note_answer(std::size_t current) {
  const double at = now();
  const std::lock_guard lock(mutex_);
  if (current != kNone && exchanges_[current].answered == 0) exchanges_[current].answered = at;
}

}  // namespace sx_bench
