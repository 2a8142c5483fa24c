// Limits, cancellation and close(): every operation ends, and says why.

#include "component/net/http_test.hpp"

namespace sidecar_executor::net {
namespace {

using Clock = std::chrono::steady_clock;

test::Script silent() {
  return [](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); };
}

/// How long a call took: not shorter than the limit, and far from a hang.
class Stopwatch {
 public:
  void expect_about(Duration limit) const {
    const Duration took = Clock::now() - began_;
    EXPECT_GE(took, limit - 1ms);
    EXPECT_LT(took, limit + 5s);
  }

 private:
  Clock::time_point began_ = Clock::now();
};

TEST_F(HttpTest, SilentServerTimesOutWithTheLimitInTheMessage) {
  const Stopwatch watch;
  EXPECT_ERROR(exchange_with(silent(), brief), ErrorKind::timeout,
               server.address().display() + ": no answer within 60 ms");
  watch.expect_about(brief);
}

TEST_F(HttpTest, WholeSecondsAreSeconds) {
  EXPECT_EQ(limit_text(10s), "10 s");
  EXPECT_EQ(limit_text(250ms), "250 ms");
  EXPECT_EQ(limit_text(1500ms), "1500 ms");
}

TEST_F(HttpTest, HangInTheHead) {
  EXPECT_ERROR(exchange_with(answer_and_hang("HTTP/1.1 200 OK\r\nContent-"), brief),
               ErrorKind::timeout, "no answer within 60 ms");
}

TEST_F(HttpTest, HangInTheBodyNamesTheWholeLimit) {
  const Stopwatch watch;
  EXPECT_ERROR(exchange_with(answer_and_hang(answer(200, "1234").substr(0, 40)), brief),
               ErrorKind::timeout, "no answer within 60 ms");
  watch.expect_about(brief);
}

TEST_F(HttpTest, TheLimitIsForTheWholeExchange) {
  // Bytes keep coming, each before any idle limit; only the sum is too much.
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head());
    for (;;) co_await peer.drip(chunk("x"), 2ms);
  });
  HttpConnection connection = connect();
  const Stopwatch watch;
  EXPECT_ERROR(exchange(connection, {}, 150ms), ErrorKind::timeout, "no answer within 150 ms");
  watch.expect_about(150ms);
}

TEST_F(HttpTest, ServerThatReadsNothing) {
  server.next([](Peer& peer) -> asio::awaitable<void> { co_await peer.until_shutdown(); });
  HttpConnection connection = connect();
  EXPECT_ERROR(exchange(connection, {.method = "POST", .body = std::string(64 << 20, 'x')}, 200ms),
               ErrorKind::timeout, "no answer within 200 ms");
}

TEST_F(HttpTest, ConnectHangs) {
  test::DeafServer deaf;
  HttpConnection connection(loop.executor(), deaf.address());
  const Stopwatch watch;
  EXPECT_ERROR(exchange(connection, {}, brief), ErrorKind::timeout,
               deaf.address().display() + ": no answer within 60 ms");
  watch.expect_about(brief);
  EXPECT_FALSE(connection.is_open());
}

TEST_F(HttpTest, UnixSocketWithAFullQueueIsWaitedFor) {
  // connect() says EAGAIN there, which Asio takes for "in progress".
  TempDir dir;
  test::DeafServer deaf(dir / "full.sock");
  HttpConnection connection(loop.executor(), deaf.address());
  const Stopwatch watch;
  EXPECT_ERROR(exchange(connection, {}, brief), ErrorKind::timeout,
               deaf.address().display() + ": no answer within 60 ms");
  watch.expect_about(brief);
}

TEST_F(HttpTest, AConnectionIsUsableAfterATimeout) {
  server.next(silent());
  server.next(answer_and_close(answer(200, "now")));
  HttpConnection connection = connect();
  EXPECT_FALSE(exchange(connection, {}, brief).has_value());
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "now");
}

