// Each short call: what it asks, and what it makes of every kind of answer.

#include <random>

#include "component/docker/engine_test.hpp"

namespace sidecar_executor::docker {
namespace {

// ---- version -----------------------------------------------------------------------------------

struct VersionCase {
  std::string offered;    // Api-Version, empty = no such header
  std::string override_;  // DOCKER_API_VERSION
  std::string path;
};

TEST_F(EngineTest, VersionIsTheLowerOfBoth) {
  for (const VersionCase& c :
       {VersionCase{"1.41", "", "/v1.41"}, VersionCase{"1.40", "", "/v1.40"},
        VersionCase{"1.45", "", "/v1.45"}, VersionCase{"1.51", "", "/v1.45"},
        VersionCase{"1.100", "", "/v1.45"}, VersionCase{"", "", ""}, VersionCase{"new", "", ""},
        VersionCase{"2.0", "", ""}, VersionCase{"1.", "", ""}, VersionCase{"1.4x", "", ""},
        VersionCase{"1.41", "1.44", "/v1.44"}, VersionCase{"", "1.39", "/v1.39"}}) {
    SCOPED_TRACE(c.offered + " with override " + c.override_);
    make_engine({}, c.override_);
    server.serve([&](const SeenRequest& request) {
      if (request.target != "/_ping") return answer(200, R"({})");
      return answer(200, "OK", c.offered.empty() ? "" : "Api-Version: " + c.offered + "\r\n");
    });
    const auto said = loop.run([&] { return engine->negotiate(); });
    ASSERT_OK(said);
    EXPECT_NE(said->find("API " + (c.offered.empty() ? "unknown" : c.offered)), std::string::npos)
        << *said;
    ASSERT_OK(loop.run([&] { return engine->inspect("a"); }));
    EXPECT_EQ(last().target, c.path + "/containers/a/json");
    engine.reset();
  }
}

/// dockerd is upgraded, or put back, while the container lives on: live-restore.
TEST_F(EngineTest, AnotherDockerIsAskedForItsVersion) {
  int newest = 43;
  int oldest = 24;
  server.serve([&](const SeenRequest& request) {
    const std::string offered = std::to_string(newest);
    if (request.target == "/_ping") return answer(200, "OK", "Api-Version: 1." + offered + "\r\n");
    const std::string asked = request.target.substr(4, 2);
    if (std::stoi(asked) < oldest)
      return refusal(400, "client version 1." + asked +
                              " is too old. Minimum supported API version is 1." +
                              std::to_string(oldest) + ", please upgrade your client");
    if (std::stoi(asked) > newest)
      return refusal(400, "client version 1." + asked +
                              " is too new. Maximum supported API version is 1." + offered);
    return answer(request.method == "POST" ? 204 : 200, "");
  });
  const auto inspect = [this] { return loop.run([&] { return engine->inspect("a"); }); };
  ASSERT_OK(loop.run([&] { return engine->negotiate(); }));
  ASSERT_OK(inspect());
  EXPECT_EQ(last().target, "/v1.43/containers/a/json");

  newest = 52;
  oldest = 44;
  EXPECT_ERROR(inspect(), ErrorKind::unreachable, "too old");
  ASSERT_OK(inspect());
  EXPECT_EQ(last().target, "/v1.45/containers/a/json");
  EXPECT_EQ(engine->api_minor(), 45);

  newest = 41;
  oldest = 12;
  EXPECT_ERROR(loop.run([&] { return engine->stop("a", 1s); }), ErrorKind::unreachable, "too new");
  ASSERT_OK(loop.run([&] { return engine->stop("a", 1s); }));
  EXPECT_EQ(last().target, "/v1.41/containers/a/stop?t=1");

  newest = 60;
  oldest = 50;
  EXPECT_ERROR(loop.run([&] { return engine->kill("a", "SIGKILL"); }), ErrorKind::unreachable,
               "too old");
  EXPECT_ERROR(inspect(), ErrorKind::unreachable, "client version 1.45 is too old");
  // It takes none of ours, which no waiting cures.
  EXPECT_ERROR(inspect(), ErrorKind::refused, "client version 1.45 is too old");
}

TEST_F(EngineTest, TheVersionThatTheOperatorNamedIsKept) {
  make_engine({}, "1.40");
  always(refusal(400, "client version 1.40 is too old. Minimum supported API version is 1.44"));
  EXPECT_ERROR(loop.run([&] { return engine->inspect("a"); }), ErrorKind::refused, "too old");
  EXPECT_EQ(last().target, "/v1.40/containers/a/json");
}

TEST_F(EngineTest, NegotiateNamesTheDaemon) {
  always(answer(200, "OK", "Api-Version: 1.41\r\nServer: Docker/20.10.5 (linux)\r\n"));
  const auto said = loop.run([&] { return engine->negotiate(); });
  ASSERT_OK(said);
  EXPECT_EQ(*said, "Docker/20.10.5 (linux), API 1.41, using 1.41");
}

TEST_F(EngineTest, NegotiateFailures) {
  always(refusal(500, "starting"));
  EXPECT_ERROR(loop.run([&] { return engine->negotiate(); }), ErrorKind::unavailable, "starting");
  make_impatient_engine();
  always_hang();
  EXPECT_ERROR(loop.run([&] { return engine->negotiate(); }), ErrorKind::timeout,
               server.address().display() + ": no answer within 60 ms");
  test::RefusedPort nobody;
  engine = std::make_unique<Engine>(loop.executor(), EngineAddress{nobody.address(), ""});
  EXPECT_ERROR(loop.run([&] { return engine->negotiate(); }), ErrorKind::unreachable,
               "Connection refused");
}

TEST_F(EngineTest, NegotiateIsCancelled) {
  always_hang();
  auto running = loop.start([&] { return engine->negotiate(&cancellation); });
  loop.until([&] { return !server.requests().empty(); }, "the ping");
  cancellation.cancel();
  EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
}

// ---- what every call has in common -------------------------------------------------------------

/// A call as `Result<void>`, so that one table tries all of them.
struct Call {
  std::string name;
  std::function<asio::awaitable<Result<void>>(Engine&, net::Cancellation&)> run;
  bool needs_json;
};

template <class T>
Result<void> outcome_of(const Result<T>& result) {
  if (!result) return result.error();
  return boost::system::in_place_value;
}

const std::vector<Call>& calls() {
  static const std::vector<Call> all{
      {"inspect_image",
       [](Engine& e, net::Cancellation& c) -> asio::awaitable<Result<void>> {
         co_return outcome_of(co_await e.inspect_image("a/b:1", c));
       },
       true},
      {"create",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return outcome_of(co_await e.create("mesos-1", "{}"));
       },
       true},
      {"connect_network",
       [](Engine& e, net::Cancellation& c) -> asio::awaitable<Result<void>> {
         co_return co_await e.connect_network("n", "id", "{}", c);
       },
       false},
      {"start",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return co_await e.start("id");
       },
       false},
      {"inspect",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return outcome_of(co_await e.inspect("id"));
       },
       false},
      {"stop",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return outcome_of(co_await e.stop("id", 0s));
       },
       false},
      {"kill",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return outcome_of(co_await e.kill("id", "KILL"));
       },
       false},
      {"unpause",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return co_await e.unpause("id");
       },
       false},
      {"remove",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return co_await e.remove("id", true);
       },
       false},
      {"list",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return outcome_of(co_await e.list("{}", true));
       },
       true},
      {"signs_of",
       [](Engine& e, net::Cancellation&) -> asio::awaitable<Result<void>> {
         co_return outcome_of(co_await e.signs_of("id", Engine::WallTime(), Engine::WallTime()));
       },
       true},
  };
  return all;
}

