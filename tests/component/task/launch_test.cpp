// A launch against a Docker that goes away at each of its calls, before or after it did what it was
// asked to: the container runs once, or nothing is left of it.
#include "task/launch.hpp"

#include <fcntl.h>

#include <algorithm>
#include <fstream>

#include "base/encoding.hpp"
#include "component/net/http_test.hpp"
#include "support/folder_on_path.hpp"

namespace sidecar_executor::task {
namespace {

using test::answer;
using test::chunked_head;
using test::Peer;
using test::ScriptedServer;
using test::SeenRequest;
using namespace std::chrono_literals;

const std::string container_id(64, 'c');

/// What a dockerd keeps over its restarts, and what it does for a call.
struct FakeDocker {
  bool image = false;
  std::string architecture = "amd64";  ///< of the image
  std::string status;                  ///< of the container; empty: there is none
  std::string label = "own";
  std::string ends_as = "running";  ///< the container's status once it was started
  int pulls = 0;
  int connects = 0;
  int creates = 0;
  int starts = 0;  ///< that began a run

  std::string document() const {
    const bool ran = status != "created";
    return R"({"Id":")" + container_id + R"(","Name":"/mesos-x","State":{"Status":")" + status +
           R"(","Running":)" + (status == "running" ? "true" : "false") + R"(,"StartedAt":")" +
           (ran ? "2026-01-01T00:00:00Z" : "0001-01-01T00:00:00Z") +
           R"("},"Config":{"Labels":{"io.sidecar-executor.pid":")" + label + R"("}}})";
  }
  static bool is(const SeenRequest& r, std::string_view method, std::string_view part) {
    return r.method == method && r.target.find(part) != std::string::npos;
  }
  std::string serve(const SeenRequest& r) {
    if (is(r, "GET", "/_ping")) return answer(200, "OK", "Api-Version: 1.41\r\n");
    if (is(r, "GET", "/images/")) return image_document();
    if (is(r, "POST", "/images/create")) {
      ++pulls;
      image = true;
      return answer(200, R"({"status":"Pull complete","id":"a"})");
    }
    if (is(r, "POST", "/containers/create")) return create();
    if (is(r, "DELETE", "/containers/")) {
      status.clear();
      return answer(204);
    }
    if (status.empty()) return answer(404, R"({"message":"No such container"})");
    if (is(r, "POST", "/networks/")) return connect();
    if (is(r, "POST", "/start")) return start();
    if (is(r, "POST", "/wait")) return chunked_head();
    return answer(200, document());
  }
  std::string image_document() const {
    if (!image) return answer(404, "{}");
    return answer(200, R"({"Id":"i","Os":"linux","Architecture":")" + architecture + "\"}");
  }
  std::string connect() {
    if (++connects == 1) return answer(200);
    return answer(403, R"({"message":"endpoint with name x already exists in network blue"})");
  }
  std::string create() {
    if (!status.empty()) return answer(409, R"({"message":"Conflict. The name is in use"})");
    ++creates;
    status = "created";
    label = "own";
    return answer(201, R"({"Id":")" + container_id + R"("})");
  }
  std::string start() {
    if (status == "running") return answer(304);
    ++starts;
    status = ends_as;
    return answer(204);
  }
};

class LaunchTest : public ::testing::Test {
 protected:
  explicit LaunchTest(docker::Engine::Limits limits = {.call = 300ms,
                                                       .create = 300ms,
                                                       .start = 300ms})
      : engine(loop.executor(), docker::EngineAddress{server.address(), "1.41"}, limits) {}
  void SetUp() override {
    server.always([this](Peer& peer) -> asio::awaitable<void> {
      for (;;) {
        const SeenRequest request = co_await peer.request();
        if (FakeDocker::is(request, "GET", "/_ping")) {
          if (!answers_pings) co_return;
          co_await peer.send(docker.serve(request));
          continue;
        }
        const int number = ++calls;
        if (hangs && hangs(request)) co_await peer.hang();
        const bool now = cut && cut(number, request);
        if (now && !done_all_the_same) co_return;
        const auto wrong = instead ? instead(request) : std::nullopt;
        const std::string bytes = wrong ? *wrong : docker.serve(request);
        if (on_call) on_call(request);
        if (now) co_return;
        co_await peer.send(bytes);
        if (FakeDocker::is(request, "POST", "/wait")) co_await peer.hang();
      }
    });
  }
  void TearDown() override {
    watch.close();
    engine.close();
    server.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
    ::close(null);
  }