TEST_F(HttpTest, NoLimitIsNoTimer) {
  server.next(answer_and_close(answer(200, "x")));
  HttpConnection connection = connect();
  EXPECT_TRUE(exchange(connection, {}, Duration::max()).has_value());
}

// ---- the idle limit of read_some ---------------------------------------------------------------

TEST_F(HttpTest, IdleLimitEndsASilentStream) {
  server.next(answer_and_hang(chunked_head() + chunk("first")));
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  std::string text;
  ASSERT_OK(read_some(connection, text, brief));
  const Stopwatch watch;
  EXPECT_ERROR(read_some(connection, text, brief), ErrorKind::timeout, "no answer within 60 ms");
  watch.expect_about(brief);
  EXPECT_FALSE(connection.is_open());
}

TEST_F(HttpTest, IdleLimitDoesNotEndASlowStream) {
  // 40 chunks, 30 ms apart: longer than the limit in all, each well within it.
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head());
    for (int i = 0; i < 40; ++i) co_await peer.send_after(30ms, chunk("x"));
    co_await peer.send(chunk(""));
  });
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  const Stopwatch watch;
  std::size_t bytes = 0;
  for (;;) {
    std::string text;
    const auto got = read_some(connection, text, 1s);
    ASSERT_OK(got);
    if (*got == 0) break;
    bytes += *got;
  }
  EXPECT_EQ(bytes, 40u);
  watch.expect_about(1200ms);
}

TEST_F(HttpTest, ChunkHeadThenSilenceIsATimeout) {
  // The read that took the head of the chunk must not leave a limit behind that looks like close().
  server.next(answer_and_hang(chunked_head() + "5\r\n"));
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  std::string text;
  EXPECT_ERROR(read_some(connection, text, brief), ErrorKind::timeout, "no answer within 60 ms");
}

// ---- cancellation ------------------------------------------------------------------------------

/// Starts an exchange, lets it get to `ready`, cancels, expects `cancelled`.
class CancelTest : public HttpTest {
 protected:
  void cancel_when(const std::function<bool()>& ready, bool by_close) {
    auto cancellation = std::make_unique<Cancellation>();
    auto connection =
        std::make_unique<HttpConnection>(loop.executor(), address, cancellation.get());
    auto running = loop.start([&] { return connection->exchange({}, patient); });
    loop.until(ready, "the exchange to get there");
    loop.poll();
    ASSERT_FALSE(running.ended());
    if (by_close) {
      connection->close();
    } else {
      cancellation->cancel();
    }
    EXPECT_FALSE(running.ended()) << "the operation returns in its own time";
    EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
    EXPECT_FALSE(connection->is_open());
    connection.reset();
    cancellation.reset();
  }
  Address address = server.address();
};

TEST_F(CancelTest, DuringConnect) {
  test::DeafServer deaf;
  address = deaf.address();
  for (const bool by_close : {false, true}) cancel_when([] { return true; }, by_close);
}

TEST_F(CancelTest, DuringConnectToTheFirstOfTwoAddresses) {
  test::DeafServer deaf;
  address = deaf.address();
  address.host = "localhost";  // 127.0.0.1, then ::1: the second must not be tried
  for (const bool by_close : {false, true}) cancel_when([] { return true; }, by_close);
}

TEST_F(CancelTest, DuringConnectToAFullUnixSocket) {
  TempDir dir;
  test::DeafServer deaf(dir / "full.sock");
  address = deaf.address();
  for (const bool by_close : {false, true}) cancel_when([] { return true; }, by_close);
}

TEST_F(CancelTest, DuringTheHead) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send("HTTP/1.1 200");
    co_await peer.hang();
  });
  for (const bool by_close : {false, true}) {
    const auto before = server.requests().size();
    cancel_when([&] { return server.requests().size() > before; }, by_close);
  }
}

TEST_F(CancelTest, DuringTheBody) {
  server.always(answer_and_hang(answer(200, "1234").substr(0, 43)));
  for (const bool by_close : {false, true}) {
    const auto before = server.requests().size();
    cancel_when([&] { return server.requests().size() > before; }, by_close);
  }
}

