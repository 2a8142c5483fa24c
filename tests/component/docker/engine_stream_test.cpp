// The long calls: pull, wait, logs. They last as long as they need and end when they are told to.

#include "component/docker/engine_test.hpp"

namespace sidecar_executor::docker {
namespace {

// ---- pull --------------------------------------------------------------------------------------

const std::string begin_line = R"({"status":"Pulling from team/app","id":"1.0"})"
                               "\r\n";
std::string layer_line(const std::string& layer, const std::string& status, int current = 0,
                       int total = 0) {
  return R"({"status":")" + status + R"(","progressDetail":{"current":)" + std::to_string(current) +
         R"(,"total":)" + std::to_string(total) + R"(},"id":")" + layer + "\"}\r\n";
}
const std::string end_lines = R"({"status":"Digest: sha256:0123"})"
                              "\r\n"
                              R"({"status":"Status: Downloaded newer image for team/app:1.0"})"
                              "\r\n";

class PullTest : public EngineTest {
 protected:
  asio::awaitable<Result<void>> pull() {
    return engine->pull(image, auth, progress, [this] { ++pieces; }, cancellation);
  }
  Result<void> pulled() {
    progress = PullProgress();
    return loop.run([&] { return pull(); });
  }

  ImageRef image{.name = "host:5000/team/app", .tag = "1.0", .digest = ""};
  std::string auth;
  PullProgress progress;
  int pieces = 0;
};

TEST_F(PullTest, AsksForNameAndTag) {
  make_engine({}, "1.41");
  always_then_close(chunked_head() + chunk(begin_line) + chunk(end_lines) + chunk(""));
  auth = "eyJ1c2VybmFtZSI6ImEifQ==";
  ASSERT_OK(pulled());
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/v1.41/images/create?fromImage=host%3A5000%2Fteam%2Fapp&tag=1.0");
  EXPECT_EQ(last().header("X-Registry-Auth"), auth);
  auth.clear();
  image.digest = "sha256:ab";
  ASSERT_OK(pulled());
  EXPECT_EQ(last().target,
            "/v1.41/images/create?fromImage=host%3A5000%2Fteam%2Fapp&tag=sha256%3Aab");
  for (const auto& [name, value] : last().headers) EXPECT_NE(name, "X-Registry-Auth");
}

TEST_F(PullTest, TellsProgressAsItComes) {
  net::Signal go_on(loop.executor());
  server.next([&](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head() + chunk(begin_line + layer_line("a", "Downloading", 5, 10)));
    co_await go_on.wait();
    co_await peer.send(chunk(layer_line("a", "Downloading", 7, 10)));
    co_await go_on.wait();
    co_await peer.send(chunk(layer_line("a", "Pull complete") + end_lines) + chunk(""));
    co_await peer.hang();
  });
  auto running = loop.start([&] { return pull(); });
  loop.until([&] { return progress.bytes() == 5; }, "the first layer");
  EXPECT_EQ(pieces, 1);
  go_on.raise();
  loop.until([&] { return progress.bytes() == 7; }, "the second piece");
  go_on.raise();
  ASSERT_OK(loop.finish(running));
  EXPECT_EQ(progress.digest(), "sha256:0123");
  EXPECT_GE(pieces, 3);
}

TEST_F(PullTest, ProgressAtAnyBorder) {
  const std::string lines = begin_line + layer_line("a", "Downloading", 5, 10) + end_lines;
  server.next([&](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.drip(chunked_head() + chunk(lines.substr(0, 17)) + chunk(lines.substr(17)) +
                       chunk(""));
  });
  ASSERT_OK(pulled());
  EXPECT_EQ(progress.digest(), "sha256:0123");
}

TEST_F(PullTest, ErrorInTheStreamWithStatus200) {
  const std::string error = R"({"errorDetail":{"message":"manifest for a:1 not found"},)"
                            R"("error":"manifest for a:1 not found"})";
  always_then_close(chunked_head() + chunk(begin_line) + chunk(error) + chunk(""));
  const auto result = pulled();
  ASSERT_FALSE(result.has_value());
  EXPECT_NE(result.error().message.find("manifest for a:1 not found"), std::string::npos);
  EXPECT_TRUE(pull_is_hopeless(result.error()));
}

TEST_F(PullTest, RefusedBeforeTheStream) {
  struct Case {
    int status;
    std::string message;
    ErrorKind kind;
    bool hopeless;
  };
  for (const Case& c : {Case{404, "pull access denied for a", ErrorKind::not_found, true},
                        Case{500, "dial tcp: i/o timeout", ErrorKind::unavailable, false},
                        Case{400, "invalid reference format", ErrorKind::refused, true}}) {
    always(refusal(c.status, c.message));
    const auto result = pulled();
    EXPECT_ERROR(result, c.kind, c.message);
    EXPECT_EQ(pull_is_hopeless(result.error()), c.hopeless) << c.message;
  }
}

