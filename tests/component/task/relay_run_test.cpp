// The relay of one container: whether all of its log has come to stdout, or must be copied there.
#include "task/relay_run.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

#include "support/collector.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::task {
namespace {

using sx_test::Collector;
using test::answer;
using test::chunk;
using test::chunked_head;
using test::Peer;
using namespace std::chrono_literals;

std::string stamped(int n, const std::string& text) {
  return "2026-01-02T15:04:0" + std::to_string(n) + ".5Z " + text;
}
std::string entry(int n, const std::string& text) {
  const std::string payload = stamped(n, text);
  return std::string{1, 0, 0, 0, 0, 0, 0, static_cast<char>(payload.size())} + payload;
}

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    for (const int fd : ends) ::close(fd);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  std::array<int, 2> ends{-1, -1};
};

class RelayRunTest : public ::testing::Test {
 protected:
  RelayRunTest() {
    settings.relay_syslog = true;
    settings.container_logs_stdout = true;
    settings.syslog_protocol = SyslogProtocol::unix_socket;
    settings.syslog_addr = folder / "log";
    container.id = "0123456789abcdef";
  }
  void TearDown() override {
    run.reset();
    server.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }
  /// Of a container that has ended. `room` is what waits for a slow reader of stdout.
  void start(std::size_t room = 256 * 1024) {
    out.emplace(pipe.ends[1], room);
    log.emplace(*out);
    run.emplace(loop.executor(), engine, *log, settings, container,
                std::vector<std::pair<std::string, std::string>>());
    run->container_ended();
    running.emplace(loop.start([this] { return run->run(); }));
  }
  void end() { loop.finish(*running); }
  bool in_stdout(net::Duration limit = test::hang_limit) {
    return loop.run([&] { return run->in_stdout(limit); });
  }
  /// The next stream is all of `bytes`.
  void next(const std::string& bytes) {
    server.next([bytes](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(chunked_head() + chunk(bytes) + (bytes.empty() ? "" : chunk("")));
    });
  }
  /// The next question gets these bytes, and the connection's end.
  void next_fails(const std::string& bytes) {
    server.next([bytes](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
      peer.close();
    });
  }
  /// What has come to stdout since the last time.
  std::string read_stdout() {
    out->flush();
    std::string text(1 << 20, '\0');
    const auto got = ::read(pipe.ends[0], text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return text;
  }

  test::Loop loop;
  test::TempDir folder;
  test::ScriptedServer server{loop.executor()};
  docker::Engine engine{loop.executor(), docker::EngineAddress{server.address(), "1.41"}};
  Pipe pipe;
  Settings settings;
  docker::ContainerState container;
  std::optional<OutputBuffer> out;
  std::optional<Log> log;
  std::optional<RelayRun> run;
  std::optional<test::Started<test::Nothing>> running;
};

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}
int payloads(const std::string& text, const std::string& payload) {
  return count(text, "\"Payload\":\"" + payload + "\"");
}

TEST_F(RelayRunTest, LogThatWasReadToItsEndIsInStdout) {
  const Collector collector(Collector::Kind::unix_socket, settings.syslog_addr);
  next(entry(1, "one\n"));
  next(entry(1, "one\n") + entry(2, "last"));
  start();
  EXPECT_TRUE(in_stdout());
  end();
  const std::string text = read_stdout();
  EXPECT_EQ(payloads(text, "one"), 1) << text;
  EXPECT_EQ(payloads(text, "last"), 1) << text;
}

TEST_F(RelayRunTest, LinesThatStdoutDidNotTakeAreNotInStdout) {
  Collector collector(Collector::Kind::unix_socket, settings.syslog_addr);
  ::fcntl(pipe.ends[1], F_SETPIPE_SZ, 4096);
  std::string burst;
  for (int i = 0; i < 1000; ++i) burst += entry(i / 200, "line\n");
  next(burst);
  next("");
  start(4096);
  EXPECT_FALSE(in_stdout());
  end();
  EXPECT_TRUE(collector.wait_for(1001)) << "the collector has all of it";
}

TEST_F(RelayRunTest, WithoutContainerLogsStdoutNothingIsWaitedFor) {
  settings.container_logs_stdout = false;
  start();  // and nobody takes the lines
  EXPECT_FALSE(in_stdout());
  loop.run([&] { return run->finish(1ms); });
  end();
  EXPECT_EQ(count(read_stdout(), "Payload"), 0);
}

/// dockerd is restarted just then.
TEST_F(RelayRunTest, LastLookThatFailsIsDoneAgain) {
  const Collector collector(Collector::Kind::unix_socket, settings.syslog_addr);
  next(entry(1, "one\n"));
  next_fails("");
  next(entry(1, "one\n"));
  next_fails(chunked_head() + chunk(entry(1, "one\n") + entry(2, "last").substr(0, 40)));
  next(entry(1, "one\n") + entry(2, "last"));
  next(entry(1, "one\n") + entry(2, "last"));
  start();
  EXPECT_TRUE(in_stdout());
  end();
  const std::string text = read_stdout();
  EXPECT_EQ(payloads(text, "one"), 1) << text;
  EXPECT_EQ(payloads(text, "last"), 1) << text;
  EXPECT_EQ(server.requests().size(), 6U);
}

/// With a TTY the last entry has no end of its own.
TEST_F(RelayRunTest, LastLookThatFailsAtATerminalIsDoneAgain) {
  const Collector collector(Collector::Kind::unix_socket, settings.syslog_addr);
  container.tty = true;
  const std::string all = stamped(1, "one\r\n") + stamped(2, "two");
  next(all);
  next_fails("");
  next(all);
  next_fails(chunked_head() + chunk(all));
  next(all);
  next(all);
  start();
  EXPECT_TRUE(in_stdout());
  end();
  const std::string text = read_stdout();
  EXPECT_EQ(payloads(text, "one"), 1) << text;
  EXPECT_EQ(payloads(text, "two"), 1) << text;
}

TEST_F(RelayRunTest, LogWhoseEndCannotBeReadIsNotInStdout) {
  const Collector collector(Collector::Kind::unix_socket, settings.syslog_addr);
  next(entry(1, "one\n"));
  next_fails(answer(404, "{\"message\":\"No such container\"}\n"));
  start();
  EXPECT_FALSE(in_stdout());
  end();
  const std::string text = read_stdout();
  EXPECT_EQ(payloads(text, "one"), 1) << text;
  EXPECT_EQ(count(text, "cannot be read, the log relay ends"), 1) << text;
}

/// stdout is left to whoever was told no; the collector gets its lines all the same.
TEST_F(RelayRunTest, CollectorThatComesAfterTheLimitGetsTheLinesAlone) {
  start();
  EXPECT_FALSE(in_stdout(1ms));
  EXPECT_EQ(payloads(read_stdout(), "sidecar-executor starting log pump for '0123456789ab'"), 1)
      << "the copy does not wait for the collector";
  Collector collector(Collector::Kind::unix_socket, settings.syslog_addr);
  next(entry(1, "one\n"));
  next("");
  loop.run([&] { return run->finish(test::hang_limit); });
  end();
  EXPECT_TRUE(collector.wait_for(2));
  const std::string text = read_stdout();
  EXPECT_EQ(payloads(text, "one"), 0) << text;
  EXPECT_EQ(count(text, "Log relay ended"), 1) << text;
}

}  // namespace
}  // namespace sidecar_executor::task
