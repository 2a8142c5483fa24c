// The exit watch against a daemon that lies, cuts, hangs and goes away (behaviour.md 5).
#include "docker/exit_watch.hpp"

#include <fcntl.h>

#include <boost/asio/steady_timer.hpp>

#include "child_process.hpp"
#include "component/net/http_test.hpp"

namespace sidecar_executor::docker {
namespace {

using test::answer;
using test::chunk;
using test::chunked_head;
using test::Peer;
using test::ScriptedServer;
using test::SeenRequest;
using namespace std::chrono_literals;

std::string document(const std::string& status, int pid, int code = 0,
                     const std::string& started = "2026-01-01T00:00:00Z") {
  const bool running = status == "running" || status == "paused";
  return R"({"Id":")" + container_id + R"(","State":{"Status":")" + status + R"(","Running":)" +
         (running ? "true" : "false") + R"(,"Pid":)" + std::to_string(pid) + R"(,"ExitCode":)" +
         std::to_string(code) + R"(,"StartedAt":")" + started +
         R"(","FinishedAt":"2026-01-01T00:00:03Z"}})";
}

class ExitWatchTest : public ::testing::Test {
 protected:
  explicit ExitWatchTest(bool local = true)
      : server(local ? ScriptedServer(loop.executor(), folder / "d.sock")
                     : ScriptedServer(loop.executor())) {}
  void SetUp() override {
    server.always([this](Peer& peer) -> asio::awaitable<void> {
      for (;;) {
        const SeenRequest request = co_await peer.request();
        if (request.target.find("/events") != std::string::npos) {
          asked_for_signs.push_back(request.target);
          co_await peer.send(events);
          if (after_events) after_events();
        } else if (request.target.find("/wait") == std::string::npos) {
          ++inspects;
          if (starting) co_await peer.hang();
          co_await peer.send(inspect);
        } else {
          ++waits;
          if (wait_answers.empty()) {
            co_await peer.send(chunked_head());
            co_await peer.hang();
          }
          const std::string bytes = wait_answers.front();
          if (wait_answers.size() > 1) wait_answers.erase(wait_answers.begin());
          co_await peer.send(bytes);
          if (bytes.empty() || !bytes.ends_with("0\r\n\r\n")) co_return;  // cut
        }
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
  static std::string code(int n) {
    return chunked_head() + chunk("{\"StatusCode\":" + std::to_string(n) + "}") + "0\r\n\r\n";
  }
  void says(const std::string& status, int pid = 0, int exit = 0,
            const std::string& started = "2026-01-01T00:00:00Z") {
    inspect = answer(200, document(status, pid, exit, started));
  }
  /// open() and run(); the container started as `pid`.
  void begin(int pid = 0, bool runs = true) {
    loop.run([&] { return watch.open(container_id, never); });
    ContainerState started;
    started.running = runs;
    started.pid = pid;
    started.started_at = "2026-01-01T00:00:00Z";
    running.emplace(loop.start([this, started] { return watch.run(started); }));
  }
  const ContainerExit& end() {
    loop.until([&] { return !ends.empty(); }, "the end");
    loop.finish(*running);
    EXPECT_EQ(ends.size(), 1U);
    return ends[0];
  }
  void for_a_while(net::Duration time) {
    net::Deadline over(loop.executor(), time, [] {});
    loop.until([&] { return over.expired(); }, "time");
  }

  test::Loop loop;
  test::TempDir folder;
  FakeProc proc;
  ChildProcess child;
  ScriptedServer server;
  Engine engine{loop.executor(), EngineAddress{server.address(), "1.41"}, {.call = 200ms}};
  int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  OutputBuffer out{null};
  Log log{out};
  std::vector<ContainerExit> ends;
  int seen_running = 0;
  ExitWatch watch{loop.executor(),
                  engine,
                  log,
                  {[this](const ContainerExit& e) { ends.push_back(e); },
                   [this](const ContainerState&) { ++seen_running; }},
                  {.details = 300ms,
                   .silence = 50ms,
                   .start = 2500ms,
                   .wait_lead = 50ms,
                   .code_unknown = 600ms,
                   .restart = 200ms,
                   .late_event = 100ms,
                   .proc = proc.path()}};
  std::optional<test::Started<test::Nothing>> running;
  net::Cancellation never;
  std::string inspect = answer(500, R"({"message":"no"})");
  std::vector<std::string> wait_answers;  // the last again and again; none: hangs
  std::string events = answer(403);
  std::function<void()> after_events;
  std::vector<std::string> asked_for_signs;
  bool starting = false;  // the container: no inspect is answered
  int inspects = 0;
  int waits = 0;
};

TEST_F(ExitWatchTest, ReportsTheExitWithItsTimes) {
  wait_answers = {code(7)};
  says("exited", 0, 7);
  begin();
  EXPECT_EQ(end().exit_code, 7);
  EXPECT_EQ(ends[0].ran_for, 3s);
  EXPECT_TRUE(ends[0].finished_at);
  EXPECT_EQ(ends[0].log_end, ends[0].finished_at);
}

class RemoteExitWatchTest : public ExitWatchTest {
 protected:
  RemoteExitWatchTest() : ExitWatchTest(false) {}
};

/// When it ended cannot be compared with when it was asked to; Docker's log is asked by it.
TEST_F(RemoteExitWatchTest, TheEndByAnotherHostsClock) {
  wait_answers = {code(7)};
  says("exited", 0, 7);
  begin();
  EXPECT_EQ(end().exit_code, 7);
  EXPECT_FALSE(ends[0].finished_at);
  EXPECT_EQ(ends[0].log_end, parse_docker_time("2026-01-01T00:00:03Z"));
}

TEST_F(ExitWatchTest, WaitsCodeIsEnoughWhenDockerGoesAway) {
  wait_answers = {code(143)};
  begin();
  EXPECT_EQ(end().exit_code, 143);
}

/// Somebody asked for a look, which closed the wait whose answer was on its way.
TEST_F(ExitWatchTest, AWaitTellsOfTheEndThoughInspectFailsForEver) {
  begin();
  watch.check_now();
  loop.until([&] { return inspects > 0; }, "the look");
  wait_answers = {code(143)};
  EXPECT_EQ(end().exit_code, 143);
}

TEST_F(ExitWatchTest, NothingIsKnownOfItAfterTheStartAndInspectFailsForEver) {
  begin(0, false);
  loop.until([&] { return inspects > 0; }, "the look");
  wait_answers = {code(3)};
  EXPECT_EQ(end().exit_code, 3);
}

/// While only the wait is listened to, nobody would hear that Docker can tell again.
TEST_F(ExitWatchTest, AnInspectThatFailedIsDoneAgainThoughAWaitIsOpen) {
  begin();
  watch.check_now();
  loop.until([&] { return inspects > 0; }, "the look");
  says("running", 0);
  loop.until([&] { return seen_running > 0; }, "another look");
  EXPECT_GE(waits, 2);
  says("exited", 0, 5);
  watch.check_now();
  EXPECT_EQ(end().exit_code, 5);
}

/// Such a wait is for an exit that never comes.
TEST_F(ExitWatchTest, EndedBeforeTheWaitWasTaken) {
  says("exited", 0, 4);
  begin(0, false);
  EXPECT_EQ(end().exit_code, 4);
  EXPECT_EQ(waits, 1);
}

TEST_F(ExitWatchTest, GoneIsRemoved) {
  wait_answers = {code(137)};
  inspect = answer(404, R"({"message":"No such container"})");
  begin();
  EXPECT_EQ(end().exit_code, 137);
  EXPECT_TRUE(ends[0].removed);
}

TEST_F(ExitWatchTest, AWaitThatAnswersAlthoughItRunsDoesNotSpin) {
  wait_answers = {code(0)};
  says("running", 0);
  begin();
  for_a_while(1s);
  EXPECT_TRUE(ends.empty());
  EXPECT_LE(waits, 8);
  EXPECT_GE(waits, 3);
}

TEST_F(ExitWatchTest, AWaitThatIsCutDoesNotSpinAndDoesNotEndTheTask) {
  wait_answers = {chunked_head()};
  says("running", 0);
  begin();
  for_a_while(1s);
  EXPECT_TRUE(ends.empty());
  EXPECT_LE(waits, 8);
  says("exited", 0, 3);
  EXPECT_EQ(end().exit_code, 3);
}

TEST_F(ExitWatchTest, ADaemonThatRefusesIsNoEnd) {
  wait_answers = {chunked_head()};
  begin();
  loop.until([&] { return inspects >= 4; }, "some looks");
  EXPECT_TRUE(ends.empty());
  says("exited", 0, 9);
  EXPECT_EQ(end().exit_code, 9);
}

TEST_F(ExitWatchTest, CheckNowLooksWhileItWaits) {
  says("running", 0);
  begin();
  for (int i = 1; i <= 3; ++i) {
    watch.check_now();
    loop.until([&] { return seen_running >= i && waits == i + 1; }, "a look and a new wait");
  }
  says("exited", 0, 1);
  watch.check_now();
  watch.check_now();
  EXPECT_EQ(end().exit_code, 1);
}

TEST_F(ExitWatchTest, CloseEndsItPromptlyAndSilently) {
  begin();
  loop.poll();
  watch.close();
  loop.finish(*running, 1s);
  EXPECT_TRUE(ends.empty());
}

TEST_F(ExitWatchTest, ProcessGoneAndDockerAgreesLate) {
  proc.in_container(child.pid());
  says("running", child.pid());
  begin(child.pid());
  loop.until([&] { return inspects == 1; }, "the confirmation");
  child.end();
  loop.until([&] { return inspects >= 3; }, "looks that still say running");
  EXPECT_TRUE(ends.empty());
  says("exited", 0, 5);
  EXPECT_EQ(end().exit_code, 5);
  EXPECT_EQ(seen_running, 0);
}

TEST_F(ExitWatchTest, ProcessGoneAndDockerNeverAgrees) {
  proc.in_container(child.pid());
  says("running", child.pid());
  begin(child.pid());
  loop.until([&] { return inspects == 1; }, "the confirmation");
  child.end();
  EXPECT_FALSE(end().exit_code);
}

TEST_F(ExitWatchTest, ProcessGoneAndAnotherRunHasBegun) {
  proc.in_container(child.pid());
  says("running", child.pid());
  begin(child.pid());
  loop.until([&] { return inspects == 1; }, "the confirmation");
  ChildProcess next;
  proc.in_container(next.pid());
  says("running", next.pid(), 0, "2026-01-01T00:00:09Z");
  child.end();
  loop.until([&] { return seen_running == 1; }, "the restart to be seen");
  for_a_while(800ms);  // the first witness must not end the task
  EXPECT_TRUE(ends.empty());
  next.end();
  EXPECT_FALSE(end().exit_code) << "the new process has a witness too";
}

TEST_F(ExitWatchTest, APidThatDockerDoesNotConfirmIsNoWitness) {
  proc.in_container(child.pid());
  says("running", child.pid() + 1);
  begin(child.pid());
  loop.until([&] { return inspects == 1; }, "the confirmation");
  child.end();
  for_a_while(800ms);
  EXPECT_TRUE(ends.empty());
}

// ---- docker restart by somebody else -----------------------------------------------------------

const char* const signalled = R"({"Action":"kill","Type":"container"})"
                              "\n";

/// dockerd holds the container's lock while it starts it. The third inspect comes when an end that
/// is told without details would have been told.
class SlowRestartTest : public ExitWatchTest {
 protected:
  void goes_on_after(int inspects_without_answer) {
    loop.until([&] { return inspects > inspects_without_answer; }, "inspects that hang");
    EXPECT_TRUE(ends.empty());
    wait_answers.clear();
    says("running", 0, 0, "2026-01-01T00:00:09Z");
    starting = false;
    loop.until([&] { return seen_running == 1; }, "the restart to be seen");
    EXPECT_TRUE(ends.empty());
    loop.until([&] { return waits == 2; }, "the next wait");
    events = answer(200);
    says("exited", 0, 9);
    watch.check_now();
    EXPECT_EQ(end().exit_code, 9);
  }
};

TEST_F(SlowRestartTest, EventsTellOfIt) {
  wait_answers = {code(0)};
  events = answer(200, signalled);
  starting = true;
  begin();
  goes_on_after(2);
  ASSERT_FALSE(asked_for_signs.empty());
  EXPECT_NE(asked_for_signs[0].find("since=1767225600.000000000&"), std::string::npos)
      << asked_for_signs[0];
}

TEST_F(SlowRestartTest, EventsDoNotTell) {
  wait_answers = {code(0)};
  starting = true;
  begin();
  goes_on_after(2);
}

TEST_F(SlowRestartTest, BetweenTheStopAndTheStartAnInspectCame) {
  wait_answers = {code(0)};
  says("exited", 0, 0);
  events = answer(200, signalled);
  after_events = [this] { starting = true; };
  begin();
  goes_on_after(3);
}

/// The start broke off with Docker, or Docker hangs.
TEST_F(SlowRestartTest, NoAnswerForEverIsAnEnd) {
  wait_answers = {code(143)};
  starting = true;
  const auto before = std::chrono::system_clock::now();
  begin();
  EXPECT_EQ(end().exit_code, 143);
  EXPECT_GE(inspects, 3) << "as long as a start may take";
  ASSERT_TRUE(ends[0].log_end);
  EXPECT_GE(*ends[0].log_end, before);
  EXPECT_FALSE(ends[0].finished_at);
}

/// dockerd that is stopped stops its containers first: nobody is there to start them.
TEST_F(SlowRestartTest, ADockerThatGoesAwayMeanwhileIsAnEnd) {
  wait_answers = {code(143)};
  events = answer(200, signalled);
  starting = true;
  after_events = [this] {
    starting = false;
    inspect = answer(500, R"({"message":"no"})");
  };
  begin();
  EXPECT_EQ(end().exit_code, 143);
  EXPECT_LE(inspects, 4) << "not as long as a start may take";
}

TEST_F(SlowRestartTest, NobodySentItASignalIsAnEnd) {
  wait_answers = {code(0)};
  events = answer(200);
  starting = true;
  begin();
  EXPECT_EQ(end().exit_code, 0);
  EXPECT_LE(inspects, 2);
  EXPECT_EQ(asked_for_signs.size(), 1U);
}

TEST_F(SlowRestartTest, AskedForIsAnEnd) {
  wait_answers = {code(137)};
  events = answer(200, signalled);
  starting = true;
  watch.expect_end();
  begin();
  EXPECT_EQ(end().exit_code, 137);
  EXPECT_LE(inspects, 2);
  EXPECT_TRUE(asked_for_signs.empty());
}

/// The second witness knows of the run before, and nothing of the next.
TEST_F(SlowRestartTest, TheProcessOfTheRunBeforeIsGone) {
  proc.in_container(child.pid());
  says("running", child.pid());
  begin(child.pid());
  loop.until([&] { return inspects == 1; }, "the confirmation");
  says("exited", 0, 143);
  events = answer(200, signalled);
  after_events = [this] { starting = true; };
  child.end();
  EXPECT_EQ(end().exit_code, 143);
  EXPECT_GE(inspects, 5) << "as long as a start may take";
}

/// Exit code 0: between stop and start it looks finished.
TEST_F(ExitWatchTest, SignalledByDockerAndRunsAgain) {
  wait_answers = {code(0), code(9)};
  says("exited", 0, 0);
  events = answer(200, signalled);
  after_events = [this] {
    says("running", 0, 0, "2026-01-01T00:00:09Z");
    after_events = [this] { events = answer(200); };
  };
  begin();
  loop.until([&] { return seen_running == 1; }, "the restart to be seen");
  EXPECT_TRUE(ends.empty());
  says("exited", 0, 9);
  EXPECT_EQ(end().exit_code, 9);
}

TEST_F(ExitWatchTest, SignalledByDockerAndNotStartedAgain) {
  wait_answers = {code(0)};
  says("exited", 0, 0);
  events = answer(200, signalled);
  begin();
  EXPECT_EQ(end().exit_code, 0);
  EXPECT_EQ(inspects, 2);
  ASSERT_EQ(asked_for_signs.size(), 1U);
  // From its start on, 2026-01-01T00:00:00Z: an earlier run's signal says nothing about this one.
  EXPECT_NE(asked_for_signs[0].find("since=1767225600.000000000&"), std::string::npos)
      << asked_for_signs[0];
}

TEST_F(ExitWatchTest, NotSignalledByDockerIsNotHeldUp) {
  wait_answers = {code(143)};
  says("exited", 0, 143);
  events = answer(200);
  begin();
  EXPECT_EQ(end().exit_code, 143);
  EXPECT_EQ(inspects, 1);
  EXPECT_EQ(asked_for_signs.size(), 1U);
}

const char* const out_of_memory = R"({"Action":"oom","Type":"container"})"
                                  "\n";

/// dockerd hears of it after the end now and then: OOMKilled stays false, the event comes late.
TEST_F(ExitWatchTest, OutOfMemoryThatDockerHearsOfLate) {
  wait_answers = {code(137)};
  says("exited", 0, 137);
  events = answer(200);
  after_events = [this] { events = answer(200, out_of_memory); };
  begin();
  EXPECT_EQ(end().exit_code, 137);
  EXPECT_TRUE(ends[0].oom_killed);
  EXPECT_EQ(inspects, 1);
  ASSERT_EQ(asked_for_signs.size(), 2U);
  EXPECT_NE(asked_for_signs[0], asked_for_signs[1]) << "until later";
}

/// A child process was, and the program ended with a code of its own.
TEST_F(ExitWatchTest, OutOfMemoryThatOnlyTheEventsTell) {
  wait_answers = {code(3)};
  says("exited", 0, 3);
  events = answer(200, out_of_memory);
  begin();
  EXPECT_EQ(end().exit_code, 3);
  EXPECT_TRUE(ends[0].oom_killed);
  EXPECT_EQ(asked_for_signs.size(), 1U);
}

TEST_F(ExitWatchTest, KilledByNobodyThatDockerKnowsOf) {
  wait_answers = {code(137)};
  says("exited", 0, 137);
  events = answer(200);
  begin();
  EXPECT_EQ(end().exit_code, 137);
  EXPECT_FALSE(ends[0].oom_killed);
  EXPECT_EQ(inspects, 1);
}

TEST_F(ExitWatchTest, AskedForIsNotHeldUp) {
  wait_answers = {code(0)};
  says("exited", 0, 0);
  watch.expect_end();
  begin();
  EXPECT_EQ(end().exit_code, 0);
  EXPECT_EQ(inspects, 1);
  EXPECT_TRUE(asked_for_signs.empty());
}

TEST_F(ExitWatchTest, WithoutEventsTheExitCodeIsJudged) {
  wait_answers = {code(143)};
  says("exited", 0, 143);
  begin();
  EXPECT_EQ(end().exit_code, 143);
  EXPECT_EQ(inspects, 2);
}

TEST_F(ExitWatchTest, WithoutEventsAnOrdinaryExitIsNotHeldUp) {
  wait_answers = {code(0)};
  says("exited", 0, 0);
  begin();
  EXPECT_EQ(end().exit_code, 0);
  EXPECT_EQ(inspects, 1);
}

}  // namespace
}  // namespace sidecar_executor::docker
