// The client against a Sidecar that is down, slow, broken or huge: it always answers in time, and
// nothing but a status is taken for one.
#include "sidecar/client.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "support/run.hpp"
#include "support/sanitized.hpp"
#include "support/scripted_server.hpp"
#include "support/tls_server.hpp"

namespace sidecar_executor::sidecar {
namespace {

using test::answer;
using test::Clock;
using test::Peer;
using namespace std::chrono_literals;

constexpr auto patient = 20s;
const std::string our_id = "0123456789ab";

std::string state(int status) {
  return R"({"Servers":{"other":{"Services":null},"h1":{"Services":{"0123456789ab":{"Status":)" +
         std::to_string(status) + R"(,"Name":"x"}}}},"ClusterName":"default"})";
}

class SidecarClientTest : public ::testing::Test {
 protected:
  void TearDown() override {
    server.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }

  ClientConfig config(net::Duration timeout = patient) {
    ClientConfig out;
    out.url.address = server.address();
    out.url.path = "/state.json";
    out.timeout = timeout;
    out.retry_delay = 1ms;
    out.host = "h1";
    return out;
  }
  Observation ask(ClientConfig with) {
    Client client(loop.executor(), std::move(with));
    return loop.run([&] { return client.status(our_id, cancellation); });
  }
  Result<void> drain(ClientConfig with) {
    Client client(loop.executor(), std::move(with));
    return loop.run([&]() -> asio::awaitable<Result<void>> {
      co_return co_await client.drain(our_id, cancellation);
    });
  }
  /// Every connection: one request, these bytes, then the end.
  void always(std::string bytes) {
    server.always([bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
    });
  }
  void always_hang_after(std::string bytes) {
    server.always([bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
      co_await peer.hang();
    });
  }

  test::Loop loop;
  test::ScriptedServer server{loop.executor()};
  net::Cancellation cancellation;
};

void expect_no_answer(const Observation& seen, const std::string& part) {
  const auto* nothing = std::get_if<NoAnswer>(&seen);
  ASSERT_NE(nothing, nullptr) << "taken for a status: " << to_string(std::get<Status>(seen));
  EXPECT_NE(nothing->why.find(part), std::string::npos) << nothing->why;
}

/// As the settings say: https is verified, user and password of the URL go along.
TEST_F(SidecarClientTest, OverTlsWithUserAndPassword) {
  const test::Authority authority;
  test::TlsServer secure(
      loop.executor(), {authority.issue({.alternative_names = "IP:127.0.0.1"})},
      [](const test::TlsRequest& request) {
        if (request.head.find("Authorization: Basic bWU6cHc=") == std::string::npos)
          return answer(401);
        return request.head.starts_with("POST") ? answer(202) : answer(200, state(2));
      });
  Settings settings;
  settings.sidecar_url =
      "https://me:pw@127.0.0.1:" + std::to_string(secure.address().port) + "/state.json";
  settings.http_timeout = patient;
  net::TlsSettings trusting;
  trusting.ca_pem = authority.pem();
  const auto good = client_config(settings, "h1", trusting);
  ASSERT_TRUE(good) << good.error().message;
  const auto seen = ask(*good);
  ASSERT_TRUE(std::holds_alternative<Status>(seen)) << std::get<NoAnswer>(seen).why;
  EXPECT_EQ(std::get<Status>(seen), Status::unhealthy);
  const auto drained = drain(*good);
  EXPECT_TRUE(drained) << drained.error().message;
  auto by_the_system = client_config(settings, "h1");
  ASSERT_TRUE(by_the_system) << by_the_system.error().message;
  by_the_system->retries = 0;
  expect_no_answer(ask(*by_the_system), "certificate refused");
  secure.stop();
}

TEST_F(SidecarClientTest, AnAuthorityThatCannotBeReadNamesTheSetting) {
  Settings settings;
  settings.sidecar_url = "https://h/state.json";
  net::TlsSettings nothing;
  nothing.ca_file = "/nowhere/ca.pem";
  const auto config = client_config(settings, "h1", nothing);
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().message.find("EXECUTOR_SIDECAR_URL"), std::string::npos)
      << config.error().message;
}

TEST_F(SidecarClientTest, EachStatus) {
  for (int status = 0; status <= 4; ++status) {
    always(answer(200, state(status)));
    const auto seen = ask(config());
    ASSERT_TRUE(std::holds_alternative<Status>(seen)) << status;
    EXPECT_EQ(std::get<Status>(seen), static_cast<Status>(status));
  }
  for (const int other : {5, 99, -1}) {
    always(answer(200, state(other)));
    EXPECT_EQ(std::get<Status>(ask(config())), Status::unknown) << other;
  }
  EXPECT_EQ(server.requests().front().method, "GET");
  EXPECT_EQ(server.requests().front().target, "/state.json");
}

TEST_F(SidecarClientTest, Chunked) {
  std::string bytes = test::chunked_head();
  for (const char c : state(2)) bytes += test::chunk(std::string(1, c));
  always(bytes + test::chunk(""));
  EXPECT_EQ(std::get<Status>(ask(config())), Status::unhealthy);
}

TEST_F(SidecarClientTest, AnswersThatAreNone) {
  const std::pair<std::string, const char*> answers[] = {
      {answer(500, state(2)), "/state.json: HTTP 500"},
      {answer(302, "", "Location: /other\r\n"), "HTTP 302"},
      {answer(404, state(2)), "HTTP 404"},
      {answer(204), "HTTP 204"},
      {answer(200, "<html>Bad gateway</html>"), "no Sidecar state document"},
      {answer(200, ""), "no Sidecar state document"},
      {answer(200, state(2).substr(0, 60)), "was cut off"},
      {answer(200, state(2)).substr(0, 100), "cut off"},
      {answer(200, R"({"Servers":{"h2":{}}})"), "host h1 is not in"},
      {answer(200, R"({"Servers":{"h1":{"Services":null}}})"), "service 0123456789ab is not in"},
      {"HTTP/1.1 2oo ok\r\n\r\n", "not an HTTP answer"},
      {"", "closed"},
  };
  for (const auto& [bytes, why] : answers) {
    always(bytes);
    expect_no_answer(ask(config()), why);
  }
}

TEST_F(SidecarClientTest, Down) {
  const test::RefusedPort refused;
  auto with = config();
  with.url.address = refused.address();
  expect_no_answer(ask(with), "refused");
}

TEST_F(SidecarClientTest, RetriesUntilItAnswers) {
  auto with = config();
  with.retries = 2;
  with.retry_delay = 30ms;
  server.next([](Peer& peer) -> asio::awaitable<void> { co_await peer.request(); });
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(answer(503));
  });
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(answer(200, state(1)));
  });
  const auto began = Clock::now();
  EXPECT_EQ(std::get<Status>(ask(with)), Status::tombstone);
  EXPECT_EQ(server.connections(), 3);
  EXPECT_GE(Clock::now() - began, 60ms) << "two delays";
}