  Launch::Outcome launch() {
    LaunchInputs inputs;
    inputs.spec.name = "mesos-x";
    inputs.spec.image = image;
    inputs.docker_repository = docker_repository;
    inputs.spec.labels = {{"io.sidecar-executor.pid", "own"}};
    inputs.spec.needs = needs;
    inputs.spec.strict = strict;
    inputs.spec.platform = platform;
    inputs.spec.more_networks = {{"blue", {}}};
    inputs.environment = [this](std::string_view name) -> std::optional<std::string> {
      if (name != "DOCKER_CONFIG") return std::nullopt;
      return folder.path().string();
    };
    inputs.docker_patience = patience;
    inputs.resolve =
        [this](std::vector<std::string> env) -> asio::awaitable<Result<std::vector<std::string>>> {
      if (on_resolve) on_resolve();
      co_return env;
    };
    Launch launch(engine, watch, log, std::move(inputs), cancellation, phases,
                  {[this](const std::string& id) { created_id = id; },
                   [this](std::string text) { warnings.push_back(std::move(text)); }});
    return loop.run([&launch] { return launch.run(); });
  }
  /// The connection breaks at this call, once.
  void cut_at(std::string method, std::string part, bool after) {
    done_all_the_same = after;
    cut = [method, part, cut_already = false](int, const SeenRequest& r) mutable {
      return FakeDocker::is(r, method, part) && !std::exchange(cut_already, true);
    };
  }

  test::Loop loop;
  test::TempDir folder;
  FakeDocker docker;
  std::function<bool(int, const SeenRequest&)> cut;
  std::function<bool(const SeenRequest&)> hangs;
  std::function<void(const SeenRequest&)> on_call;
  std::function<void()> on_resolve;
  /// What is answered in place of doing it.
  std::function<std::optional<std::string>(const SeenRequest&)> instead;
  bool done_all_the_same = false;
  bool answers_pings = true;
  int calls = 0;  ///< pings left out
  std::string platform;
  std::string image = "app:1";
  std::string docker_repository;
  net::Duration patience = 10s;
  ScriptedServer server{loop.executor(), folder / "d.sock"};
  docker::Engine engine;
  int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  OutputBuffer out{null};
  Log log{out};
  docker::ExitWatch watch{
      loop.executor(),
      engine,
      log,
      {[](const docker::ContainerExit&) {}, [](const docker::ContainerState&) {}}};
  net::Cancellation cancellation;
  Phases phases;
  std::vector<docker::ApiNeed> needs;
  bool strict = false;
  std::vector<std::string> warnings;
  std::string created_id;
};

TEST_F(LaunchTest, WithoutFaults) {
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_EQ(done->container.id, container_id);
  EXPECT_TRUE(done->container.running);
  EXPECT_EQ(docker.pulls, 1);
  EXPECT_EQ(docker.starts, 1);
}

/// A host may hold the image for another platform.
TEST_F(LaunchTest, ThePresentImageIsTakenWhenItsPlatformIsTheRightOne) {
  docker.image = true;
  platform = "linux/amd64";
  ASSERT_TRUE(launch());
  EXPECT_EQ(docker.pulls, 0);
  docker = FakeDocker();
  docker.image = true;
  platform = "linux/arm64";
  ASSERT_TRUE(launch());
  EXPECT_EQ(docker.pulls, 1);
}

struct When {
  const char* name;
  bool after;           ///< Docker did what it was asked to
  const char* ends_as;  ///< the container
};
class LaunchCutTest : public LaunchTest, public ::testing::WithParamInterface<When> {};

/// Image check, pull, create, network, wait, start, inspect: whichever call it is.
TEST_P(LaunchCutTest, AtEachCallTheContainerRunsOnce) {
  docker.ends_as = GetParam().ends_as;
  done_all_the_same = GetParam().after;
  bool was_cut = true;
  int tried = 0;
  for (int at = 1; was_cut; ++at) {
    docker = FakeDocker();
    docker.ends_as = GetParam().ends_as;
    calls = 0;
    was_cut = false;
    cut = [&was_cut, at](int number, const SeenRequest&) {
      was_cut = was_cut || number == at;
      return number == at;
    };
    const auto done = launch();
    ASSERT_TRUE(done) << "call " << at << ": " << done.error().error.message;
    EXPECT_EQ(done->container.id, container_id) << "call " << at;
    EXPECT_EQ(done->container.status, GetParam().ends_as) << "call " << at;
    EXPECT_EQ(docker.creates, 1) << "call " << at;
    EXPECT_EQ(docker.starts, 1) << "call " << at;
    tried += was_cut ? 1 : 0;
  }
  EXPECT_EQ(tried, 7);
}

