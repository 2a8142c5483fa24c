// Whole exchanges that go well, over TCP and over a unix socket; and which connection they use.

#include "component/net/http_test.hpp"

namespace sidecar_executor::net {
namespace {

TEST_F(HttpTest, SendsTheRequestAsAsked) {
  server.next(answer_and_close(answer(200, "hello", "X-One: 1\r\nx-two: 2\r\n")));
  HttpConnection connection = connect();
  HttpRequest request{.method = "POST", .target = "/a/b?c=d%20e"};
  request.headers = {{"X-Token", "secret"}};
  request.body = R"({"a":1})";
  request.content_type = "application/json";
  const auto response = exchange(connection, request);
  ASSERT_OK(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "hello");
  EXPECT_EQ(response->header("x-ONE"), "1");
  EXPECT_EQ(response->header("X-Two"), "2");
  EXPECT_EQ(response->header("X-Three"), "");
  ASSERT_EQ(server.requests().size(), 1u);
  const SeenRequest& seen = server.requests()[0];
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.target, "/a/b?c=d%20e");
  EXPECT_EQ(seen.header("X-Token"), "secret");
  EXPECT_EQ(seen.header("Content-Type"), "application/json") << "exactly so: Mesos refuses others";
  EXPECT_EQ(seen.header("Host"), server.address().authority());
  EXPECT_EQ(seen.body, R"({"a":1})");
}

TEST_F(HttpTest, PostWithoutBodyHasALength) {
  server.next(answer_and_close(answer(204)));
  HttpConnection connection = connect();
  ASSERT_OK(exchange(connection, {.method = "POST", .target = "/containers/a/start"}));
  EXPECT_EQ(server.requests()[0].header("Content-Length"), "0");
}

TEST_F(HttpTest, BodyOfAMebibyteBothWays) {
  const std::string big(1024 * 1024, 'x');
  server.serve([](const SeenRequest& request) { return answer(200, request.body + "!"); });
  HttpConnection connection = connect();
  const auto response = exchange(connection, {.method = "POST", .body = big});
  ASSERT_OK(response);
  EXPECT_EQ(response->body, big + "!");
}

TEST_F(HttpTest, KeepAliveUsesOneConnection) {
  server.serve([](const SeenRequest& request) { return answer(200, request.target); });
  HttpConnection connection = connect();
  for (const std::string target : {"/1", "/2", "/3"}) {
    const auto response = exchange(connection, {.target = target});
    ASSERT_OK(response);
    EXPECT_EQ(response->body, target);
    EXPECT_TRUE(connection.is_reusable());
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpTest, ConnectFirstThenExchangeIsOneConnection) {
  server.serve([](const SeenRequest&) { return answer(200); });
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.connect(patient); }));
  EXPECT_TRUE(connection.is_open());
  ASSERT_OK(exchange(connection));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpTest, StaleKeepAliveConnectionIsReplaced) {
  server.next(answer_and_close(answer(200, "first")));
  server.next(answer_and_close(answer(200, "second")));
  HttpConnection connection = connect();
  ASSERT_OK(exchange(connection));
  loop.until([&] { return !connection.is_reusable(); }, "the server's close to be seen");
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "second");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpTest, KeepAliveConnectionThatWasResetIsReplaced) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(answer(200));
    co_await asio::post(asio::use_awaitable);
    peer.reset();
  });
  server.next(answer_and_close(answer(200, "second")));
  HttpConnection connection = connect();
  const auto first = exchange(connection);  // the reset may come before the answer was read
  loop.until([&] { return !connection.is_reusable(); }, "the reset to be seen");
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "second");
}

TEST_F(HttpTest, BytesBehindAnAnswerAreNotTheNextAnswer) {
  server.next(answer_and_hang(answer(200, "one") + answer(200, "forged")));
  server.next(answer_and_close(answer(200, "two")));
  HttpConnection connection = connect();
  const auto one = exchange(connection);
  ASSERT_OK(one);
  EXPECT_EQ(one->body, "one");
  EXPECT_FALSE(connection.is_reusable());
  const auto two = exchange(connection);
  ASSERT_OK(two);
  EXPECT_EQ(two->body, "two");
}

