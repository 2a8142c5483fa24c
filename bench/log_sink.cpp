#include "log_sink.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "clock.hpp"
#include "scenarios.hpp"

namespace sx_bench {
namespace {

constexpr double kPatience = 10;  // seconds

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(static_cast<std::uint16_t>(port));
  return address;
}

}  // namespace

LogSink::LogSink(Kind kind) : kind_(kind), stop_(::eventfd(0, EFD_CLOEXEC)) {
  const int type = (kind == Kind::tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK;
  socket_.reset(::socket(AF_INET, type | SOCK_CLOEXEC, 0));
  if (socket_.get() < 0) throw std::runtime_error("no socket for the collector");
  // Room for what comes while this thread waits for its turn; root may.
  const int buffer = 256 << 20;
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  if (::bind(socket_.get(), where, size) != 0 || ::getsockname(socket_.get(), where, &size) != 0 ||
      (kind == Kind::tcp && ::listen(socket_.get(), 1) != 0)) {
    throw std::runtime_error("no socket for the collector");
  }
  port_ = ::ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

LogSink::~LogSink() {
  ::eventfd_write(stop_.get(), 1);
  thread_.join();
}

std::vector<std::string> LogSink::arguments() const {
  return {"--env", "EXECUTOR_RELAY_SYSLOG=true",
          "--env", "EXECUTOR_SYSLOG_ADDR=127.0.0.1:" + std::to_string(port_),
          "--env", std::string("EXECUTOR_SYSLOG_PROTOCOL=") + (kind_ == Kind::tcp ? "tcp" : "udp")};
}

FileDescriptor LogSink::connect() const {
  FileDescriptor fd(
      ::socket(AF_INET, (kind_ == Kind::tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port_);
  if (fd.get() < 0 ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw std::runtime_error("no connection to the collector");
  }
  return fd;
}

void LogSink::wait_for(std::uint64_t records) const {
  const double began = now();
  while (records_ < records) {
    rest(0.01);
    if (now() - std::max<double>(began, last_) < kPatience) continue;
    throw std::runtime_error("only " + std::to_string(records_) + " of " + std::to_string(records) +
                             " log lines came");
  }
}

void LogSink::run() {
  for (;;) {
    pollfd stop{stop_.get(), POLLIN, 0};
    // Waiting for the socket would have each datagram wake this thread, at the sender's expense.
    if (::poll(&stop, 1, 1) > 0) return;
    if (peer_.get() < 0 && kind_ == Kind::tcp) {
      peer_.reset(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    }
    while (kind_ == Kind::udp ? take_datagrams() : take_stream()) continue;
  }
}

/// A byte of each: the rest is not even copied. False: there are none.
bool LogSink::take_datagrams() {
  constexpr std::size_t at_once = 256;
  std::array<char, at_once> bytes{};
  std::array<iovec, at_once> parts{};
  std::array<mmsghdr, at_once> headers{};
  for (std::size_t i = 0; i < at_once; ++i) {
    parts[i] = {&bytes[i], 1};
    headers[i].msg_hdr.msg_iov = &parts[i];
    headers[i].msg_hdr.msg_iovlen = 1;
  }
  const int got = ::recvmmsg(socket_.get(), headers.data(), at_once, MSG_DONTWAIT, nullptr);
  if (got > 0) count(static_cast<std::uint64_t>(got));
  return got > 0;
}

/// Each record is a JSON object, and the lines of the bench have no brace.
bool LogSink::take_stream() {
  std::array<char, 65536> bytes{};
  if (peer_.get() < 0) return false;
  const auto got = ::recv(peer_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) {
    count(static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.begin() + got, '{')));
  }
  if (got == 0) peer_.reset();
  return got > 0;
}

void LogSink::count(std::uint64_t records) {
  const double at = now();
  if (records_ == 0) first_ = at;
  last_ = at;
  records_ += records;
}

}  // namespace sx_bench