TEST_F(CancelTest, WhileARequestIsSent) {
  server.next([](Peer& peer) -> asio::awaitable<void> { co_await peer.until_shutdown(); });
  Cancellation cancellation;
  HttpConnection connection = connect(&cancellation);
  auto running = loop.start([&] {
    return connection.exchange({.method = "POST", .body = std::string(64 << 20, 'x')}, patient);
  });
  loop.until([&] { return server.open() == 1; }, "the connection");
  loop.poll();
  ASSERT_FALSE(running.ended());
  cancellation.cancel();
  EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
}

TEST_F(CancelTest, BeforeItBegan) {
  Cancellation cancellation;
  cancellation.cancel();
  HttpConnection connection = connect(&cancellation);
  EXPECT_ERROR(exchange(connection), ErrorKind::cancelled, "cancelled");
  EXPECT_ERROR(loop.run([&] { return connection.connect(patient); }), ErrorKind::cancelled, "");
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CancelTest, BetweenOpenAndRead) {
  server.next(answer_and_hang(answer(200, "text")));
  Cancellation cancellation;
  HttpConnection connection = connect(&cancellation);
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  cancellation.cancel();
  std::string text;
  EXPECT_ERROR(read_some(connection, text), ErrorKind::cancelled, "cancelled");
}

TEST_F(CancelTest, AnAnswerThatIsAlreadyThereLosesAgainstClose) {
  // Both become ready in one turn of the loop: no answer may be told after close().
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(answer(200, "late"));
    co_await peer.hang();
  });
  HttpConnection connection = connect();
  auto running = loop.start([&] { return connection.exchange({}, patient); });
  loop.until([&] { return !server.requests().empty(); }, "the request");
  connection.close();
  EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
}

TEST_F(CancelTest, CloseDuringAReadOfAStream) {
  server.next(answer_and_hang(chunked_head() + chunk("x")));
  auto connection = std::make_unique<HttpConnection>(connect());
  ASSERT_OK(loop.run([&] { return connection->open({}, patient); }));
  std::string text;
  ASSERT_OK(read_some(*connection, text));
  text.assign(100, '\0');
  auto running =
      loop.start([&] { return connection->read_some(text.data(), text.size(), Duration::max()); });
  loop.poll();
  ASSERT_FALSE(running.ended());
  connection->close();
  connection->close();
  EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
  EXPECT_ERROR(read_some(*connection, text), ErrorKind::cancelled, "cancelled");
  connection.reset();
  EXPECT_TRUE(true) << "destroyed after: nothing on the loop refers to it (TearDown, asan)";
}

TEST_F(CancelTest, UsableAgainAfterClose) {
  server.next(silent());
  server.next(answer_and_close(answer(200, "again")));
  HttpConnection connection = connect();
  auto running = loop.start([&] { return connection.exchange({}, patient); });
  loop.until([&] { return server.open() == 1; }, "the connection");
  connection.close();
  EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
  const auto response = exchange(connection);
  ASSERT_OK(response);
  EXPECT_EQ(response->body, "again");
}

TEST_F(CancelTest, DestroyedWithTheLoopWhileItWaits) {
  // The end of a process in the middle of everything: frames are destroyed, not resumed.
  auto own = std::make_unique<Loop>();
  auto other = std::make_unique<ScriptedServer>(own->executor());
  other->always([](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  Cancellation cancellation;
  auto running =
      own->start([&, where = other->address()]() -> asio::awaitable<Result<HttpResponse>> {
        HttpConnection connection(own->executor(), where, &cancellation);
        co_return co_await connection.exchange({}, patient);
      });
  own->until([&] { return other->open() == 1; }, "the connection");
  other.reset();
  own.reset();
  EXPECT_FALSE(running.ended());
}

}  // namespace
}  // namespace sidecar_executor::net
