#include "relay/sink.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstring>
#include <system_error>

#include "base/backoff.hpp"
#include "base/timeouts.hpp"
#include "net/keep_alive.hpp"

namespace sidecar_executor::relay {
using boost::system::error_code;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::size_t at_once = 64;  // messages of one sendmmsg
// The kernel's UDP_MAX_SEGMENTS; a segment has to fit into a packet of the network.
constexpr std::size_t most_segments = 64;
constexpr std::size_t largest_segment = 1400;
constexpr std::size_t largest_run = 65'000;

net::Duration pause_after(int failures) {
  return doubled(timeouts::relay_first_retry, timeouts::relay_last_retry, failures - 1);
}

}  // namespace

Sink::Sink(asio::any_io_executor executor, SinkConfig config, Handlers handlers)
    : executor_(executor),
      config_(std::move(config)),
      handlers_(std::move(handlers)),
      datagrams_(executor),
      stream_(executor),
      segments_(config_.protocol == SyslogProtocol::udp) {}

Framing Sink::framing() const {
  return config_.protocol == SyslogProtocol::tcp ? Framing::octet_counting : Framing::none;
}

std::string Sink::name() const {
  const auto& address = config_.address;
  if (address.is_unix()) return address.unix_path;
  return (config_.protocol == SyslogProtocol::tcp ? "tcp://" : "udp://") + address.authority();
}

Error Sink::failure(int error) const {
  std::string text = name() + ": " + std::generic_category().message(error);
  if (error == EPROTOTYPE) text += " (a stream socket; a datagram socket is needed)";
  return {ErrorKind::unreachable, std::move(text)};
}

void Sink::trouble(const Error& error) {
  if (!std::exchange(troubled_, true)) handlers_.on_trouble(error);
}

void Sink::recovered() {
  if (std::exchange(troubled_, false)) handlers_.on_recovered();
}

void Sink::close() {
  error_code ignored;
  datagrams_.close(ignored);
  stream_.close(ignored);
  proof_.reset();
  proven_ = false;
}

asio::awaitable<void> Sink::send(const Batch& batch, net::Cancellation& cancellation) {
  std::size_t at = 0;
  while (at < batch.size() && !cancellation.cancelled()) {
    if (!connected() && !co_await connect_or_give_up(cancellation)) break;
    const auto sent = config_.protocol == SyslogProtocol::tcp
                          ? co_await send_stream(batch, at, cancellation)
                          : co_await send_datagrams(batch, at, cancellation);
    if (!sent) {
      close();
      next_try_ = SteadyClock::now() + pause_after(++failures_);
      trouble(sent.error());
    }
  }
  counters_.dropped += batch.size() - at;
}

/// False: not now, what is to be sent is lost.
asio::awaitable<bool> Sink::connect_or_give_up(net::Cancellation& cancellation) {
  const bool waits = config_.protocol != SyslogProtocol::udp;
  while (!cancellation.cancelled()) {
    const auto wait = next_try_ - SteadyClock::now();
    if (wait > net::Duration(0)) {
      if (!waits) co_return false;
      co_await net::sleep_for(wait, cancellation);
      continue;
    }
    const auto connected = co_await connect(cancellation);
    if (connected) {
      begin_proof();
      co_return true;
    }
    next_try_ = SteadyClock::now() + pause_after(++failures_);
    if (!cancellation.cancelled()) trouble(connected.error());
  }
  co_return false;
}

/// A proxy without a server behind it takes a connection, and closes it: that is no recovery, and
/// would be told as one ten times a second.
void Sink::begin_proof() {
  if (config_.protocol == SyslogProtocol::tcp) {
    proof_.emplace(executor_, config_.proof, [this] { prove(); });
    return;
  }
  // Of UDP only the look-up is known to work.
  if (config_.protocol != SyslogProtocol::udp || failures_ > 0) recovered();
  if (config_.protocol == SyslogProtocol::udp) failures_ = 0;
}

void Sink::prove() {
  if (closed_by_peer() != 0) return;  // the next line finds out
  proven_ = true;
  failures_ = 0;
  recovered();
}

