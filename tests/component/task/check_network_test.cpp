// HTTP and TCP checks: what each kind of service is taken for.
#include <boost/asio/ip/tcp.hpp>

#include "component/task/check_probe.hpp"
#include "support/tls_server.hpp"

namespace sidecar_executor::task {
namespace {

using test::answer;
using test::chunk;
using test::chunked_head;
using test::Peer;
using test::SeenRequest;

TEST_F(CheckProbeTest, AsksAsAClientInsideOfTheContainer) {
  service.serve([](const SeenRequest&) { return answer(200, "well"); });
  EXPECT_EQ(seen(http("/health?deep=1")), "Answered: HTTP status 200");
  ASSERT_EQ(service.requests().size(), 1U);
  const auto& request = service.requests().front();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/health?deep=1");
  EXPECT_EQ(request.header("Host"), "127.0.0.1:" + std::to_string(service.address().port));
}

struct Answer {
  const char* name;
  std::string bytes;  ///< then the connection ends
  const char* seen;
};

class CheckAnswers : public CheckProbeTest, public ::testing::WithParamInterface<Answer> {};

TEST_P(CheckAnswers, AreTakenFor) {
  service.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(GetParam().bytes);
  });
  const auto result = seen(http());
  EXPECT_EQ(result.substr(0, std::string_view(GetParam().seen).size()), GetParam().seen) << result;
}

INSTANTIATE_TEST_SUITE_P(
    All, CheckAnswers,
    ::testing::Values(
        Answer{"NoContent", answer(204), "Answered: HTTP status 204"},
        Answer{"NotFound", answer(404, "?"), "Answered: HTTP status 404"},
        Answer{"ServerError", answer(500, "broken"), "Answered: HTTP status 500"},
        Answer{"NotModified", answer(304), "Answered: HTTP status 304"},
        Answer{"UntilTheEnd", "HTTP/1.0 200 OK\r\n\r\nall of it", "Answered: HTTP status 200"},
        Answer{"Chunked", chunked_head() + chunk("a") + chunk(""), "Answered: HTTP status 200"},
        Answer{"Empty", "", "NoResult: "}, Answer{"Garbage", "SSH-2.0-x\r\n", "NoResult: "},
        Answer{"CutHead", "HTTP/1.1 200 OK\r\nConte", "NoResult: "},
        Answer{"CutBody", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "NoResult: "},
        Answer{"CutChunks", chunked_head() + chunk("abc"), "NoResult: "},
        Answer{"RedirectElsewhere", answer(302, "", "Location: http://example.com/\r\n"),
               "Answered: HTTP status 302"},
        Answer{"RedirectToNowhere", answer(301), "Answered: HTTP status 301"},
        Answer{"RedirectInACircle", answer(302, "", "Location: /\r\n"),
               "NoResult: more than 10 redirects"}),
    [](const auto& info) { return info.param.name; });

TEST_F(CheckProbeTest, ResetIsNoResult) {
  service.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    peer.reset();
  });
  EXPECT_TRUE(seen(http()).starts_with("NoResult: "));
}

TEST_F(CheckProbeTest, RefusedIsNoResultOfHttp) {
  const test::RefusedPort nobody;
  auto check = http();
  std::get<mesos::HttpCheck>(check.kind).port = nobody.address().port;
  const auto result = seen(check);
  EXPECT_TRUE(result.starts_with("NoResult: ")) << result;
  EXPECT_NE(result.find("Connection refused"), std::string::npos) << result;
}

TEST_F(CheckProbeTest, SilenceEndsWithTheTimeout) {
  const std::vector<std::string> beginnings{"", "HTTP/1.1 200",
                                            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                                            chunked_head() + chunk("abc")};
  for (const auto& beginning : beginnings) {
    service.next([beginning](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      if (!beginning.empty()) co_await peer.send(beginning);
      co_await peer.hang();
    });
    EXPECT_EQ(seen(http("/", brief)), "NoResult: no result within 150 ms") << beginning;
  }
}

/// Bytes that keep coming do not make it any longer.
TEST_F(CheckProbeTest, DripEndsWithTheTimeout) {
  service.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head());
    for (;;) co_await peer.drip(chunk("abc"), 5ms);
  });
  EXPECT_EQ(seen(http("/", brief)), "NoResult: no result within 150 ms");
}

TEST_F(CheckProbeTest, SlowIsWellWithinTheTimeout) {
  service.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.drip(answer(200, "abc"), 1ms);
  });
  EXPECT_EQ(seen(http()), "Answered: HTTP status 200");
}

