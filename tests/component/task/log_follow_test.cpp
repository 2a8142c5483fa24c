// Docker's log stream with cuts, refusals and ends: no line is lost, none comes twice.
#include "task/log_follow.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "support/collector.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::task {
namespace {

namespace json = boost::json;
using sx_test::Collector;
using test::answer;
using test::chunk;
using test::chunked_head;
using test::Peer;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

std::string stamp(int n) {
  const std::string digits = std::to_string(n);
  return "2026-01-02T15:04:05." + std::string(9 - digits.size(), '0') + digits + "Z";
}
std::string frame(int stream, const std::string& payload) {
  std::string out{static_cast<char>(stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(payload.size() >> shift);
  return out + payload;
}
std::string entry(int n, const std::string& text, int stream = 1) {
  return frame(stream, stamp(n) + " " + text);
}

class LogFollowTest : public ::testing::Test {
 protected:
  LogFollowTest() {
    relay::SinkConfig config;
    config.protocol = SyslogProtocol::unix_socket;
    config.address.unix_path = folder / "log";
    sink.emplace(loop.executor(), config, relay::Sink::Handlers{[](const Error&) {}, [] {}});
    relay.emplace(*sink, relay::RecordFields{SyslogFormat::json, "h", "c", {}}, nullptr);
    // Nothing more, says the last look, unless the test has something for it.
    server.serve([](const test::SeenRequest&) { return chunked_head() + chunk(""); });
  }
  void TearDown() override {
    follow.reset();
    relay.reset();
    sink.reset();
    server.stop();
    ::close(log_file);
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }
  void make(bool tty = false) {
    LogFollow::Limits limits;
    limits.first_retry = 1ms;
    limits.last_retry = 5ms;
    limits.end = 20ms;
    follow.emplace(loop.executor(), engine, *relay, log,
                   LogFollow::Container{"0123456789abcdef", tty}, limits);
  }
  bool run() {
    return loop.run([&] { return follow->run(); });
  }
  /// The next stream gives these bytes and ends well, or is cut off.
  void next(const std::string& bytes, bool ends_well) {
    server.next([bytes, ends_well](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(chunked_head() + (bytes.empty() ? "" : chunk(bytes)) +
                         (ends_well ? chunk("") : ""));
      peer.close();
    });
  }
  /// Without the first, which is our own.
  Texts payloads() {
    Texts out;
    for (const auto& record : collector.records()) {
      out.emplace_back(json::parse(record).at("Payload").as_string());
    }
    EXPECT_FALSE(out.empty());
    if (!out.empty()) {
      EXPECT_EQ(out.front(), "sidecar-executor starting log pump for '0123456789ab'");
      out.erase(out.begin());
    }
    return out;
  }
  std::string logged() {
    std::string text(100'000, '\0');
    const auto got = ::pread(log_file, text.data(), text.size(), 0);
    return text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  }

  test::Loop loop;
  test::TempDir folder;
  Collector collector{Collector::Kind::unix_socket, folder / "log"};
  test::ScriptedServer server{loop.executor()};
  docker::Engine engine{loop.executor(), docker::EngineAddress{server.address(), "1.41"}};
  int log_file = ::memfd_create("log", MFD_CLOEXEC);
  OutputBuffer log_out{log_file};
  Log log{log_out};
  std::optional<relay::Sink> sink;
  std::optional<relay::LogRelay> relay;
  std::optional<LogFollow> follow;
};

TEST_F(LogFollowTest, AsksForAllOfItWithStamps) {
  make();
  next(entry(1, "one\n") + entry(2, "two\n", 2) + entry(3, "last"), true);
  follow->container_ended();
  EXPECT_TRUE(run());
  EXPECT_EQ(
      server.requests().at(0).target,
      "/v1.41/containers/0123456789abcdef/logs?stdout=1&stderr=1&since=0&follow=1&timestamps=1");
  ASSERT_TRUE(collector.wait_for(4));
  EXPECT_EQ(payloads(), (Texts{"one", "two", "last"}));
}

TEST_F(LogFollowTest, GoesOnWhereItWasCutOff) {
  make();
  const std::string all = entry(1, "one\n") + entry(2, "two\n") + entry(2, "two\n") +
                          entry(2, "three\n", 2) + entry(4, "four\n");
  // At every byte of the stream.
  for (std::size_t cut = 0; cut <= all.size(); cut += 3) {
    next(all.substr(0, cut), false);
    // dockerd's `since` would leave older ones out; one that sends them all is harder.
    next(all, true);
    make();
    relay.emplace(*sink, relay::RecordFields{SyslogFormat::json, "h", "c", {}}, nullptr);
    const std::size_t before = collector.count();
    follow->container_ended();
    EXPECT_TRUE(run()) << cut;
    ASSERT_TRUE(collector.wait_for(before + 6)) << cut;
    Texts got;
    const auto records = collector.records();
    for (std::size_t i = before + 1; i < records.size(); ++i) {
      got.emplace_back(json::parse(records[i]).at("Payload").as_string());
    }
    ASSERT_EQ(got, (Texts{"one", "two", "two", "three", "four"})) << cut;
  }
}

TEST_F(LogFollowTest, AsksSinceTheOldestThatItRemembers) {
  make();
  next(entry(7, "one\n") + entry(9, "two\n"), false);
  next(entry(7, "one\n") + entry(9, "two\n") + entry(9, "three\n"), true);
  follow->container_ended();
  EXPECT_TRUE(run());
  ASSERT_GE(server.requests().size(), 2U);
  EXPECT_NE(server.requests()[1].target.find("since=1767366245.000000007&"), std::string::npos)
      << server.requests()[1].target;
  ASSERT_TRUE(collector.wait_for(4));
  EXPECT_EQ(payloads(), (Texts{"one", "two", "three"}));
}

TEST_F(LogFollowTest, PiecesOfALongLineAreJoinedAcrossACut) {
  make();
  const std::string piece(16 * 1024, 'x');
  const std::string all = entry(1, piece) + entry(2, piece) + entry(3, "end\n");
  next(all.substr(0, all.size() - 10), false);
  next(all, true);
  follow->container_ended();
  EXPECT_TRUE(run());
  ASSERT_TRUE(collector.wait_for(2));
  EXPECT_EQ(payloads(), (Texts{piece + piece + "end"}));
}

TEST_F(LogFollowTest, StreamThatEndsWhileTheContainerRunsIsOpenedAgain) {
  make();
  next(entry(1, "one\n"), true);
  next(entry(1, "one\n") + entry(2, "two\n"), true);
  auto running = loop.start([&] { return follow->run(); });
  loop.until([&] { return server.requests().size() == 2; }, "the second stream");
  follow->container_ended();
  EXPECT_TRUE(loop.finish(running));
  ASSERT_TRUE(collector.wait_for(3));
  EXPECT_EQ(payloads(), (Texts{"one", "two"}));
}

/// Seen with 20.10: the last output, without a newline, reaches the log after the stream's end.
TEST_F(LogFollowTest, StreamThatEndsTooEarlyIsCompleted) {
  make();
  next(entry(1, "one\n"), true);
  next(entry(1, "one\n") + entry(2, "last"), true);
  follow->container_ended();
  EXPECT_TRUE(run());
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_NE(server.requests()[1].target.find("follow=0&timestamps=1&tail=1000"), std::string::npos)
      << server.requests()[1].target;
  ASSERT_TRUE(collector.wait_for(3));
  EXPECT_EQ(payloads(), (Texts{"one", "last"}));
}

/// Its stream ends thousands of lines too early after a burst.
TEST_F(LogFollowTest, PodmanIsAskedForAllThatIsMissing) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(answer(200, "OK", "Api-Version: 1.41\r\nServer: Libpod/4.3.1 (linux)\r\n"));
    peer.close();
  });
  EXPECT_TRUE(loop.run([&] { return engine.negotiate(); }).has_value());
  make();
  next(entry(1, "one\n"), true);
  next(entry(1, "one\n") + entry(2, "two\n"), true);
  follow->container_ended();
  EXPECT_TRUE(run());
  ASSERT_EQ(server.requests().size(), 3U);
  EXPECT_TRUE(server.requests()[2].target.ends_with("follow=0&timestamps=1"))
      << server.requests()[2].target;
  ASSERT_TRUE(collector.wait_for(3));
  EXPECT_EQ(payloads(), (Texts{"one", "two"}));
}

TEST_F(LogFollowTest, DriverThatCannotBeReadIsSaidOnceAndIsTheEnd) {
  make();
  server.serve([](const test::SeenRequest&) {
    return answer(501, "{\"message\":\"configured logging driver does not support reading\"}\n");
  });
  EXPECT_FALSE(run());
  EXPECT_EQ(server.requests().size(), 1U);
  EXPECT_NE(logged().find("does not support reading"), std::string::npos) << logged();
}

TEST_F(LogFollowTest, DockerThatAnswers500IsAskedAgain) {
  make();
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(answer(500, "{\"message\":\"not now\"}\n"));
    peer.close();
  });
  next(entry(1, "one\n"), true);
  follow->container_ended();
  EXPECT_TRUE(run());
  ASSERT_TRUE(collector.wait_for(2));
  EXPECT_EQ(payloads(), (Texts{"one"}));
}