class EveryCall : public EngineTest, public ::testing::WithParamInterface<std::size_t> {
 protected:
  Result<void> call() {
    return loop.run([&] { return calls()[GetParam()].run(*engine, cancellation); });
  }
  [[nodiscard]] const Call& which() const { return calls()[GetParam()]; }
};

INSTANTIATE_TEST_SUITE_P(Engine, EveryCall, ::testing::Range<std::size_t>(0, calls().size()),
                         [](const auto& param) { return calls()[param.param].name; });

TEST_P(EveryCall, ServerErrorIsUnavailableWithDockersWords) {
  always(refusal(500, "disk is full"));
  const auto result = call();
  EXPECT_ERROR(result, ErrorKind::unavailable, "disk is full");
  EXPECT_EQ(result.error().http_status, 500);
}

TEST_P(EveryCall, BadRequestIsRefusedWithDockersWords) {
  always(refusal(400, "invalid reference format"));
  EXPECT_ERROR(call(), ErrorKind::refused, "invalid reference format");
}

TEST_P(EveryCall, ErrorWithoutJsonShowsItsText) {
  always(answer(502, "<html>\nBad gateway</html>"));
  EXPECT_ERROR(call(), ErrorKind::unavailable, "HTTP 502 <html> Bad gateway</html>");
  always(answer(503));
  make_engine({});
  EXPECT_ERROR(call(), ErrorKind::unavailable, "HTTP 503");
}