INSTANTIATE_TEST_SUITE_P(Each, LaunchCutTest,
                         ::testing::Values(When{"BeforeItIsDone", false, "running"},
                                           When{"AfterItWasDone", true, "running"},
                                           When{"AfterItWasDoneAndTheProgramEnded", true,
                                                "exited"}),
                         [](const auto& tested) { return std::string(tested.param.name); });

/// FakeDocker speaks 1.41.
TEST_F(LaunchTest, WhatIsNewerThanDockerIsAWarning) {
  needs = {{"cgroupns", 41}, {"annotation", 43}};
  ASSERT_TRUE(launch());
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0],
            "parameter \"annotation\" needs Docker API 1.43, this Docker has 1.41, ignoring");
}

TEST_F(LaunchTest, WhatIsNewerThanDockerEndsAStrictLaunch) {
  needs = {{"annotation", 43}};
  strict = true;
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().error.message.find("needs Docker API 1.43"), std::string::npos);
  EXPECT_EQ(docker.creates, 0);
}

/// A daemon that restarts is not there for a while.
TEST_F(LaunchTest, DockerStaysAwayForAWhile) {
  cut_at("POST", "/start", false);
  answers_pings = false;
  server.next([&](Peer& peer) -> asio::awaitable<void> {  // greets it, as the runner does
    co_await peer.request();
    co_await peer.send(answer(200, "OK", "Api-Version: 1.41\r\n"));
  });
  ASSERT_TRUE(loop.run([this] { return engine.negotiate(); }));
  net::Deadline back(loop.executor(), 700ms, [this] { answers_pings = true; });
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_TRUE(back.expired());
  EXPECT_EQ(docker.starts, 1);
}

TEST_F(LaunchTest, EveryCreateIsCutThenItGivesUp) {
  patience = 500ms;
  cut = [](int, const SeenRequest& r) { return FakeDocker::is(r, "POST", "/containers/create"); };
  const auto done = launch();
  ASSERT_FALSE(done);
  const std::string& text = done.error().error.message;
  EXPECT_NE(text.find("create container mesos-x"), std::string::npos) << text;
  EXPECT_NE(text.find("gave up after 500ms"), std::string::npos) << text;
  EXPECT_EQ(done.error().may_still_run, "") << "it was never started";
  EXPECT_LT(calls, 12) << "not as fast as it can";
}

TEST_F(LaunchTest, EveryStartIsCutThenItIsRemoved) {
  patience = 500ms;
  cut = [](int, const SeenRequest& r) { return FakeDocker::is(r, "POST", "/start"); };
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().error.message.find("start container"), std::string::npos)
      << done.error().error.message;
  EXPECT_EQ(done.error().may_still_run, "");
  EXPECT_EQ(docker.status, "") << "removed";
}

TEST_F(LaunchTest, ARemovalThatIsRefusedIsTriedAgain) {
  patience = 500ms;
  cut = [](int, const SeenRequest& r) { return FakeDocker::is(r, "POST", "/start"); };
  int refusals = 2;
  instead = [&refusals](const SeenRequest& r) -> std::optional<std::string> {
    if (r.method != "DELETE" || refusals == 0) return std::nullopt;
    --refusals;
    return answer(409, R"({"message":"conflict: unable to remove"})");
  };
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_EQ(refusals, 0);
  EXPECT_EQ(done.error().may_still_run, "");
  EXPECT_EQ(docker.status, "") << "removed";
}

/// Our own first DELETE got no answer in time.
TEST_F(LaunchTest, ARemovalThatTakesLongIsWaitedFor) {
  patience = 500ms;
  cut = [](int, const SeenRequest& r) { return FakeDocker::is(r, "POST", "/start"); };
  int deletes = 0;
  instead = [&deletes](const SeenRequest& r) -> std::optional<std::string> {
    if (r.method != "DELETE" || ++deletes > 2) return std::nullopt;
    if (deletes == 1) return "";  // none
    return answer(409, R"({"message":"removal of container abc is already in progress"})");
  };
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_EQ(deletes, 3);
  EXPECT_EQ(done.error().may_still_run, "");
  EXPECT_EQ(docker.status, "") << "removed";
}