TEST_F(HttpTest, ConnectionCloseIsNotReused) {
  server.always(answer_and_hang(answer(200, "x", "Connection: close\r\n")));
  HttpConnection connection = connect();
  ASSERT_OK(exchange(connection));
  EXPECT_FALSE(connection.is_open());
  ASSERT_OK(exchange(connection));
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(HttpTest, BodyUntilTheEndOfTheConnection) {
  server.next(answer_and_close("HTTP/1.1 200 OK\r\n\r\nall that comes"));
  HttpConnection connection = connect();
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "all that comes");
  EXPECT_FALSE(connection.is_open());
}

TEST_F(HttpTest, OldServersSpeak10) {
  server.next(answer_and_close("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  HttpConnection connection = connect();
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "ok");
  EXPECT_FALSE(connection.is_reusable());
}

TEST_F(HttpTest, NoContentHasNoBodyAndKeepsTheConnection) {
  for (const int status : {204, 304}) {
    server.next(answer_and_hang(answer(status)));
    HttpConnection connection = connect();
    const auto response = exchange(connection);
    ASSERT_OK(response);
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->body, "");
    EXPECT_TRUE(connection.is_reusable());
  }
}

TEST_F(HttpTest, EveryStatusIsAnAnswer) {
  server.serve([](const SeenRequest& request) {
    return answer(std::stoi(request.target.substr(1)), "text");
  });
  HttpConnection connection = connect();
  for (const int status : {200, 201, 302, 400, 404, 409, 500, 503, 599}) {
    const auto response = exchange(connection, {.target = "/" + std::to_string(status)});
    ASSERT_OK(response);
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->body, "text");
  }
}

/// RFC 9110, 15.2: they may come unasked, and the answer is still to come.
TEST_F(HttpTest, InterimAnswersAreNotTheAnswer) {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  for (const std::string& before :
       {std::string("HTTP/1.1 100 Continue\r\n\r\n"), hints, hints + hints}) {
    server.next([&before](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      for (const char byte : before) co_await peer.send(std::string(1, byte));
      co_await peer.send(answer(200, "one"));
      co_await peer.request();
      co_await peer.send(before + answer(204));
      co_await peer.hang();
    });
    HttpConnection connection = connect();
    const auto one = exchange(connection);
    ASSERT_OK(one);
    EXPECT_EQ(one->status, 200);
    EXPECT_EQ(one->body, "one");
    EXPECT_EQ(one->header("Link"), "");
    const auto two = exchange(connection);
    ASSERT_OK(two);
    EXPECT_EQ(two->status, 204);
    EXPECT_TRUE(connection.is_reusable()) << "nothing is left behind";
  }
  EXPECT_EQ(server.connections(), 3) << "kept alive";
}

TEST_F(HttpTest, EndlessInterimAnswersAreNone) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    for (int i = 0; i < 100; ++i) co_await peer.send("HTTP/1.1 102 Processing\r\n\r\n");
    co_await peer.hang();
  });
  HttpConnection connection = connect();
  EXPECT_ERROR(exchange(connection), ErrorKind::protocol, "not an HTTP answer");
}

/// A token with the line end of its file would end the headers, and show itself to nobody.
TEST_F(HttpTest, HeadersWithControlCharactersAreNotSent) {
  for (const std::string value : {"s.hush\n", "a\r\nX-Evil: 1",
                                  "a\x01"
                                  "b",
                                  "\x7f"}) {
    HttpConnection connection = connect();
    HttpRequest request;
    request.headers = {{"X-Vault-Token", value}};
    const auto got = exchange(connection, request);
    EXPECT_ERROR(got, ErrorKind::invalid, "header X-Vault-Token");
    EXPECT_EQ(got.error().message.find("hush"), std::string::npos);
  }
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(HttpTest, OverAUnixSocket) {
  TempDir dir;
  ScriptedServer on_path(loop.executor(), dir / "docker.sock");
  on_path.serve([](const SeenRequest& request) { return answer(200, request.header("Host")); });
  {
    HttpConnection connection(loop.executor(), on_path.address());
    for (int i = 0; i < 2; ++i) {
      const auto response = exchange(connection);
      ASSERT_OK(response);
      EXPECT_EQ(response->body, "localhost");
    }
  }
  EXPECT_EQ(on_path.connections(), 1);
  on_path.stop();
}

TEST_F(HttpTest, LocalhostIsTriedOnEveryFamily) {
  server.serve([](const SeenRequest&) { return answer(200); });
  Address address = server.address();
  address.host = "localhost";
  HttpConnection connection(loop.executor(), address);
  EXPECT_TRUE(exchange(connection).has_value());
}

// ---- bytes at any border -----------------------------------------------------------------------

TEST_F(HttpTest, AnswerOfSingleBytes) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.drip(answer(200, "drip drop", "X-A: b\r\n"));
  });
  HttpConnection connection = connect();
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "drip drop");
  EXPECT_EQ(response->header("X-A"), "b");
}