TEST_P(EveryCall, SilentDaemonTimesOut) {
  make_impatient_engine();
  always_hang();
  EXPECT_ERROR(call(), ErrorKind::timeout, "no answer within 60 ms");
  EXPECT_EQ(server.requests().size(), 1u) << "asked once: repeating is the caller's decision";
}

TEST_P(EveryCall, DaemonThatStopsInTheMiddleTimesOut) {
  make_impatient_engine();
  always_hang(answer(200, std::string(100, ' ')).substr(0, 80));
  EXPECT_ERROR(call(), ErrorKind::timeout, "no answer within 60 ms");
}

TEST_P(EveryCall, CutAnswerIsUnreachable) {
  for (const std::size_t at : {std::size_t{0}, std::size_t{20}, std::size_t{70}}) {
    always_then_close(answer(200, std::string(100, '{')).substr(0, at));
    EXPECT_ERROR(call(), ErrorKind::unreachable, server.address().display());
  }
}

TEST_P(EveryCall, ResetIsUnreachable) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    peer.reset();
  });
  EXPECT_ERROR(call(), ErrorKind::unreachable, "Connection reset by peer");
}

TEST_P(EveryCall, AnotherServerIsABadAnswer) {
  always_then_close("SSH-2.0-OpenSSH\r\n");
  EXPECT_ERROR(call(), ErrorKind::protocol, "not an HTTP answer");
}

