// SIDECAR_SEEDS' hosts from agents and masters that are down, slow, broken or huge: an answer or a
// message, always in time. That a launch goes on without is shown by launch and system tests.
#include "mesos/cluster.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/run.hpp"
#include "support/sanitized.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::mesos {
namespace {

using test::answer;
using test::Clock;
using test::Peer;
using namespace std::chrono_literals;
using Strings = std::vector<std::string>;
using Hosts = Result<Strings>;

constexpr net::Duration patient = 20s;
const std::string state = R"({"frameworks":[],"master_hostname":"127.0.0.1","x":1})";
const std::string slaves = R"({"slaves":[{"id":"1","hostname":"a"},{"hostname":"b"}]})";

class ClusterTest : public ::testing::Test {
 protected:
  void TearDown() override {
    agent.stop();
    master.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }

  Hosts ask(net::Duration limit = patient) { return ask_at(agent.address(), limit); }
  Hosts ask_at(net::Address where, net::Duration limit = patient) {
    return loop.run(
        [&] { return cluster_hosts(loop.executor(), where, master_port(), cancel, limit); });
  }
  std::uint16_t master_port() const { return port ? *port : master.address().port; }

  /// Every connection: one request, these bytes, then the end.
  static void always(test::ScriptedServer& server, std::string bytes) {
    server.always([bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
    });
  }
  static void hang_after(test::ScriptedServer& server, std::string bytes) {
    server.always([bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
      co_await peer.hang();
    });
  }
  static void drip(test::ScriptedServer& server) {
    server.always([](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{\"a\":\"");
      for (;;) co_await peer.drip("x", 5ms);
    });
  }

  test::Loop loop;
  test::ScriptedServer agent{loop.executor()};
  test::ScriptedServer master{loop.executor()};
  std::optional<std::uint16_t> port;
  net::Cancellation cancel;
};

void expect_error(const Hosts& hosts, const std::string& where, const std::string& what) {
  ASSERT_FALSE(hosts.has_value()) << hosts->size() << " hosts";
  EXPECT_NE(hosts.error().message.find(where), std::string::npos) << hosts.error().message;
  EXPECT_NE(hosts.error().message.find(what), std::string::npos) << hosts.error().message;
}

TEST_F(ClusterTest, AgentNamesTheMasterAndTheMasterItsAgents) {
  always(agent, answer(200, state));
  always(master, answer(200, slaves));
  const auto hosts = ask();
  ASSERT_TRUE(hosts.has_value()) << hosts.error().message;
  EXPECT_EQ(*hosts, (Strings{"a", "b"}));
  ASSERT_EQ(agent.requests().size(), 1u);
  EXPECT_EQ(agent.requests()[0].target, "/state");
  ASSERT_EQ(master.requests().size(), 1u);
  EXPECT_EQ(master.requests()[0].target, "/slaves");
}

TEST_F(ClusterTest, ChunkedByteByByte) {
  const auto in_chunks = [](const std::string& body) {
    std::string bytes = test::chunked_head();
    for (const char c : body) bytes += test::chunk(std::string(1, c));
    return bytes + test::chunk("");
  };
  always(agent, in_chunks(state));
  always(master, in_chunks(slaves));
  EXPECT_EQ(ask().value(), (Strings{"a", "b"}));
}

/// What is wrong with an answer, and what is said of it.
const std::pair<std::string, const char*> bad_answers[] = {
    {answer(500, "{}"), "HTTP 500"},
    {answer(503), "HTTP 503"},
    {answer(401, "", "WWW-Authenticate: Basic realm=\"mesos\"\r\n"), "HTTP 401"},
    {answer(307, "", "Location: //127.0.0.1:9/slaves\r\n"), "HTTP 307"},
    {answer(200, "<html><body>Bad gateway</body></html>"), "not JSON"},
    {answer(200, ""), "cut off"},
    {answer(200, R"({"slaves":[{"hostname":)"), "cut off"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"slaves\":[", "cut off"},
    {test::chunked_head() + test::chunk("{\"slaves\":["), "cut off"},
    {"HTTP/1.1 2oo ok\r\n\r\n", "not an HTTP answer"},
    {"", "closed"},
};

TEST_F(ClusterTest, BadAnswersOfTheAgent) {
  for (const auto& [bytes, what] : bad_answers) {
    always(agent, bytes);
    expect_error(ask(), agent.address().display() + "/state", what);
  }
  EXPECT_EQ(master.connections(), 0);
  always(agent, answer(200, R"({"master_hostname":""})"));
  expect_error(ask(), "agent's /state", "no master_hostname");
  always(agent, answer(200, "{}"));
  expect_error(ask(), "agent's /state", "no master_hostname");
}

TEST_F(ClusterTest, BadAnswersOfTheMaster) {
  always(agent, answer(200, state));
  for (const auto& [bytes, what] : bad_answers) {
    always(master, bytes);
    expect_error(ask(), master.address().display() + "/slaves", what);
  }
}

TEST_F(ClusterTest, Down) {
  const test::RefusedPort refused;
  expect_error(ask_at(refused.address()), refused.address().display() + "/state", "refused");
  always(agent, answer(200, state));
  port = refused.address().port;
  expect_error(ask(), refused.address().display() + "/slaves", "refused");
}

TEST_F(ClusterTest, HangingEndsInTime) {
  hang_after(agent, "");
  expect_error(ask(60ms), "/state", "60 ms");
  always(agent, answer(200, state));
  for (const char* sent : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}) {
    hang_after(master, sent);
    const auto hosts = ask(60ms);
    ASSERT_FALSE(hosts.has_value());
    EXPECT_EQ(to_string(hosts.error().kind), to_string(ErrorKind::timeout));
    expect_error(hosts, "/slaves", "");
  }
}