TEST_F(HttpTest, ChunksOfSingleBytes) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.drip(chunked_head() + chunk("a") + chunk(""));
  });
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.drip(chunked_head() + chunk("hello ") + "6;ext=\"1\"\r\nworld!\r\n" +
                       "0\r\nX-Trailer: t\r\n\r\n");
  });
  HttpConnection first = connect();
  const auto one = exchange(first);
  ASSERT_OK(one);
  EXPECT_EQ(one->body, "a");
  HttpConnection second = connect();
  const auto two = exchange(second);
  ASSERT_OK(two);
  EXPECT_EQ(two->body, "hello world!");
}

TEST_F(HttpTest, ChunkedAnswerCutInTwoAtEveryByte) {
  const std::string bytes = chunked_head() + chunk("hello ") + chunk("world") + chunk("");
  server.always([&bytes](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const SeenRequest request = co_await peer.request();
      const auto at = static_cast<std::size_t>(std::stoi(request.target.substr(1)));
      co_await peer.send(bytes.substr(0, at));
      for (int i = 0; i < 3; ++i) co_await asio::post(asio::use_awaitable);
      co_await peer.send(bytes.substr(at));
    }
  });
  HttpConnection connection = connect();
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    const auto response = exchange(connection, {.target = "/" + std::to_string(at)});
    ASSERT_OK(response);
    EXPECT_EQ(response->body, "hello world") << "cut at " << at;
  }
  EXPECT_EQ(server.connections(), 1) << "a chunked answer keeps the connection";
}

// ---- answers read as they come -----------------------------------------------------------------

TEST_F(HttpTest, OpenGivesTheHeadBeforeTheBody) {
  Signal body_wanted(loop.executor());
  server.next([&](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head(200, "Api-Version: 1.41\r\n"));
    co_await body_wanted.wait();
    co_await peer.send(chunk("late") + chunk(""));
    co_await peer.hang();
  });
  HttpConnection connection = connect();
  const auto head = loop.run([&] { return connection.open({}, patient); });
  ASSERT_OK(head);
  EXPECT_EQ(head->header("Api-Version"), "1.41");
  EXPECT_EQ(head->body, "");
  body_wanted.raise();
  std::string text;
  ASSERT_OK(read_some(connection, text));
  EXPECT_EQ(text, "late");
  for (int i = 0; i < 2; ++i) {
    const auto end = read_some(connection, text);
    ASSERT_OK(end);
    EXPECT_EQ(*end, 0u) << "the end stays the end";
  }
  EXPECT_TRUE(connection.is_reusable());
}

TEST_F(HttpTest, TheEndStaysTheEndWhenTheConnectionCloses) {
  server.next(answer_and_close(answer(200, "abc", "Connection: close\r\n")));
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  std::string text;
  ASSERT_OK(read_some(connection, text));
  EXPECT_EQ(text, "abc");
  for (int i = 0; i < 2; ++i) {
    const auto end = read_some(connection, text);
    ASSERT_OK(end);
    EXPECT_EQ(*end, 0u);
  }
  EXPECT_FALSE(connection.is_open());
}

TEST_F(HttpTest, AnExchangeAfterAnUnreadBodyOpensAnother) {
  server.next(answer_and_hang(chunked_head() + chunk("unread")));
  server.next(answer_and_close(answer(200, "new")));
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "new");
}

TEST_F(HttpTest, SmallBufferGetsTheBodyInPieces) {
  server.next(answer_and_close(answer(200, "abcdefgh")));
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  std::string all;
  char three[3];
  for (;;) {
    const auto got = loop.run([&] { return connection.read_some(three, sizeof three, patient); });
    ASSERT_OK(got);
    if (*got == 0) break;
    all.append(three, *got);
  }
  EXPECT_EQ(all, "abcdefgh");
}

TEST_F(HttpTest, MovedConnectionGoesOn) {
  server.serve([](const SeenRequest&) { return answer(200); });
  HttpConnection first = connect();
  ASSERT_OK(exchange(first));
  HttpConnection second = std::move(first);
  EXPECT_TRUE(second.is_reusable());
  ASSERT_OK(exchange(second));
  EXPECT_EQ(server.connections(), 1);
}

}  // namespace
}  // namespace sidecar_executor::net