TEST_P(EveryCall, GarbageWithSuccessIsABadAnswer) {
  if (!which().needs_json) return;
  const int success = which().name == "create" ? 201 : 200;
  for (const std::string body :
       {"", "null", "[]", "{", "{}", "\"text\"", "{\"Id\":7,\"NCPU\":\"x\"}", "\xff\xfe",
        "{\"Id\":\"a\"} trailing"}) {
    always(answer(success, body));
    make_engine({});
    const auto result = call();
    // An image or a list of nothing is a value; the rest has no use without its fields.
    if (result) {
      EXPECT_TRUE(which().name == "inspect_image" || which().name == "list" ||
                  which().name == "signs_of")
          << body;
    } else {
      EXPECT_EQ(to_string(result.error().kind), to_string(ErrorKind::protocol)) << body;
    }
  }
  const std::string deep(100'000, '[');
  always(answer(success, deep));
  make_engine({});
  EXPECT_ERROR(call(), ErrorKind::protocol, "");
}

TEST_P(EveryCall, HugeAnswerIsTooLarge) {
  // A host may have thousands of containers.
  const std::size_t limit = which().name == "list" ? 64UL << 20 : 4UL << 20;
  always(answer(200, std::string(limit + 1, ' ')));
  EXPECT_ERROR(call(), ErrorKind::too_large, "larger than " + std::to_string(limit) + " bytes");
}

TEST_P(EveryCall, RandomAnswersEnd) {
  std::mt19937 random(7);  // NOLINT: the same bytes in every run
  for (int round = 0; round < 30; ++round) {
    std::string body(random() % 200, '\0');
    constexpr std::string_view letters = "{}[]\":,\\0123456789.eE-+truefalsnl \n\xff\x01IdNCPU";
    for (char& c : body) c = letters[random() % letters.size()];
    const int statuses[] = {200, 201, 204, 304, 400, 404, 409, 500};
    always(answer(statuses[random() % 8], body));
    make_engine({});
    const auto result = call();
    if (!result) {
      EXPECT_FALSE(result.error().message.empty());
      EXPECT_LT(result.error().message.size(), 2000u);
    }
  }
}

TEST_P(EveryCall, ASecondCallDoesNotWaitForOneThatHangs) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.hang();
  });
  auto hanging = loop.start([&] { return calls()[GetParam()].run(*engine, cancellation); });
  loop.until([&] { return !server.requests().empty(); }, "the first request");
  always(refusal(500, "answered"));
  EXPECT_ERROR(call(), ErrorKind::unavailable, "answered");
  EXPECT_FALSE(hanging.ended());
  server.reset_all();
  EXPECT_FALSE(loop.finish(hanging).has_value());
}

// ---- call by call ------------------------------------------------------------------------------

