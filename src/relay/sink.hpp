#pragma once
// The way to a syslog collector: UDP datagrams, TCP with octet counting, datagrams to a local
// socket. UDP loses what the collector does not take, as the Go executor's does, and counts it. TCP
// and the local socket wait: the log is Docker's to keep until then.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/datagram_protocol.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "net/address.hpp"
#include "net/cancellation.hpp"
#include "net/deadline.hpp"
#include "net/resolver.hpp"
#include "relay/batch.hpp"

namespace sidecar_executor::relay {

struct SinkConfig {
  SyslogProtocol protocol = SyslogProtocol::udp;
  net::Address address;  ///< host and port, or unix_path

  /// Tests have their own.
  using Resolve = std::function<asio::awaitable<Result<std::vector<asio::ip::address>>>(
      std::string host, net::Duration limit, net::Cancellation* cancellation)>;
  Resolve resolve = net::resolve;
  /// A TCP connection that lives so long is one that a collector has.
  net::Duration proof = std::chrono::seconds(1);
};

class Sink {
 public:
  struct Handlers {
    std::function<void(const Error&)> on_trouble;  ///< once for each time that it begins
    std::function<void()> on_recovered;
  };
  struct Counters {
    std::uint64_t records = 0;  ///< handed to the kernel
    std::uint64_t bytes = 0;
    std::uint64_t dropped = 0;  ///< refused, or not sent when it was over
  };

  Sink(asio::any_io_executor executor, SinkConfig config, Handlers handlers);
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  [[nodiscard]] Framing framing() const;
  [[nodiscard]] const Counters& counters() const { return counters_; }
  /// Of the TCP connection, while there is one.
  [[nodiscard]] int native_handle() { return stream_.native_handle(); }

  /// send() does it by itself. Of UDP it only says that the name is known and there is a route.
  asio::awaitable<Result<void>> connect(net::Cancellation& cancellation);

  /// Returns when every record was handed to the kernel or given up. UDP gives up at once; the
  /// others wait for the collector, until `cancellation`.
  asio::awaitable<void> send(const Batch& batch, net::Cancellation& cancellation);
  void close();

 private:
  using Datagrams = asio::generic::datagram_protocol::socket;
  using Stream = asio::generic::stream_protocol::socket;

  asio::awaitable<Result<void>> connect_inet(net::Cancellation& cancellation);
  Result<void> connect_unix();
  Result<void> connect_datagrams(const asio::generic::datagram_protocol::endpoint& where);
  asio::awaitable<Result<void>> connect_stream(
      const asio::generic::stream_protocol::endpoint& where, net::Cancellation& cancellation);
  [[nodiscard]] bool connected() const { return datagrams_.is_open() || stream_.is_open(); }

  asio::awaitable<bool> connect_or_give_up(net::Cancellation& cancellation);
  void begin_proof();
  void prove();
  int closed_by_peer();
  asio::awaitable<Result<void>> send_datagrams(const Batch& batch, std::size_t& at,
                                               net::Cancellation& cancellation);
  asio::awaitable<Result<void>> send_stream(const Batch& batch, std::size_t& at,
                                            net::Cancellation& cancellation);
  struct Messages;
  std::size_t send_some(const Batch& batch, std::size_t at);
  [[nodiscard]] bool is_lost(int error) const;
  void drop(int error, std::size_t& at);
  template <class Socket>
  asio::awaitable<void> writable(Socket& socket, net::Cancellation& cancellation);
  void trouble(const Error& error);
  void recovered();
  [[nodiscard]] Error failure(int error) const;
  [[nodiscard]] std::string name() const;

  asio::any_io_executor executor_;
  SinkConfig config_;
  Handlers handlers_;
  Counters counters_;
  Datagrams datagrams_;
  Stream stream_;
  net::SteadyTime next_try_{};          // of a connection
  net::SteadyTime looked_up_{};         // the collector's name
  std::size_t last_message_ = 1;        // datagrams of the last message that was sent
  bool failed_run_ = false;             // the last message that was not sent was a run of them
  bool segments_;                       // the kernel cuts runs into datagrams
  int failures_ = 0;                    // of connections, in a row
  std::optional<net::Deadline> proof_;  // of a TCP connection
  bool proven_ = false;
  bool troubled_ = false;
};

}  // namespace sidecar_executor::relay