TEST_F(LaunchTest, ACredentialHelperIsAskedForThePull) {
  std::ofstream(folder / "config.json") << R"({"credsStore":"sx-launch"})";
  std::vector<std::string> sent;
  on_call = [&sent](const SeenRequest& r) {
    if (FakeDocker::is(r, "POST", "/images/create")) sent.push_back(r.header("X-Registry-Auth"));
  };
  ASSERT_TRUE(launch()) << "a helper that is not there is no reason to fail";
  docker = FakeDocker();
  const test::FolderOnPath programs(folder.path());
  programs.program("docker-credential-sx-launch", R"(echo '{"Username":"u","Secret":"hunter2"}')");
  ASSERT_TRUE(launch());
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[0], "");
  EXPECT_NE(base64_decode(sent[1]).value_or("").find("hunter2"), std::string::npos) << sent[1];
}

/// Docker Hub's login, the default, is nothing to send to another registry; one that somebody set
/// is.
TEST_F(LaunchTest, WhoseCredentialsAPullGets) {
  std::ofstream(folder / "config.json") << R"({"auths":{
      "https://index.docker.io/v1/":{"username":"hub","password":"p"},
      "own.example.com":{"username":"own","password":"p"},
      "set.example.com":{"username":"set","password":"p"}}})";
  std::string sent;
  on_call = [&sent](const SeenRequest& r) {
    if (FakeDocker::is(r, "POST", "/images/create"))
      sent = base64_decode(r.header("X-Registry-Auth")).value_or("");
  };
  const auto user = [&](const std::string& of_image, const std::string& repository) {
    docker = FakeDocker();
    image = of_image;
    docker_repository = repository;
    EXPECT_TRUE(launch());
    const auto at = sent.find("\"username\":\"");
    return at == std::string::npos ? std::string() : sent.substr(at + 12, 3);
  };
  const std::string by_default = Settings().docker_repository;
  EXPECT_EQ(user("app:1", by_default), "hub");
  EXPECT_EQ(user("own.example.com/app:1", by_default), "own");
  EXPECT_EQ(user("other.example.com/app:1", by_default), "") << "not Docker Hub's";
  EXPECT_EQ(user("own.example.com/app:1", "set.example.com"), "set");
  EXPECT_EQ(user("own.example.com/app:1", "not.example.com"), "own");
}

/// A dockerd that is being stopped fails calls before it goes (both texts seen with 20.10).
TEST_F(LaunchTest, AStartThatAStoppingDockerFailedIsDoneAgain) {
  for (const char* text : {"transport is closing: unavailable",
                           "failed to update store for object type *libnetwork.endpoint: open : "
                           "no such file or directory"}) {
    docker = FakeDocker();
    instead = [text, once = true](const SeenRequest& r) mutable -> std::optional<std::string> {
      if (!FakeDocker::is(r, "POST", "/start") || !std::exchange(once, false)) return std::nullopt;
      return answer(500, std::string(R"({"message":")") + text + "\"}");
    };
    const auto done = launch();
    ASSERT_TRUE(done) << done.error().error.message;
    EXPECT_EQ(docker.starts, 1) << text;
  }
}

/// moby 20.10 leaves such an id in containerd when it is ended amid the start.
TEST_F(LaunchTest, AnIdThatDockerCannotStartAnyMoreIsMadeAnew) {
  int refusals = 1;
  instead = [&refusals](const SeenRequest& r) -> std::optional<std::string> {
    if (!FakeDocker::is(r, "POST", "/start") || refusals == 0) return std::nullopt;
    --refusals;
    return answer(500, R"({"message":"task )" + container_id + R"(: already exists"})");
  };
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_EQ(docker.creates, 2);
  EXPECT_EQ(docker.starts, 1);

  docker = FakeDocker();
  refusals = 2;
  EXPECT_FALSE(launch()) << "once is enough";
  EXPECT_EQ(docker.status, "") << "removed";
}