TEST_F(PullTest, RefusalThatNeverEndsTimesOut) {
  make_impatient_engine();
  always_hang(refusal(500, "no").substr(0, 60));
  EXPECT_ERROR(pulled(), ErrorKind::timeout, "no answer within 60 ms");
}

TEST_F(PullTest, CutStream) {
  const std::string bytes = chunked_head() + chunk(begin_line) + chunk(end_lines);
  for (const std::size_t at :
       {bytes.size(), bytes.size() - 1, bytes.size() - 20, bytes.size() / 2}) {
    always_then_close(bytes.substr(0, at));
    EXPECT_ERROR(pulled(), ErrorKind::unreachable, "cut off");
  }
}

TEST_F(PullTest, StreamThatEndsInsideAnObject) {
  always_then_close(chunked_head() + chunk(R"({"status":"Pul)") + chunk(""));
  EXPECT_ERROR(pulled(), ErrorKind::protocol, "");
}

TEST_F(PullTest, StreamThatIsNoJson) {
  always_hang(chunked_head() + chunk("<html>proxy</html>"));
  EXPECT_ERROR(pulled(), ErrorKind::protocol, "");
}

TEST_F(PullTest, SilenceIsTheIdleLimit) {
  make_impatient_engine();
  always_hang();
  EXPECT_ERROR(pulled(), ErrorKind::timeout, "no answer within 60 ms");
  always_hang(chunked_head() + chunk(begin_line));
  EXPECT_ERROR(pulled(), ErrorKind::timeout, "no answer within 60 ms");
}

TEST_F(PullTest, SlowPullIsNotIdle) {
  make_engine({.call = 60ms, .pull_idle = 1s});
  server.next([&](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head());
    for (int i = 1; i <= 40; ++i) {
      co_await peer.send_after(30ms, chunk(layer_line("a", "Downloading", i, 40)));
    }
    co_await peer.send(chunk(end_lines) + chunk(""));
  });
  ASSERT_OK(pulled());
}

TEST_F(PullTest, IsCancelledAtEveryStage) {
  const std::string stages[] = {"", chunked_head(), chunked_head() + chunk(begin_line),
                                chunked_head() + chunk(begin_line) + "10\r\n{\"sta"};
  for (const std::string& stage : stages) {
    always_hang(stage);
    net::Cancellation stop;
    const auto before = server.requests().size();
    auto running = loop.start([&] { return engine->pull(image, "", progress, [] {}, stop); });
    loop.until([&] { return server.requests().size() > before; }, "the request");
    loop.poll();
    ASSERT_FALSE(running.ended());
    stop.cancel();
    EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
    loop.until([&] { return server.open() == 0; }, "the daemon to see that nobody listens");
    progress = PullProgress();
  }
}

TEST_F(PullTest, DoesNotHoldUpOtherCalls) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.hang();
  });
  auto pulling = loop.start([&] { return pull(); });
  loop.until([&] { return !server.requests().empty(); }, "the pull");
  always(answer(200, R"({})"));
  ASSERT_OK(loop.run([&] { return engine->inspect("a"); }));
  EXPECT_FALSE(pulling.ended());
  cancellation.cancel();
  EXPECT_ERROR(loop.finish(pulling, 5s), ErrorKind::cancelled, "cancelled");
}

// ---- wait --------------------------------------------------------------------------------------

class WaitTest : public EngineTest {
 protected:
  Result<void> open(net::HttpConnection& connection, std::string condition = "next-exit") {
    return loop.run([&] { return engine->open_wait(connection, "abc", condition); });
  }
  Result<int> waited(std::string body) {
    always_then_close(chunked_head() + chunk(std::move(body)) + chunk(""));
    auto connection = engine->connection();
    auto opened = open(connection);
    EXPECT_TRUE(opened.has_value());
    return loop.run([&] { return engine->read_wait(connection); });
  }
};

TEST_F(WaitTest, HeadComesEarlyAndTheBodyWithTheExit) {
  make_engine({.call = 60ms}, "1.41");
  net::Signal exit(loop.executor());
  server.next([&](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head(200, "Content-Type: application/json\r\n"));
    co_await exit.wait();
    co_await peer.send(chunk("{\"StatusCode\":7}\n") + chunk(""));
    co_await peer.hang();
  });
  auto connection = engine->connection();
  ASSERT_OK(open(connection));
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/v1.41/containers/abc/wait?condition=next-exit");
  auto waiting = loop.start([&] { return engine->read_wait(connection); });
  // Longer than the limit of a call: a wait has none.
  net::Deadline longer(loop.executor(), 120ms, [] {});
  loop.until([&] { return longer.expired(); }, "longer than a call may take");
  EXPECT_FALSE(waiting.ended());
  exit.raise();
  const auto code = loop.finish(waiting);
  ASSERT_OK(code);
  EXPECT_EQ(*code, 7);
}