TEST_F(CheckProbeTest, FollowsRedirectsToTheContainer) {
  service.serve([this](const SeenRequest& request) {
    const std::string port = std::to_string(service.address().port);
    if (request.target == "/") return answer(302, "", "Location: step\r\n");
    if (request.target == "/step")
      return answer(307, "x", "Location: http://localhost:" + port + "/end?a\r\n");
    return answer(request.target == "/end?a" ? 503 : 200);
  });
  EXPECT_EQ(seen(http()), "Answered: HTTP status 503");
  EXPECT_EQ(service.requests().size(), 3U);
}

TEST_F(CheckProbeTest, CertificatesAreNotVerified) {
  const test::Authority authority;
  test::TlsServerOptions options;
  options.identity = authority.issue({.common_name = "somebody else", .valid_for = -60});
  test::TlsServer secure(loop.executor(), options, "well");
  auto check = http();
  auto& kind = std::get<mesos::HttpCheck>(check.kind);
  kind.port = secure.address().port;
  kind.tls = true;
  EXPECT_EQ(seen(check), "Answered: HTTP status 200");
  kind.tls = false;
  EXPECT_TRUE(seen(check).starts_with("NoResult: "));
  kind.tls = true;
  kind.port = service.address().port;
  service.always(
      [](Peer& peer) -> asio::awaitable<void> { co_await peer.send("HTTP/1.1 200\r\n"); });
  EXPECT_TRUE(seen(check).starts_with("NoResult: ")) << "no TLS there";
  secure.stop();
}

TEST_F(CheckProbeTest, WithoutAnAddressThereIsNoResult) {
  target.v4.clear();
  EXPECT_EQ(seen(http()), "NoResult: the container has no IPv4 address that could be asked");
  EXPECT_EQ(seen(tcp(1)), "NoResult: the container has no IPv4 address that could be asked");
  target.v6.clear();
  EXPECT_EQ(seen(tcp(1, true)), "NoResult: the container has no IPv6 address that could be asked");
  EXPECT_EQ(service.connections(), 0);
}

/// Docker could not be asked since the start: that is no fault of the task.
TEST_F(CheckProbeTest, WhereTheContainerIsMayNotBeKnownYet) {
  target = check_target(docker::ContainerState());
  EXPECT_EQ(seen(http()), "NotPerformed: Docker has not told yet where the container is");
  EXPECT_EQ(seen(tcp(1)), "NotPerformed: Docker has not told yet where the container is");
}

TEST_F(CheckProbeTest, CancelledItEndsAtOnce) {
  service.always([](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  auto check = http("/", net::Duration::max());
  auto running = loop.start([&] { return probe.run(check, target); });
  loop.until([&] { return service.connections() == 1; }, "the request");
  cancellation.cancel();
  loop.finish(running, 5s);
}

// ---- TCP ---------------------------------------------------------------------------------------

TEST_F(CheckProbeTest, ConnectsAndSaysNothing) {
  std::string came = "nothing";
  service.always([&came](Peer& peer) -> asio::awaitable<void> {
    co_await peer.hang();
    came = "the end";
  });
  EXPECT_EQ(seen(tcp(service.address().port)), "Connected: connected");
  loop.until([&] { return service.connections() == 1 && service.open() == 0; }, "the end");
  EXPECT_TRUE(service.requests().empty());
}

TEST_F(CheckProbeTest, ConnectsByIpV6) {
  asio::ip::tcp::acceptor listener(loop.context(), {asio::ip::address_v6::loopback(), 0});
  EXPECT_EQ(seen(tcp(listener.local_endpoint().port(), true)), "Connected: connected");
  EXPECT_TRUE(seen(tcp(listener.local_endpoint().port())).starts_with("NotConnected: "))
      << "nobody listens there by IPv4";
}

TEST_F(CheckProbeTest, RefusedIsNotConnected) {
  const test::RefusedPort nobody;
  EXPECT_EQ(
      seen(tcp(nobody.address().port)),
      "NotConnected: 127.0.0.1:" + std::to_string(nobody.address().port) + ": Connection refused");
}

TEST_F(CheckProbeTest, AFullQueueIsNoResult) {
  const test::DeafServer deaf;
  EXPECT_EQ(seen(tcp(deaf.address().port, false, brief)), "NoResult: no result within 150 ms");
}

}  // namespace
}  // namespace sidecar_executor::task