TEST_F(SidecarClientTest, RetriesAreAsManyAsSet) {
  auto with = config();
  with.retries = 2;
  always(answer(500));
  expect_no_answer(ask(with), "HTTP 500");
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(SidecarClientTest, AMissingServiceIsNotAskedForAgain) {
  auto with = config();
  with.retries = 5;
  always(answer(200, R"({"Servers":{}})"));
  expect_no_answer(ask(with), "host h1");
  EXPECT_EQ(server.connections(), 1);
}

/// The message must not differ from poll to poll, or each is logged as news.
TEST_F(SidecarClientTest, DrippingIsBoundedByHttpTimeoutInTotalAndSaysTheSameEachTime) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{\"a\":\"");
    for (;;) co_await peer.drip("x", 7ms);
  });
  std::string first;
  for (int poll = 0; poll < 4; ++poll) {
    const auto began = Clock::now();
    const auto seen = ask(config(150ms));
    const auto took = Clock::now() - began;
    EXPECT_GE(took, 149ms);
    EXPECT_LT(took, 5s);
    expect_no_answer(seen, "HttpTimeout of 150 ms");
    if (poll == 0) first = std::get<NoAnswer>(seen).why;
    EXPECT_EQ(std::get<NoAnswer>(seen).why, first);
  }
}

TEST_F(SidecarClientTest, SlowerThanHttpTimeout) {
  always_hang_after("");
  expect_no_answer(ask(config(60ms)), "no answer within 60 ms");
  always_hang_after("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
  expect_no_answer(ask(config(60ms)), "HttpTimeout of 60 ms");
}

/// The server would send for ever: only the client's closing ends its script.
TEST_F(SidecarClientTest, StopsAndClosesOnceOurEntryWasRead) {
  bool closed = false;
  server.next([&closed](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n" +
                       state(2).substr(0, state(2).size() - 20));
    try {
      co_await peer.hang();
    } catch (const boost::system::system_error&) {
      closed = true;
    }
  });
  EXPECT_EQ(std::get<Status>(ask(config())), Status::unhealthy);
  loop.until([&] { return closed; }, "the connection to be closed");
}