TEST_F(EngineTest, ShortCallsShareAConnection) {
  always(answer(200, R"({})"));
  for (int i = 0; i < 5; ++i) ASSERT_OK(loop.run([&] { return engine->inspect("a"); }));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(EngineTest, ADaemonThatRestartedIsAskedOnANewConnection) {
  always_then_close(answer(200, R"({})"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(loop.run([&] { return engine->inspect("a"); }));
    loop.until([&] { return server.open() == 0; }, "the daemon to close");
  }
  EXPECT_EQ(server.connections(), 3);
}

TEST_F(EngineTest, InspectImage) {
  make_engine({}, "1.41");
  always(answer(200, R"({"Id":"sha256:abc","RepoDigests":["a@sha256:1","b@sha256:2"],"X":1,)"
                     R"("Os":"linux","Architecture":"arm","Variant":"v7"})"));
  const auto image =
      loop.run([&] { return engine->inspect_image("host:5000/team/app:1.2", cancellation); });
  ASSERT_OK(image);
  EXPECT_EQ(image->id, "sha256:abc");
  EXPECT_EQ(image->repo_digests, (std::vector<std::string>{"a@sha256:1", "b@sha256:2"}));
  EXPECT_EQ(to_text(image->platform), "linux/arm/v7");
  EXPECT_EQ(last().method, "GET");
  EXPECT_EQ(last().target, "/v1.41/images/host:5000/team/app:1.2/json");
  always(refusal(404, "No such image: x"));
  make_engine({});
  const auto missing = loop.run([&] { return engine->inspect_image("x", cancellation); });
  EXPECT_ERROR(missing, ErrorKind::not_found, "No such image: x");
}

TEST_F(EngineTest, Create) {
  make_engine({}, "1.41");
  always(answer(201, R"({"Id":"abc","Warnings":["one","two"]})"));
  const auto created = loop.run([&] { return engine->create("mesos-1 2", R"({"Image":"a"})"); });
  ASSERT_OK(created);
  EXPECT_EQ(created->id, "abc");
  EXPECT_EQ(created->warnings, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/v1.41/containers/create?name=mesos-1%202");
  EXPECT_EQ(last().body, R"({"Image":"a"})");
  EXPECT_EQ(last().header("Content-Type"), "application/json");
}

TEST_F(EngineTest, CreateForAPlatform) {
  make_engine({}, "1.41");
  always(answer(201, R"({"Id":"abc"})"));
  ASSERT_OK(loop.run([&] { return engine->create("n", "{}", "linux/arm64"); }));
  EXPECT_EQ(last().target, "/v1.41/containers/create?name=n&platform=linux%2Farm64");
}

TEST_F(EngineTest, ConnectNetwork) {
  make_engine({}, "1.41");
  always(answer(200, "{}"));
  ASSERT_OK(loop.run(
      [&] { return engine->connect_network("a b", "abc", R"({"Aliases":["x"]})", cancellation); }));
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/v1.41/networks/a%20b/connect");
  EXPECT_EQ(last().body, R"({"Container":"abc","EndpointConfig":{"Aliases":["x"]}})");
  always(refusal(404, "network a b not found"));
  make_engine({});
  const auto refused =
      loop.run([&] { return engine->connect_network("a b", "abc", "{}", cancellation); });
  EXPECT_ERROR(refused, ErrorKind::not_found, "network a b not found");
  make_engine({});
  always(refusal(403, "endpoint with name mesos-1 already exists in network a b"));
  ASSERT_OK(loop.run([&] { return engine->connect_network("a b", "abc", "{}", cancellation); }));
}

TEST_F(EngineTest, ConnectNetworkIsCancelled) {
  always_hang();
  auto running =
      loop.start([&] { return engine->connect_network("slow", "abc", "{}", cancellation); });
  loop.until([&] { return !server.requests().empty(); }, "the call");
  cancellation.cancel();
  EXPECT_FALSE(loop.finish(running, 5s)) << "its limit is two minutes";
}

TEST_F(EngineTest, CreateWithoutWarnings) {
  for (const std::string warnings : {"null", "[]"}) {
    always(answer(201, R"({"Id":"abc","Warnings":)" + warnings + "}"));
    make_engine({});
    const auto created = loop.run([&] { return engine->create("n", "{}"); });
    ASSERT_OK(created);
    EXPECT_TRUE(created->warnings.empty());
  }
}

struct Refusal {
  int status;
  std::string message;
  ErrorKind kind;
};

TEST_F(EngineTest, CreateRefused) {
  for (const Refusal& c :
       {Refusal{404, "No such image: a:1", ErrorKind::not_found},
        Refusal{409, "Conflict. The container name is already in use", ErrorKind::conflict},
        Refusal{400, "Conflict. The container name is already in use", ErrorKind::conflict},
        Refusal{500,
                "container create: creating container storage: the container name n is already in "
                "use by 673ae4d1. You have to remove that container to be able to reuse that name: "
                "that name is already in use",
                ErrorKind::conflict},  // Podman 4.3
        Refusal{400, "invalid CapAdd: unknown capability", ErrorKind::refused},
        Refusal{500, "no space left on device", ErrorKind::unavailable}}) {
    always(refusal(c.status, c.message));
    make_engine({});
    const auto created = loop.run([&] { return engine->create("n", "{}"); });
    EXPECT_ERROR(created, c.kind, c.message);
    EXPECT_EQ(created.error().http_status, c.status);
  }
}

TEST_F(EngineTest, Start) {
  make_engine({}, "1.41");
  for (const int status : {204, 304}) {
    always(answer(status));
    ASSERT_OK(loop.run([&] { return engine->start("abc"); }));
  }
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/v1.41/containers/abc/start");
  EXPECT_EQ(last().header("Content-Length"), "0");
  for (const Refusal& c :
       {Refusal{404, "No such container: abc", ErrorKind::not_found},
        Refusal{409, "container is marked for removal", ErrorKind::conflict},
        Refusal{500, "driver failed: port is already allocated", ErrorKind::unavailable},
        Refusal{400, "exec: nothing: executable file not found in $PATH", ErrorKind::refused}}) {
    always(refusal(c.status, c.message));
    make_engine({});
    EXPECT_ERROR(loop.run([&] { return engine->start("abc"); }), c.kind, c.message);
  }
}

TEST_F(EngineTest, InspectGivesTheDocumentAsItCame) {
  make_engine({}, "1.41");
  always(answer(200, "{\"State\": {}}\n"));
  const auto document = loop.run([&] { return engine->inspect("a/b"); });
  ASSERT_OK(document);
  EXPECT_EQ(*document, "{\"State\": {}}\n");
  EXPECT_EQ(last().target, "/v1.41/containers/a%2Fb/json");
  always(refusal(404, "No such container: a"));
  make_engine({});
  EXPECT_ERROR(loop.run([&] { return engine->inspect("a"); }), ErrorKind::not_found,
               "No such container: a");
}

struct StopCase {
  int status;
  std::string message;
  StopResult result;
};

TEST_F(EngineTest, StopAndKillTellTheIdempotentEndsApart) {
  for (const StopCase& c :
       {StopCase{204, "", StopResult::done}, StopCase{304, "", StopResult::already_ended},
        StopCase{404, "No such container: abc", StopResult::gone},
        StopCase{409, "Cannot kill container: abc: Container abc is not running",
                 StopResult::already_ended},
        StopCase{409, "can only kill running containers. abc is in state exited",
                 StopResult::already_ended},
        StopCase{500,
                 "can only kill running containers. abc is in state exited: container state "
                 "improper",
                 StopResult::already_ended}}) {
    SCOPED_TRACE(std::to_string(c.status) + " " + c.message);
    always(c.message.empty() ? answer(c.status) : refusal(c.status, c.message));
    const auto stopped = loop.run([&] { return engine->stop("abc", 10s); });
    ASSERT_OK(stopped);
    EXPECT_EQ(*stopped, c.result);
    const auto killed = loop.run([&] { return engine->kill("abc", "KILL"); });
    ASSERT_OK(killed);
    EXPECT_EQ(*killed, c.result);
  }
}

TEST_F(EngineTest, StopAndKillWithAConflictThatIsNoEnd) {
  always(refusal(409, "Container abc is paused. Unpause the container before stopping or killing"));
  EXPECT_ERROR(loop.run([&] { return engine->stop("abc", 1s); }), ErrorKind::conflict, "is paused");
  EXPECT_ERROR(loop.run([&] { return engine->kill("abc", "KILL"); }), ErrorKind::conflict,
               "is paused");
  always(refusal(500, "container abc is running or paused, refusing to clean up"));  // Podman 4.3
  EXPECT_ERROR(loop.run([&] { return engine->stop("abc", 1s); }), ErrorKind::unavailable,
               "refusing to clean up");
}

/// Its events would say that nobody did, whoever did.
TEST_F(EngineTest, PodmanIsNotAskedForSigns) {
  server.serve([](const SeenRequest& request) {
    if (request.target != "/_ping") return answer(200, "");
    return answer(200, "OK", "Api-Version: 1.41\r\nServer: Libpod/4.3.1 (linux)\r\n");
  });
  EXPECT_FALSE(engine->is_podman());
  ASSERT_OK(loop.run([&] { return engine->negotiate(); }));
  EXPECT_TRUE(engine->is_podman());
  const auto now = std::chrono::system_clock::now();
  EXPECT_ERROR(loop.run([&] { return engine->signs_of("abc", now - 1s, now); }), ErrorKind::refused,
               "Podman");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(EngineTest, StopAsksInWholeSecondsRoundedUp) {
  make_engine({}, "1.41");
  always(answer(204));
  const std::pair<std::chrono::nanoseconds, std::string> graces[] = {
      {0s, "0"}, {1ns, "1"}, {1500ms, "2"}, {10s, "10"}, {-5s, "0"}};
  for (const auto& [grace, seconds] : graces) {
    ASSERT_OK(loop.run([&, g = grace] { return engine->stop("abc", g); }));
    EXPECT_EQ(last().method, "POST");
    EXPECT_EQ(last().target, "/v1.41/containers/abc/stop?t=" + seconds);
  }
}

TEST_F(EngineTest, StopIsWaitedForAsLongAsItsGrace) {
  make_impatient_engine();
  always_hang();
  const auto began = test::Clock::now();
  EXPECT_ERROR(loop.run([&] { return engine->stop("abc", 200ms); }), ErrorKind::timeout,
               "no answer within 1060 ms");
  EXPECT_GE(test::Clock::now() - began, 1s) << "a started second is a second of Docker's";
}

TEST_F(EngineTest, KillNamesTheSignal) {
  make_engine({}, "1.41");
  always(answer(204));
  ASSERT_OK(loop.run([&] { return engine->kill("abc", "SIGUSR1"); }));
  EXPECT_EQ(last().method, "POST");
  EXPECT_EQ(last().target, "/v1.41/containers/abc/kill?signal=SIGUSR1");
}

TEST_F(EngineTest, AStopThatWaitsDoesNotHoldUpAKill) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.hang();
  });
  auto stopping = loop.start([&] { return engine->stop("abc", 1h); });
  loop.until([&] { return !server.requests().empty(); }, "the stop");
  always(answer(204));
  const auto killed = loop.run([&] { return engine->kill("abc", "KILL"); });
  ASSERT_OK(killed);
  EXPECT_FALSE(stopping.ended());
  server.reset_all();
  EXPECT_FALSE(loop.finish(stopping).has_value());
}

TEST_F(EngineTest, Unpause) {
  make_engine({}, "1.41");
  always(answer(204));
  ASSERT_OK(loop.run([&] { return engine->unpause("abc"); }));
  EXPECT_EQ(last().target, "/v1.41/containers/abc/unpause");
  always(refusal(500, "Container abc is not paused"));
  make_engine({});
  EXPECT_ERROR(loop.run([&] { return engine->unpause("abc"); }), ErrorKind::unavailable,
               "is not paused");
}

TEST_F(EngineTest, Remove) {
  make_engine({}, "1.41");
  for (const int status : {204, 404}) {
    always(status == 404 ? refusal(404, "No such container") : answer(status));
    ASSERT_OK(loop.run([&] { return engine->remove("abc", true); }));
    EXPECT_EQ(last().method, "DELETE");
    EXPECT_EQ(last().target, "/v1.41/containers/abc?v=1&force=1");
  }
  always(refusal(409, "You cannot remove a running container"));
  make_engine({}, "1.41");
  EXPECT_ERROR(loop.run([&] { return engine->remove("abc", false); }), ErrorKind::conflict,
               "cannot remove a running container");
  always(refusal(409, "removal of container abc is already in progress"));
  make_engine({}, "1.41");
  EXPECT_ERROR(loop.run([&] { return engine->remove("abc", true); }), ErrorKind::timeout,
               "already in progress");
  EXPECT_EQ(last().target, "/v1.41/containers/abc?v=1&force=1");
}

TEST_F(EngineTest, List) {
  make_engine({}, "1.41");
  always(answer(200, R"([{"Id":"a","Image":"i","State":"running","Labels":{"x":"1","y":2}},
                         {"Id":"b","Labels":null}, 7])"));
  const auto found = loop.run([&] { return engine->list(R"({"label":["x"]})", false); });
  ASSERT_OK(found);
  ASSERT_EQ(found->size(), 2u);
  EXPECT_EQ((*found)[0].id, "a");
  EXPECT_EQ((*found)[0].label("x"), "1");
  EXPECT_EQ((*found)[0].label("y"), "");
  EXPECT_EQ((*found)[1].id, "b");
  EXPECT_EQ(last().target,
            "/v1.41/containers/json?all=0&filters=%7B%22label%22%3A%5B%22x%22%5D%7D");
}

}  // namespace
}  // namespace sidecar_executor::docker