/// One wrong answer about a container that may run does not end it.
TEST_F(LaunchTest, AWrongAnswerAboutACutStartIsAskedAgain) {
  for (const std::string& wrong :
       {answer(500, R"({"message":"no"})"), std::string("}garbage{\r\n\r\n")}) {
    docker = FakeDocker();
    cut_at("POST", "/start", true);
    instead = [&wrong, once = true](const SeenRequest& r) mutable -> std::optional<std::string> {
      if (!FakeDocker::is(r, "GET", "/containers/") || !std::exchange(once, false))
        return std::nullopt;
      return wrong;
    };
    const auto done = launch();
    ASSERT_TRUE(done) << done.error().error.message;
    EXPECT_EQ(docker.starts, 1);
    EXPECT_EQ(docker.status, "running");
  }
}

TEST_F(LaunchTest, AWrongAnswerAboutACutCreateIsAskedAgain) {
  cut_at("POST", "/containers/create", true);
  instead = [once = true](const SeenRequest& r) mutable -> std::optional<std::string> {
    if (!FakeDocker::is(r, "GET", "/containers/") || !std::exchange(once, false))
      return std::nullopt;
    return answer(500, R"({"message":"no"})");
  };
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_EQ(docker.creates, 1);
}

TEST_F(LaunchTest, AwayForGoodFromTheStartOnMayStillRun) {
  patience = 500ms;
  done_all_the_same = true;
  cut = [this](int, const SeenRequest& r) {
    if (FakeDocker::is(r, "POST", "/start")) answers_pings = false;
    return !answers_pings;
  };
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().may_still_run, container_id.substr(0, 12));
}

TEST_F(LaunchTest, StartedButNotToBeInspectedIsStarted) {
  patience = 500ms;
  cut = [this](int, const SeenRequest& r) {
    return docker.status == "running" && FakeDocker::is(r, "GET", "/json");
  };
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_EQ(done->container.id, container_id);
  EXPECT_EQ(docker.starts, 1);
}

/// Or nobody knew where it is, and whether it has a terminal.
TEST_F(LaunchTest, StartedAndAWrongAnswerIsAskedAgain) {
  instead = [this, once = true](const SeenRequest& r) mutable -> std::optional<std::string> {
    if (docker.starts == 0 || !FakeDocker::is(r, "GET", "/containers/")) return std::nullopt;
    if (!std::exchange(once, false)) return std::nullopt;
    return answer(500, R"({"message":"no"})");
  };
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_EQ(done->container.status, "running");
}

/// The exit watch is yet to begin, and it asks, too.
TEST_F(LaunchTest, StartedAndOnlyWrongAnswersIsStartedSoon) {
  instead = [this](const SeenRequest& r) -> std::optional<std::string> {
    if (docker.starts == 0 || !FakeDocker::is(r, "GET", "/containers/")) return std::nullopt;
    return answer(500, R"({"message":"no"})");
  };
  const auto began = test::Clock::now();
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_LT(test::Clock::now() - began, 5s) << "of 10 s of patience";
  EXPECT_EQ(done->container.id, container_id);
  EXPECT_EQ(done->container.status, "");
}

/// A proxy before Docker gave up (504), Docker did not.
TEST_F(LaunchTest, ACreateThatFailedAndWasDoneIsRemoved) {
  instead = [this](const SeenRequest& r) -> std::optional<std::string> {
    if (!FakeDocker::is(r, "POST", "/containers/create")) return std::nullopt;
    docker.serve(r);
    return answer(504, "<html>Gateway Time-out</html>");
  };
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().error.message.find("504"), std::string::npos)
      << done.error().error.message;
  EXPECT_EQ(docker.creates, 1);
  EXPECT_EQ(docker.status, "") << "left behind";
}

TEST_F(LaunchTest, AnotherOnesContainerOfTheNameIsNotTakenForOurs) {
  docker.status = "exited";
  docker.label = "other";
  cut_at("POST", "/containers/create", false);
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_EQ(docker.label, "own");
  EXPECT_EQ(docker.creates, 1);
}

/// Somebody prunes, or our own DELETE got no answer in time.
TEST_F(LaunchTest, ALeftoverThatIsBeingRemovedIsWaitedFor) {
  docker.status = "exited";
  docker.label = "other";
  int refusals = 7;  // more than a removal that is refused gets attempts
  instead = [&refusals](const SeenRequest& r) -> std::optional<std::string> {
    if (r.method != "DELETE" || refusals == 0) return std::nullopt;
    --refusals;
    return answer(409, R"({"message":"removal of container abc is already in progress"})");
  };
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_EQ(refusals, 0);
  EXPECT_EQ(docker.creates, 1);
}