TEST_F(ClusterTest, DrippingEndsInTime) {
  drip(agent);
  auto began = Clock::now();
  expect_error(ask(100ms), "/state", "not read within 100 ms");
  EXPECT_LT(Clock::now() - began, 5s);
  always(agent, answer(200, state));
  drip(master);
  began = Clock::now();
  expect_error(ask(100ms), "/slaves", "not read within 100 ms");
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST_F(ClusterTest, CancelledItEndsAtOnce) {
  always(agent, answer(200, state));
  hang_after(master, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
  auto asked = loop.start([&] {
    return cluster_hosts(loop.executor(), agent.address(), master_port(), cancel, 10min);
  });
  loop.until([&] { return !master.requests().empty(); }, "the request to the master");
  cancel.cancel();
  EXPECT_FALSE(loop.finish(asked).has_value());
}

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/// As big clusters have it: much before the name, and much before each host.
TEST_F(ClusterTest, DocumentsOfTensOfMegabytesInConstantMemory) {
  std::string noise = R"("pad":[)";
  for (int i = 0; i < 500; ++i) noise += R"({"id":"x","hostname":"no","master_hostname":"no"},)";
  noise += "0],";
  std::size_t sent = 0;
  const auto serve = [&](test::ScriptedServer& server, std::size_t size, std::string before,
                         std::string after) {
    server.next([&, size, before, after](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(test::chunked_head() + test::chunk(before));
      const std::string block = test::chunk(noise);
      for (std::size_t part = 0; part < size; part += noise.size()) {
        co_await peer.send(block);
        sent += noise.size();
      }
      co_await peer.send(test::chunk(after) + test::chunk(""));
    });
  };
  const auto poll = [&](std::size_t size) {
    serve(agent, size, "{", state.substr(1));
    serve(master, size, "{", R"("slaves":[{"hostname":"a"},{"hostname":"b"}]})");
    return ask(60s);
  };
  ASSERT_TRUE(poll(100'000).has_value());
  const long before = peak_kib();
  const auto hosts = poll(40'000'000);
  ASSERT_TRUE(hosts.has_value()) << hosts.error().message;
  EXPECT_EQ(*hosts, (Strings{"a", "b"}));
  EXPECT_GE(sent, 80'000'000u);
  // The sanitizer keeps what was freed; there only the answer counts.
  if (!test::sanitized) EXPECT_LT(peak_kib() - before, 1024) << "KiB more at the peak";
}

}  // namespace
}  // namespace sidecar_executor::mesos