TEST_F(LogFollowTest, Terminal) {
  make(true);
  next(stamp(1) + " one\r\n" + stamp(2) + " \r\n" + stamp(3) + " two", true);
  follow->container_ended();
  EXPECT_TRUE(run());
  ASSERT_TRUE(collector.wait_for(4));
  EXPECT_EQ(payloads(), (Texts{"one", "", "two"}));
}

TEST_F(LogFollowTest, StopSendsWhatWasReadAndReadsNoMore) {
  make();
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head() + chunk(entry(1, "one\n") + entry(2, "begun")));
    co_await peer.hang();
  });
  auto running = loop.start([&] { return follow->run(); });
  loop.until([&] { return relay->counters().lines == 1; }, "the first line");
  follow->stop();
  EXPECT_FALSE(loop.finish(running, 2s));
  ASSERT_TRUE(collector.wait_for(2));
  EXPECT_EQ(payloads().at(0), "one");
}

TEST_F(LogFollowTest, GiveUpEndsItWhileTheCollectorIsAway) {
  relay::SinkConfig config;
  config.protocol = SyslogProtocol::tcp;
  const test::RefusedPort nobody;
  config.address = nobody.address();
  bool trouble = false;
  relay::Sink away(loop.executor(), config, {[&](const Error&) { trouble = true; }, [] {}});
  relay::LogRelay to_nobody(away, {SyslogFormat::json, "h", "c", {}}, nullptr);
  LogFollow waits(loop.executor(), engine, to_nobody, log, {"0123456789abcdef", false});
  auto running = loop.start([&] { return waits.run(); });
  loop.until([&] { return trouble; }, "the refusal");
  EXPECT_TRUE(server.requests().empty()) << "nothing is read that cannot be sent";
  waits.give_up();
  EXPECT_FALSE(loop.finish(running, 2s));
  EXPECT_EQ(away.counters().dropped, 1U);
}

}  // namespace
}  // namespace sidecar_executor::task