TEST_F(WaitTest, ExitCodes) {
  for (const int code : {0, 1, 137, 139, 255}) {
    const auto waited_code =
        waited("{\"Error\":null,\"StatusCode\":" + std::to_string(code) + "}\n");
    ASSERT_OK(waited_code);
    EXPECT_EQ(*waited_code, code);
  }
  const auto with_text = waited(R"({"StatusCode":127,"Error":{"Message":"start failed"}})");
  ASSERT_OK(with_text);
  EXPECT_EQ(*with_text, 127);
}

TEST_F(WaitTest, AWaitThatFailedIsNoExit) {
  EXPECT_ERROR(waited(R"({"StatusCode":-1,"Error":{"Message":"context canceled"}})"),
               ErrorKind::unavailable, "context canceled");
}

TEST_F(WaitTest, BadBodies) {
  for (const std::string body :
       {"{}", "[]", "null", "{\"StatusCode\":\"0\"}", "{\"StatusCode\":null}", "{\"StatusCode\":0",
        "{\"StatusCode\":99999999999999999999}", "exit 0", "\n"}) {
    EXPECT_ERROR(waited(body), ErrorKind::protocol, "wait");
  }
}

TEST_F(WaitTest, RefusedAtTheOpening) {
  always(refusal(404, "No such container: abc"));
  auto connection = engine->connection();
  EXPECT_ERROR(open(connection), ErrorKind::not_found, "No such container: abc");
  always(refusal(500, "no"));
  auto other = engine->connection();
  EXPECT_ERROR(open(other, "not-running"), ErrorKind::unavailable, "no");
}

TEST_F(WaitTest, DaemonThatDoesNotAnswerTheOpening) {
  make_impatient_engine();
  always_hang();
  auto connection = engine->connection();
  EXPECT_ERROR(open(connection), ErrorKind::timeout, "no answer within 60 ms");
}

TEST_F(WaitTest, DaemonThatGoesAwayIsNoExit) {
  const std::string bytes = chunked_head() + chunk("{\"StatusCode\":0}\n");
  for (const std::size_t at : {chunked_head().size(), bytes.size() - 1, bytes.size()}) {
    always_then_close(bytes.substr(0, at));
    auto connection = engine->connection();
    ASSERT_OK(open(connection));
    EXPECT_ERROR(loop.run([&] { return engine->read_wait(connection); }), ErrorKind::unreachable,
                 "cut off");
  }
}

TEST_F(WaitTest, EndsByClose) {
  always_hang(chunked_head());
  auto connection = engine->connection();
  ASSERT_OK(open(connection));
  auto waiting = loop.start([&] { return engine->read_wait(connection); });
  loop.poll();
  ASSERT_FALSE(waiting.ended());
  connection.close();
  EXPECT_ERROR(loop.finish(waiting, 5s), ErrorKind::cancelled, "cancelled");
}

TEST_F(WaitTest, EndlessBody) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head());
    for (;;) co_await peer.send(chunk(std::string(64 * 1024, ' ')));
  });
  auto connection = engine->connection();
  ASSERT_OK(open(connection));
  EXPECT_ERROR(loop.run([&] { return engine->read_wait(connection); }), ErrorKind::too_large,
               "4194304");
}

// ---- logs --------------------------------------------------------------------------------------

TEST_F(EngineTest, LogsAskAsTold) {
  make_engine({}, "1.41");
  always_hang(chunked_head() + chunk("frame"));
  auto connection = engine->connection();
  Engine::LogQuery query;
  query.since = "1700000000.5";
  query.follow = true;
  query.timestamps = true;
  ASSERT_OK(loop.run([&] { return engine->open_logs(connection, "abc", query); }));
  EXPECT_EQ(last().method, "GET");
  EXPECT_TRUE(
      last().target.starts_with("/v1.41/containers/abc/logs?stdout=1&stderr=1"
                                "&since=1700000000.5&follow=1&timestamps=1"))
      << last().target;
  std::string text(100, '\0');
  const auto got = loop.run([&] { return connection.read_some(text.data(), text.size(), 20s); });
  ASSERT_OK(got);
  EXPECT_EQ(text.substr(0, *got), "frame");
}

TEST_F(EngineTest, LogsRefused) {
  always(refusal(404, "No such container: abc"));
  auto connection = engine->connection();
  EXPECT_ERROR(loop.run([&] { return engine->open_logs(connection, "abc", {}); }),
               ErrorKind::not_found, "No such container: abc");
}

// ---- the end of the process --------------------------------------------------------------------

TEST_F(EngineTest, CloseEndsWhatWaits) {
  always_hang();
  auto stopping = loop.start([&] { return engine->stop("abc", 1h); });
  auto inspecting = loop.start([&] { return engine->inspect("abc"); });
  loop.until([&] { return server.requests().size() == 2; }, "both requests");
  engine->close();
  EXPECT_ERROR(loop.finish(stopping, 5s), ErrorKind::cancelled, "cancelled");
  EXPECT_ERROR(loop.finish(inspecting, 5s), ErrorKind::cancelled, "cancelled");
}

}  // namespace
}  // namespace sidecar_executor::docker