/// 0: it is not. ESHUTDOWN: in an orderly way; a write would still be taken. Else why.
int Sink::closed_by_peer() {
  char byte = 0;
  const auto said = ::recv(stream_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (said == 0) return ESHUTDOWN;
  return said < 0 && errno != EAGAIN ? errno : 0;
}

// ---- connecting --------------------------------------------------------------------------------

asio::awaitable<Result<void>> Sink::connect(net::Cancellation& cancellation) {
  close();
  if (config_.address.is_unix()) co_return connect_unix();
  co_return co_await connect_inet(cancellation);
}

asio::awaitable<Result<void>> Sink::connect_inet(net::Cancellation& cancellation) {
  looked_up_ = SteadyClock::now();
  const auto addresses =
      co_await config_.resolve(config_.address.host, timeouts::relay_connect, &cancellation);
  if (!addresses) co_return addresses.error();
  Result<void> last = Error{ErrorKind::unreachable, name() + ": no address"};
  for (const auto& ip : *addresses) {
    if (config_.protocol == SyslogProtocol::tcp) {
      last =
          co_await connect_stream(asio::ip::tcp::endpoint(ip, config_.address.port), cancellation);
    } else {
      last = connect_datagrams(asio::ip::udp::endpoint(ip, config_.address.port));
    }
    if (last || cancellation.cancelled()) break;
  }
  co_return last;
}

Result<void> Sink::connect_unix() {
  const std::string& path = config_.address.unix_path;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorKind::invalid, path + ": path of the socket is too long"};
  }
  return connect_datagrams(asio::local::datagram_protocol::endpoint(path));
}

Result<void> Sink::connect_datagrams(const asio::generic::datagram_protocol::endpoint& where) {
  error_code ec;
  datagrams_.open(where.protocol(), ec);
  if (!ec) datagrams_.connect(where, ec);
  if (!ec) return boost::system::in_place_value;
  close();
  return failure(ec.value());
}

asio::awaitable<Result<void>> Sink::connect_stream(
    const asio::generic::stream_protocol::endpoint& where, net::Cancellation& cancellation) {
  if (cancellation.cancelled()) co_return Error{ErrorKind::cancelled, "cancelled"};
  const auto hook = cancellation.on_cancel([this] { close(); });
  error_code ec;
  bool timed_out = false;
  net::Deadline deadline(executor_, timeouts::relay_connect, [this, &timed_out] {
    timed_out = true;
    close();
  });
  co_await stream_.async_connect(where, asio::redirect_error(asio::use_awaitable, ec));
  if (!ec && stream_.is_open()) {
    net::keep_alive(stream_.native_handle());
    // While something waits to be acknowledged nothing probes. A collector that only stalls keeps
    // its connection, and what the kernel holds for it, for so long.
    const auto patience = static_cast<unsigned>(timeouts::relay_unacknowledged.count());
    ::setsockopt(stream_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience,
                 sizeof patience);
    co_return boost::system::in_place_value;
  }
  close();
  co_return failure(timed_out ? ETIMEDOUT : ec.value());
}

template <class Socket>
asio::awaitable<void> Sink::writable(Socket& socket, net::Cancellation& cancellation) {
  const auto hook = cancellation.on_cancel([this] { close(); });
  error_code ec;
  co_await socket.async_wait(Socket::wait_write, asio::redirect_error(asio::use_awaitable, ec));
}

// ---- datagrams ---------------------------------------------------------------------------------

/// One message of sendmmsg: a record, or a run of them that the kernel cuts into datagrams itself
/// (UDP_SEGMENT, Linux 4.18): that takes a quarter of the time.
struct Sink::Messages {
  struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(std::uint16_t))> bytes;
  };
  std::array<iovec, at_once> parts{};
  std::array<mmsghdr, at_once> headers{};
  std::array<Control, at_once> controls{};
  std::array<std::size_t, at_once> records{};
  std::size_t count = 0;

  /// How many records it took.
  std::size_t add(const Batch& batch, std::size_t at, bool runs) {
    const auto first = batch[at];
    std::size_t size = first.size();
    std::size_t run = 1;
    if (runs && size <= largest_segment)
      run = batch.run(at, std::min(most_segments, largest_run / std::max<std::size_t>(size, 1)));
    for (std::size_t i = 1; i < run; ++i) size += batch[at + i].size();
    parts[count] = {const_cast<char*>(first.data()), size};
    msghdr& header = headers[count].msg_hdr;
    header = {};
    header.msg_iov = &parts[count];
    header.msg_iovlen = 1;
    if (run > 1) {
      header.msg_control = controls[count].bytes.data();
      header.msg_controllen = controls[count].bytes.size();
      cmsghdr* control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = SOL_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto length = static_cast<std::uint16_t>(first.size());
      std::memcpy(CMSG_DATA(control), &length, sizeof length);
    }
    records[count++] = run;
    return run;
  }
};

