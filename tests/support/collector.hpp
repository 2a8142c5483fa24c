#pragma once
// A syslog collector inside a test: takes records in a thread of its own, as fast as they come.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sx_test {

class Collector {
 public:
  enum class Kind { udp, tcp, tcp_v6, unix_socket };

  /// UDP and TCP: 127.0.0.1 (tcp_v6: [::1]), port 0 = a free one. A local socket is made at `path`.
  explicit Collector(Kind kind, std::string path = {}, int port = 0)
      : kind_(kind == Kind::tcp_v6 ? Kind::tcp : kind), path_(std::move(path)) {
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    const int type = kind_ == Kind::tcp ? SOCK_STREAM : SOCK_DGRAM;
    const int family = kind == Kind::unix_socket ? AF_UNIX
                       : kind == Kind::tcp_v6    ? AF_INET6
                                                 : AF_INET;
    fd_ = ::socket(family, type | SOCK_CLOEXEC, 0);
    if (kind == Kind::unix_socket) {
      ::unlink(path_.c_str());
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      path_.copy(address.sun_path, sizeof address.sun_path - 1);
      EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0) << path_;
    } else {
      const int on = 1;
      // What a million datagrams need when this thread has to wait for its turn; root may.
      const int buffer = 512 << 20;
      ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
      if (kind == Kind::tcp_v6) {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_addr = in6addr_loopback;
        bind_to(address, address.sin6_port, port);
      } else {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        bind_to(address, address.sin_port, port);
      }
    }
    if (kind_ == Kind::tcp) EXPECT_EQ(::listen(fd_, 8), 0);
    thread_ = std::thread([this] { run(); });
  }
  ~Collector() {
    ::eventfd_write(stop_, 1);
    thread_.join();
    for (const int fd : {fd_, peer_, stop_}) {
      if (fd >= 0) ::close(fd);
    }
    if (kind_ == Kind::unix_socket) ::unlink(path_.c_str());
  }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  [[nodiscard]] int port() const { return port_; }
  /// As EXECUTOR_SYSLOG_ADDR has it.
  [[nodiscard]] std::string address() const {
    return kind_ == Kind::unix_socket ? path_ : "127.0.0.1:" + std::to_string(port_);
  }
  /// Keep only their number: for floods.
  void count_only() {
    const std::lock_guard lock(mutex_);
    keep_ = false;
  }

  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }
  std::vector<std::string> records() {
    const std::lock_guard lock(mutex_);
    return records_;
  }
  /// False: there were not so many in time.
  bool wait_for(std::size_t records, std::chrono::seconds limit = std::chrono::seconds(30)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [&] { return count_ >= records; });
  }
  /// Connections that TCP took so far.
  std::size_t connections() {
    const std::lock_guard lock(mutex_);
    return connections_;
  }

 private:
  template <class Address>
  void bind_to(Address& address, in_port_t& its_port, int port) {
    its_port = ::htons(static_cast<std::uint16_t>(port));
    auto* const where = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, where, sizeof address), 0) << port;
    socklen_t size = sizeof address;
    ::getsockname(fd_, where, &size);
    port_ = ::ntohs(its_port);
  }

  void run() {
    std::string buffer(1 << 20, '\0');
    for (;;) {
      pollfd waits[] = {{stop_, POLLIN, 0},
                        {kind_ == Kind::tcp && peer_ >= 0 ? peer_ : fd_, POLLIN, 0}};
      ::poll(waits, 2, -1);
      if (waits[0].revents != 0) return;
      if (kind_ == Kind::tcp && peer_ < 0) {
        peer_ = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        pending_.clear();
        const std::lock_guard lock(mutex_);
        ++connections_;
        continue;
      }
      const auto got = ::recv(waits[1].fd, buffer.data(), buffer.size(), 0);
      if (kind_ != Kind::tcp && got >= 0) {
        take(buffer.substr(0, static_cast<std::size_t>(got)));
      } else if (got > 0) {
        pending_.append(buffer, 0, static_cast<std::size_t>(got));
        take_counted();
      } else if (kind_ == Kind::tcp) {
        ::close(peer_);
        peer_ = -1;
      }
    }
  }

  /// RFC 6587 3.4.1.
  void take_counted() {
    std::size_t at = 0;
    for (;;) {
      const auto blank = pending_.find(' ', at);
      if (blank == std::string::npos) break;
      std::size_t size = 0;
      const auto [end, ec] = std::from_chars(pending_.data() + at, pending_.data() + blank, size);
      if (ec != std::errc{} || end != pending_.data() + blank) {
        ADD_FAILURE() << "no octet count: " << pending_.substr(at, 40);
        pending_.clear();
        return;
      }
      if (pending_.size() < blank + 1 + size) break;
      take(pending_.substr(blank + 1, size));
      at = blank + 1 + size;
    }
    pending_.erase(0, at);
  }

  void take(std::string record) {
    const std::lock_guard lock(mutex_);
    ++count_;
    if (keep_) records_.push_back(std::move(record));
    changed_.notify_all();
  }

  Kind kind_;
  std::string path_;
  int port_ = 0;
  int fd_ = -1;
  int peer_ = -1;
  int stop_ = -1;
  std::string pending_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool keep_ = true;
  std::size_t count_ = 0;
  std::size_t connections_ = 0;
  std::vector<std::string> records_;
  std::thread thread_;
};

}  // namespace sx_test
