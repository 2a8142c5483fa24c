// The three ways to a collector, and a collector that is not there, comes back or moves.
#include "relay/sink.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "support/collector.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::relay {
namespace {

using sx_test::Collector;
using namespace std::chrono_literals;
using Records = std::vector<std::string>;

class SinkTest : public ::testing::Test {
 protected:
  void TearDown() override {
    if (sink) sink->close();
    sink.reset();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }
  void make(SyslogProtocol protocol, const net::Address& address,
            SinkConfig::Resolve resolve = net::resolve) {
    SinkConfig config;
    config.protocol = protocol;
    config.address = address;
    config.resolve = std::move(resolve);
    config.proof = proof;
    sink = std::make_unique<Sink>(
        loop.executor(), std::move(config),
        Sink::Handlers{[this](const Error& error) { troubles.push_back(error.message); },
                       [this] { ++recovered; }});
  }
  void make(SyslogProtocol protocol, const Collector& collector) {
    make(protocol, inet(collector.port()));
  }
  static net::Address inet(int port) {
    net::Address address;
    address.host = "127.0.0.1";
    address.port = static_cast<std::uint16_t>(port);
    return address;
  }
  static net::Address local(const std::string& path) {
    net::Address address;
    address.unix_path = path;
    return address;
  }
  /// Payloads, as RFC 3164 records: short.
  Batch batch(const Records& payloads) {
    Record record({SyslogFormat::rfc3164, "h", "c", {}});
    Batch out(sink->framing());
    for (const auto& text : payloads) {
      record.begin({Stream::out, "2026-01-02T15:04:05Z", text, false});
      while (out.append(record)) {
      }
    }
    return out;
  }
  void send(const Records& payloads) {
    loop.run(
        [&]() -> asio::awaitable<void> { co_await sink->send(batch(payloads), cancellation); });
  }
  static Records payloads(Collector& collector) {
    Records out;
    for (const auto& record : collector.records())
      out.push_back(record.substr(record.find("]: ") + 3));
    return out;
  }