TEST_F(LaunchTest, ARunningOneOfAnotherIsLeftAlone) {
  docker.status = "running";
  docker.label = "other";
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().error.message.find("still runs"), std::string::npos)
      << done.error().error.message;
  EXPECT_EQ(docker.status, "running");
}

// ---- a KILL meanwhile --------------------------------------------------------------------------

TEST_F(LaunchTest, KilledWhileDockerIsWaitedForBeforeTheCreate) {
  cut = [](int, const SeenRequest& r) { return FakeDocker::is(r, "GET", "/images/"); };
  net::Deadline kill(loop.executor(), 300ms, [this] { cancellation.cancel(); });
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().error.kind, ErrorKind::cancelled) << done.error().error.message;
  EXPECT_EQ(docker.creates, 0);
}

TEST_F(LaunchTest, KilledOnceTheNetworkIsConnected) {
  bool asked = false;
  on_call = [&](const SeenRequest& r) {
    if (!FakeDocker::is(r, "POST", "/networks/")) return;
    asked = true;
    cancellation.cancel();
  };
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_TRUE(asked);
  EXPECT_EQ(done.error().error.kind, ErrorKind::cancelled) << done.error().error.message;
  EXPECT_EQ(docker.starts, 0);
  EXPECT_EQ(docker.status, "") << "removed";
}

TEST_F(LaunchTest, KilledWhileSecretsAreResolved) {
  on_resolve = [this] { cancellation.cancel(); };
  const auto done = launch();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().error.kind, ErrorKind::cancelled) << done.error().error.message;
  EXPECT_EQ(docker.creates, 0);
}

/// The look after the start and the head of a wait are no part of it.
class LaunchHangTest : public LaunchTest, public ::testing::WithParamInterface<const char*> {
 protected:
  LaunchHangTest() : LaunchTest({.call = 20s, .create = 20s, .start = 20s}) {}
};

TEST_P(LaunchHangTest, KilledWhileDockerTellsNothingOfAStartedContainer) {
  std::optional<net::Deadline> kill;
  hangs = [&](const SeenRequest& r) {
    if (docker.starts == 0 || r.target.find(GetParam()) == std::string::npos) return false;
    kill.emplace(loop.executor(), 20ms, [this] { cancellation.cancel(); });
    return true;
  };
  const auto began = test::Clock::now();
  const auto done = launch();
  ASSERT_TRUE(done) << done.error().error.message;
  EXPECT_TRUE(kill) << "nothing hung";
  EXPECT_LT(test::Clock::now() - began, 10s) << "a SHUTDOWN's grace is over by then";
  EXPECT_EQ(done->container.id, container_id);
  EXPECT_EQ(docker.status, "running") << "the lifecycle stops it";
}

INSTANTIATE_TEST_SUITE_P(Each, LaunchHangTest, ::testing::Values("/json", "/wait"),
                         [](const auto& tested) {
                           return std::string(tested.param + 1) + "Hangs";
                         });

struct KillAt {
  const char* name;
  const char* part;
  bool after;
};
class LaunchKillTest : public LaunchTest, public ::testing::WithParamInterface<KillAt> {};

TEST_P(LaunchKillTest, WhileTheConnectionIsCutLeavesNothing) {
  cut_at("POST", GetParam().part, GetParam().after);
  const auto once = cut;
  cut = [this, once](int number, const SeenRequest& r) {
    const bool now = once(number, r);
    if (now) cancellation.cancel();
    return now;
  };
  const auto done = launch();
  if (done) {  // it was started: the lifecycle stops it
    EXPECT_EQ(docker.starts, 1);
    EXPECT_EQ(docker.status, "running");
  } else {
    EXPECT_EQ(done.error().error.kind, ErrorKind::cancelled) << done.error().error.message;
    EXPECT_EQ(docker.status, "");
    EXPECT_EQ(docker.starts, 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, LaunchKillTest,
                         ::testing::Values(KillAt{"BeforeThePull", "/images/create", false},
                                           KillAt{"BeforeTheCreate", "/containers/create", false},
                                           KillAt{"AfterTheCreate", "/containers/create", true},
                                           KillAt{"BeforeTheNetwork", "/networks/", false},
                                           KillAt{"AfterTheNetwork", "/networks/", true},
                                           KillAt{"BeforeTheStart", "/start", false},
                                           KillAt{"AfterTheStart", "/start", true}),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace sidecar_executor::task