TEST_F(SidecarClientTest, CancelledInEachPhaseItEndsAtOnce) {
  for (const char* sent : {"", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"}) {
    always_hang_after(sent);
    net::Cancellation cancel;
    Client client(loop.executor(), config(10min));
    const auto requests = server.requests().size();
    auto asked = loop.start([&] { return client.status(our_id, cancel); });
    loop.until([&] { return server.requests().size() > requests; }, "the request");
    cancel.cancel();
    EXPECT_TRUE(std::holds_alternative<NoAnswer>(loop.finish(asked)));
  }
  // While it waits for the next try.
  always(answer(500));
  auto with = config();
  with.retries = 1;
  with.retry_delay = 10min;
  net::Cancellation cancel;
  Client client(loop.executor(), with);
  const int connections = server.connections();
  auto asked = loop.start([&] { return client.status(our_id, cancel); });
  loop.until([&] { return server.connections() > connections && server.open() == 0; },
             "the first answer");
  cancel.cancel();
  EXPECT_TRUE(std::holds_alternative<NoAnswer>(loop.finish(asked)));
  EXPECT_EQ(server.connections(), connections + 1);
}

// ---- 200 MB ------------------------------------------------------------------------------------

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST_F(SidecarClientTest, TwoHundredMegabytesInConstantMemory) {
  constexpr std::size_t total = 200 * 1024 * 1024;
  std::string hosts;
  for (int i = 0; i < 180; ++i) {
    hosts +=
        R"("other)" + std::to_string(i) +
        R"(":{"Name":"x","Services":{"aaaaaaaaaaaa":{"ID":"aaaaaaaaaaaa","Image":"web:1.2",)"
        R"("Ports":[{"Type":"tcp","Port":31001}],"Updated":"2026-01-02T03:04:05Z","Status":2}}},)";
  }
  std::size_t sent = 0;
  const auto serve = [&](std::size_t size) {
    server.next([&hosts, &sent, size](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(test::chunked_head() + test::chunk(R"({"Servers":{)"));
      const std::string block = test::chunk(hosts);
      for (sent = 0; sent < size; sent += hosts.size()) co_await peer.send(block);
      co_await peer.send(test::chunk(state(2).substr(12)) + test::chunk(""));
    });
  };
  serve(1024 * 1024);  // what a first poll needs is there
  ASSERT_EQ(std::get<Status>(ask(config())), Status::unhealthy);
  const long before = peak_kib();
  serve(total);
  EXPECT_EQ(std::get<Status>(ask(config())), Status::unhealthy);
  EXPECT_GE(sent, total);
  // The sanitizer keeps what was freed; there only the answer counts.
  if (!test::sanitized) EXPECT_LT(peak_kib() - before, 1024) << "KiB more at the peak";
}

// ---- draining ----------------------------------------------------------------------------------

TEST_F(SidecarClientTest, DrainIsAPostTo202) {
  always(answer(202, "{}"));
  EXPECT_TRUE(drain(config()).has_value());
  ASSERT_EQ(server.requests().size(), 1u);
  EXPECT_EQ(server.requests()[0].method, "POST");
  EXPECT_EQ(server.requests()[0].target, "/api/services/0123456789ab/drain");
}

TEST_F(SidecarClientTest, DrainAcceptedWhateverFollows) {
  always_hang_after("HTTP/1.1 202 Accepted\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_TRUE(drain(config(5s)).has_value());
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(SidecarClientTest, DrainOfAnUnknownServiceIsNotTriedAgain) {
  auto with = config();
  with.retries = 5;
  always(answer(404, R"({"Message":"no such service"})"));
  const auto done = drain(with);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(to_string(done.error().kind), to_string(ErrorKind::not_found));
  EXPECT_NE(done.error().message.find("no such service"), std::string::npos);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(SidecarClientTest, DrainIsTriedAgain) {
  auto with = config();
  with.retries = 2;
  for (const int status : {500, 200, 302}) {
    const int before = server.connections();
    always(answer(status));
    const auto done = drain(with);
    ASSERT_FALSE(done.has_value()) << status;
    EXPECT_NE(done.error().message.find("HTTP " + std::to_string(status)), std::string::npos);
    EXPECT_EQ(server.connections() - before, 3) << status;
  }
}

TEST_F(SidecarClientTest, DrainHangsOrIsDown) {
  always_hang_after("");
  const auto slow = drain(config(60ms));
  ASSERT_FALSE(slow.has_value());
  EXPECT_EQ(to_string(slow.error().kind), to_string(ErrorKind::timeout));
  const test::RefusedPort refused;
  auto with = config();
  with.url.address = refused.address();
  const auto down = drain(with);
  ASSERT_FALSE(down.has_value());
  EXPECT_EQ(to_string(down.error().kind), to_string(ErrorKind::unreachable));
}

}  // namespace
}  // namespace sidecar_executor::sidecar