/// How many records were taken; errno says why not more.
std::size_t Sink::send_some(const Batch& batch, std::size_t at) {
  Messages messages;
  for (std::size_t next = at; next < batch.size() && messages.count < at_once;) {
    next += messages.add(batch, next, segments_);
  }
  errno = 0;
  const int sent = ::sendmmsg(datagrams_.native_handle(), messages.headers.data(),
                              static_cast<unsigned>(messages.count), MSG_DONTWAIT | MSG_NOSIGNAL);
  std::size_t records = 0;
  for (std::size_t i = 0; static_cast<int>(i) < sent; ++i) {
    records += messages.records[i];
    counters_.bytes += messages.parts[i].iov_len;
    last_message_ = messages.records[i];
  }
  counters_.records += records;
  failed_run_ = sent <= 0 && messages.records[0] > 1;
  return records;
}

asio::awaitable<Result<void>> Sink::send_datagrams(const Batch& batch, std::size_t& at,
                                                   net::Cancellation& cancellation) {
  while (at < batch.size() && !cancellation.cancelled()) {
    const std::size_t sent = send_some(batch, at);
    at += sent;
    if (sent > 0) {
      failures_ = 0;
      continue;
    }
    const int error = errno;
    if (error == EINTR) continue;
    if (error == EAGAIN) {
      co_await writable(datagrams_, cancellation);
      if (!connected()) break;
      continue;
    }
    // A network device or a kernel that cannot: EINVAL, EIO, EMSGSIZE.
    if (failed_run_ && error != ECONNREFUSED && std::exchange(segments_, false)) continue;
    if (is_lost(error)) co_return failure(error);
    drop(error, at);
    if (!connected()) break;
  }
  co_return boost::system::in_place_value;
}

/// Of the local socket only: true when the way to the collector is lost. UDP has no such way, each
/// error costs one datagram.
bool Sink::is_lost(int error) const {
  if (config_.protocol == SyslogProtocol::udp) return false;
  return error != EMSGSIZE && error != ENOBUFS && error != ENOMEM;
}

void Sink::drop(int error, std::size_t& at) {
  trouble(failure(error));
  if (error == ECONNREFUSED) {
    // The answer to earlier datagrams; this one was not sent yet.
    const auto refused = std::min<std::uint64_t>(last_message_, counters_.records);
    counters_.dropped += refused;
    counters_.records -= refused;
  } else {
    ++counters_.dropped;
    ++at;
  }
  // The name may have moved.
  error_code ec;
  asio::ip::make_address(config_.address.host, ec);
  if (ec && SteadyClock::now() - looked_up_ >= timeouts::relay_look_up_again) close();
}

// ---- stream ------------------------------------------------------------------------------------

/// A record that was cut off by a lost connection is sent again from its beginning.
asio::awaitable<Result<void>> Sink::send_stream(const Batch& batch, std::size_t& at,
                                                net::Cancellation& cancellation) {
  if (const int gone = closed_by_peer()) {
    if (gone != ESHUTDOWN || !proven_) co_return failure(gone == ESHUTDOWN ? ECONNRESET : gone);
    close();  // it was idle for too long, or the collector is another one now: no trouble yet
    co_return boost::system::in_place_value;
  }
  std::size_t inside = 0;
  while (at < batch.size() && !cancellation.cancelled()) {
    std::array<iovec, at_once> parts{};
    const std::size_t count = std::min(batch.size() - at, at_once);
    for (std::size_t i = 0; i < count; ++i) {
      const auto record = batch[at + i].substr(i == 0 ? inside : 0);
      parts[i] = {const_cast<char*>(record.data()), record.size()};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    auto sent = ::sendmsg(stream_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      co_await writable(stream_, cancellation);
      if (!connected()) break;
      continue;
    }
    if (sent < 0) co_return failure(errno);
    counters_.bytes += static_cast<std::uint64_t>(sent);
    inside += static_cast<std::size_t>(sent);
    while (at < batch.size() && inside >= batch[at].size()) {
      inside -= batch[at++].size();
      ++counters_.records;
    }
  }
  co_return boost::system::in_place_value;
}

}  // namespace sidecar_executor::relay