  test::Loop loop;
  net::Cancellation cancellation;
  test::TempDir folder;
  std::unique_ptr<Sink> sink;
  std::vector<std::string> troubles;
  int recovered = 0;
  net::Duration proof = 50ms;
};

Records numbered(std::size_t count, const std::string& text) {
  Records out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(std::to_string(i) + text);
  return out;
}

TEST_F(SinkTest, UdpDatagramsOfAllLengths) {
  Collector collector(Collector::Kind::udp);
  make(SyslogProtocol::udp, collector);
  Records all;
  // Runs of equal length, which the kernel cuts, and others; empty, and the largest of all.
  for (int i = 0; i < 200; ++i) all.emplace_back(50, 'a' + static_cast<char>(i % 26));
  for (std::size_t i = 0; i < 100; ++i) all.emplace_back(i * 37 % 1500, 'x');
  for (std::size_t i = 0; i < 10; ++i) all.emplace_back(2000, 'y');
  all.emplace_back(65'400, 'z');
  all.emplace_back();
  send(all);
  ASSERT_TRUE(collector.wait_for(all.size()));
  EXPECT_EQ(payloads(collector), all);
  EXPECT_EQ(sink->counters().records, all.size());
  EXPECT_EQ(sink->counters().dropped, 0U);
  EXPECT_TRUE(troubles.empty());
}

TEST_F(SinkTest, LocalSocketWaitsForASlowReader) {
  Collector collector(Collector::Kind::unix_socket, folder / "log");
  make(SyslogProtocol::unix_socket, local(folder / "log"));
  // Far more than the queue of such a socket holds (net.unix.max_dgram_qlen, 10 to 512).
  const auto all = numbered(5000, " line");
  send(all);
  ASSERT_TRUE(collector.wait_for(all.size()));
  EXPECT_EQ(payloads(collector), all);
  EXPECT_EQ(sink->counters().dropped, 0U);
}

TEST_F(SinkTest, TcpCountsOctets) {
  Collector collector(Collector::Kind::tcp);
  make(SyslogProtocol::tcp, collector);
  auto all = numbered(5000, " line");
  all.emplace_back(60'000, 'x');
  all.emplace_back("with\nnewline");
  send(all);
  ASSERT_TRUE(collector.wait_for(all.size()));
  EXPECT_EQ(payloads(collector), all);
  EXPECT_EQ(collector.connections(), 1U);
  EXPECT_EQ(sink->counters().records, all.size());
}

TEST_F(SinkTest, TcpWaitsForASlowReader) {
  test::ScriptedServer slow(loop.executor());
  net::Signal read_on(loop.executor());
  slow.next([&read_on](test::Peer& peer) -> asio::awaitable<void> {
    co_await read_on.wait();
    co_await peer.hang();
  });
  make(SyslogProtocol::tcp, slow.address());
  // Far more than the buffers of a connection hold (net.ipv4.tcp_wmem and tcp_rmem, 4 and 6 MB).
  const Records all(500, std::string(60'000, 'x'));
  auto sending =
      loop.start([&]() -> asio::awaitable<void> { co_await sink->send(batch(all), cancellation); });
  loop.until([&] { return sink->counters().bytes > 0; }, "what the buffers hold");
  loop.poll();
  EXPECT_FALSE(sending.ended());
  read_on.raise();
  loop.finish(sending);
  EXPECT_EQ(sink->counters().records, all.size());
  EXPECT_EQ(sink->counters().dropped, 0U);
  EXPECT_TRUE(troubles.empty());
  sink->close();
  slow.stop();
}

TEST_F(SinkTest, UdpNobodyThereIsCountedAndSaidOnce) {
  int port = 0;
  {
    port = Collector(Collector::Kind::udp).port();
  }
  make(SyslogProtocol::udp, inet(port));
  for (int i = 0; i < 20; ++i) send({"lost"});
  EXPECT_EQ(troubles.size(), 1U);
  EXPECT_NE(troubles.at(0).find("udp://127.0.0.1:" + std::to_string(port)), std::string::npos);
  EXPECT_GE(sink->counters().dropped, 10U);
  Collector back(Collector::Kind::udp, {}, port);
  send({"after"});
  send({"after"});
  ASSERT_TRUE(back.wait_for(1));
  EXPECT_EQ(payloads(back).at(0), "after");
  EXPECT_EQ(sink->counters().dropped + sink->counters().records, 22U) << "each is counted once";
}

TEST_F(SinkTest, UdpNameIsLookedUpAgainWhereItFailed) {
  int lookups = 0;
  make(
      SyslogProtocol::udp,
      [] {
        auto address = inet(1);
        address.host = "collector.test";
        return address;
      }(),
      [&](std::string host, net::Duration,
          net::Cancellation*) -> asio::awaitable<Result<std::vector<asio::ip::address>>> {
        EXPECT_EQ(host, "collector.test");
        ++lookups;
        co_return Error{ErrorKind::not_found, "look up collector.test: no such name"};
      });
  for (int i = 0; i < 50; ++i) send({"lost"});
  EXPECT_EQ(sink->counters().dropped, 50U);
  EXPECT_EQ(lookups, 1) << "not for each line";
  ASSERT_EQ(troubles.size(), 1U);
  EXPECT_NE(troubles[0].find("no such name"), std::string::npos);
}

TEST_F(SinkTest, TcpGoesOnWhenTheCollectorIsBack) {
  auto first = std::make_unique<Collector>(Collector::Kind::tcp);
  const int port = first->port();
  make(SyslogProtocol::tcp, *first);
  send({"one"});
  ASSERT_TRUE(first->wait_for(1));
  first.reset();
  auto sending = loop.start([&]() -> asio::awaitable<void> {
    co_await sink->send(batch({"two", "three"}), cancellation);
  });
  loop.until([&] { return !troubles.empty(); }, "the loss to be noticed");
  EXPECT_FALSE(sending.ended()) << "it waits";
  Collector second(Collector::Kind::tcp, {}, port);
  loop.finish(sending);
  ASSERT_TRUE(second.wait_for(2));
  EXPECT_EQ(payloads(second), (Records{"two", "three"}));
  loop.until([&] { return recovered == 1; }, "the recovery to be told");
  EXPECT_EQ(sink->counters().dropped, 0U);
}

/// A proxy without a collector behind it: told once, and asked less and less often.
TEST_F(SinkTest, TcpThatIsTakenAndClosedIsNoRecovery) {
  test::ScriptedServer proxy(loop.executor());
  proxy.always([](test::Peer&) -> asio::awaitable<void> { co_return; });
  make(SyslogProtocol::tcp, proxy.address());
  const auto began = test::Clock::now();
  for (int i = 0; i < 8; ++i) {
    send({"line"});
    loop.until([&] { return proxy.open() == 0; }, "the proxy to close");
  }
  EXPECT_EQ(troubles.size(), 1U);
  EXPECT_EQ(recovered, 0);
  EXPECT_GT(test::Clock::now() - began, 1s) << "the pauses grow";
  proxy.stop();
}

/// Collectors close what is idle: no trouble, and no line about it.
TEST_F(SinkTest, TcpThatWasClosedInAQuietTimeIsOpenedAgainInSilence) {
  auto first = std::make_unique<Collector>(Collector::Kind::tcp);
  const int port = first->port();
  make(SyslogProtocol::tcp, *first);
  send({"one"});
  ASSERT_TRUE(first->wait_for(1));
  net::Deadline proven(loop.executor(), 2 * proof, [] {});
  loop.until([&] { return proven.expired(); }, "time");
  first.reset();
  Collector second(Collector::Kind::tcp, {}, port);
  send({"two"});
  ASSERT_TRUE(second.wait_for(1));
  EXPECT_TRUE(troubles.empty()) << troubles[0];
  EXPECT_EQ(recovered, 0);
}

/// What it had not read is lost: that is no quiet close.
TEST_F(SinkTest, TcpThatIsResetIsTrouble) {
  test::ScriptedServer collector(loop.executor());
  net::Signal reset(loop.executor());
  collector.next([&reset](test::Peer& peer) -> asio::awaitable<void> {
    co_await reset.wait();
    peer.reset();
  });
  collector.always([](test::Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  make(SyslogProtocol::tcp, collector.address());
  send({"one"});
  net::Deadline proven(loop.executor(), 2 * proof, [] {});
  loop.until([&] { return proven.expired(); }, "time");
  reset.raise();
  loop.until([&] { return collector.open() == 0; }, "the reset");
  send({"two"});
  EXPECT_EQ(troubles.size(), 1U);
  collector.stop();
}

/// A collector that vanished without a word is noticed in minutes, idle or not.
TEST_F(SinkTest, TcpIsGivenUpWhenNothingIsAcknowledged) {
  test::ScriptedServer quiet(loop.executor());
  quiet.always([](test::Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  make(SyslogProtocol::tcp, quiet.address());
  send({"one"});
  const auto option = [&](int name) {
    int value = 0;
    socklen_t size = sizeof value;
    ::getsockopt(sink->native_handle(), IPPROTO_TCP, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(TCP_KEEPIDLE), 30);
  EXPECT_EQ(option(TCP_USER_TIMEOUT), 120'000);
  quiet.stop();
}

TEST_F(SinkTest, TcpFollowsANameThatMoves) {
  auto first = std::make_unique<Collector>(Collector::Kind::tcp);
  const int port = first->port();
  std::string where = "127.0.0.1";
  make(
      SyslogProtocol::tcp,
      [&] {
        auto address = inet(port);
        address.host = "collector.test";
        return address;
      }(),
      [&](std::string, net::Duration,
          net::Cancellation*) -> asio::awaitable<Result<std::vector<asio::ip::address>>> {
        co_return std::vector<asio::ip::address>{asio::ip::make_address(where)};
      });
  send({"one"});
  ASSERT_TRUE(first->wait_for(1));
  first.reset();
  where = "127.0.0.2";  // nobody yet
  auto sending = loop.start(
      [&]() -> asio::awaitable<void> { co_await sink->send(batch({"two"}), cancellation); });
  loop.until([&] { return !troubles.empty(); }, "the loss to be noticed");
  where = "127.0.0.1";
  Collector second(Collector::Kind::tcp, {}, port);
  loop.finish(sending);
  EXPECT_TRUE(second.wait_for(1));
}

TEST_F(SinkTest, LocalSocketThatIsMadeAnewIsFound) {
  const std::string path = folder / "log";
  auto first = std::make_unique<Collector>(Collector::Kind::unix_socket, path);
  make(SyslogProtocol::unix_socket, local(path));
  send({"one"});
  ASSERT_TRUE(first->wait_for(1));
  first.reset();
  auto sending = loop.start(
      [&]() -> asio::awaitable<void> { co_await sink->send(batch({"two"}), cancellation); });
  loop.until([&] { return !troubles.empty(); }, "the loss to be noticed");
  EXPECT_NE(troubles[0].find(path), std::string::npos);
  Collector second(Collector::Kind::unix_socket, path);
  loop.finish(sending);
  ASSERT_TRUE(second.wait_for(1));
  EXPECT_EQ(payloads(second), (Records{"two"}));
}

TEST_F(SinkTest, CancellationEndsTheWaitAndCountsWhatIsLost) {
  const test::RefusedPort nobody;
  make(SyslogProtocol::tcp, nobody.address());
  auto sending = loop.start([&]() -> asio::awaitable<void> {
    co_await sink->send(batch({"one", "two", "three"}), cancellation);
  });
  loop.until([&] { return !troubles.empty(); }, "the refusal");
  cancellation.cancel();
  loop.finish(sending, 5s);
  EXPECT_EQ(sink->counters().dropped, 3U);
  EXPECT_EQ(sink->counters().records, 0U);
}

TEST_F(SinkTest, CancellationEndsAConnectThatHangs) {
  const test::DeafServer deaf;
  make(SyslogProtocol::tcp, deaf.address());
  auto sending = loop.start(
      [&]() -> asio::awaitable<void> { co_await sink->send(batch({"one"}), cancellation); });
  loop.poll();
  EXPECT_FALSE(sending.ended());
  cancellation.cancel();
  loop.finish(sending, 2s);
  EXPECT_EQ(sink->counters().dropped, 1U);
}

TEST_F(SinkTest, StreamSocketAtThePathIsSaidToBeOne) {
  test::ScriptedServer stream(loop.executor(), folder / "stream");
  make(SyslogProtocol::unix_socket, local(folder / "stream"));
  auto sending = loop.start(
      [&]() -> asio::awaitable<void> { co_await sink->send(batch({"one"}), cancellation); });
  loop.until([&] { return !troubles.empty(); }, "the refusal");
  EXPECT_NE(troubles[0].find("a datagram socket is needed"), std::string::npos) << troubles[0];
  cancellation.cancel();
  loop.finish(sending);
  stream.stop();
}

TEST_F(SinkTest, APathThatNoSocketCanHaveIsNamed) {
  const std::string path = "/run/" + std::string(120, 'x');
  make(SyslogProtocol::unix_socket, local(path));
  auto sending = loop.start(
      [&]() -> asio::awaitable<void> { co_await sink->send(batch({"one"}), cancellation); });
  loop.until([&] { return !troubles.empty(); }, "the refusal");
  EXPECT_NE(troubles[0].find(path + ": path of the socket is too long"), std::string::npos)
      << troubles[0];
  cancellation.cancel();
  loop.finish(sending);
  EXPECT_EQ(sink->counters().dropped, 1U);
}

}  // namespace
}  // namespace sidecar_executor::relay
