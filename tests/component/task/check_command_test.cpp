// COMMAND checks through Docker's exec: what counts against the task, and what is Docker's trouble.
#include "component/task/check_probe.hpp"

namespace sidecar_executor::task {
namespace {

using test::answer;
using test::Peer;
using test::SeenRequest;

/// One frame of Docker's stream.
std::string frame(char stream, const std::string& text) {
  std::string out(8, '\0');
  out[0] = stream;
  out[7] = static_cast<char>(text.size());
  return out + text;
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n";

class CheckCommandTest : public CheckProbeTest {
 protected:
  void SetUp() override {
    daemon.always([this](Peer& peer) -> asio::awaitable<void> {
      for (;;) {
        const auto request = co_await peer.request();
        if (request.target.ends_with("/exec")) {
          ++created;
          co_await peer.send(create_answer);
        } else if (request.target.ends_with("/start")) {
          co_await peer.send(start_answer);
          if (hangs) co_await peer.hang();
          co_return;  // such a body ends with its connection
        } else {
          co_await peer.send(exits.size() > 1
                                 ? std::exchange(exits, {exits.begin() + 1, exits.end()}).front()
                                 : exits.front());
        }
      }
    });
  }

  static std::string running() { return answer(200, R"({"Running":true,"ExitCode":null})"); }
  static std::string exited(int code) {
    return answer(200, R"({"Running":false,"ExitCode":)" + std::to_string(code) + "}");
  }
  static std::string refusal(int status, const std::string& why) {
    return answer(status, R"({"message":")" + why + "\"}");
  }

  std::string create_answer = answer(201, R"({"Id":"e1"})");
  std::string start_answer = stream_head;
  std::vector<std::string> exits{exited(0)};  ///< inspect by inspect; the last one goes on
  bool hangs = false;
  int created = 0;
};

TEST_F(CheckCommandTest, AsksDockerForIt) {
  EXPECT_EQ(seen(command()), "Exited: exit code 0");
  ASSERT_EQ(daemon.requests().size(), 3U);
  EXPECT_EQ(daemon.requests()[0].method, "POST");
  EXPECT_EQ(daemon.requests()[0].target, "/v1.41/containers/0123456789ab/exec");
  EXPECT_EQ(daemon.requests()[0].body, R"({"AttachStdout":true,"AttachStderr":true,)"
                                       R"("Cmd":["/bin/sh","-c","check it"],"Env":["A=1"]})");
  EXPECT_EQ(daemon.requests()[1].method, "POST");
  EXPECT_EQ(daemon.requests()[1].target, "/v1.41/exec/e1/start");
  EXPECT_EQ(daemon.requests()[1].body, R"({"Detach":false,"Tty":false})");
  EXPECT_EQ(daemon.requests()[2].method, "GET");
  EXPECT_EQ(daemon.requests()[2].target, "/v1.41/exec/e1/json");
}

TEST_F(CheckCommandTest, TellsTheCodeAndTheLastLine) {
  exits = {exited(3)};
  start_answer = stream_head + frame(1, "begin\n") + frame(2, "no conn") +
                 frame(2, "ection\x1b[0m \xff\n") + frame(1, "\n  \n");
  EXPECT_EQ(seen(command()), "Exited: exit code 3 (no connection [0m \xef\xbf\xbd)");
  start_answer = stream_head + frame(1, "without an end");
  EXPECT_EQ(seen(command()), "Exited: exit code 3 (without an end)");
  start_answer = stream_head + frame(1, "no way to http://u:pw@h/ with DB_PASSWORD=hush me now");
  EXPECT_EQ(seen(command()),
            "Exited: exit code 3 (no way to http://u:***@h/ with DB_PASSWORD=[REDACTED])");
  const std::string before_the_cut(158, 'x');
  start_answer =
      stream_head + frame(1, before_the_cut + " cannot reach https://user:hunter2secretpassword@h");
  EXPECT_EQ(seen(command()),
            "Exited: exit code 3 (" + before_the_cut + " cannot reach https://user:***@h)");
  start_answer = stream_head + frame(1, "see https://user:");
  for (int i = 0; i < 90; ++i) start_answer += frame(1, std::string(100, 'p'));
  EXPECT_EQ(seen(command()), "Exited: exit code 3 (see )") << "a password without its end";
  start_answer = stream_head;
  for (int i = 0; i < 50; ++i) start_answer += frame(1, std::string(100, 'x'));
  EXPECT_EQ(seen(command()), "Exited: exit code 3 (" + std::string(197, 'x') + "...)");
}

TEST_F(CheckCommandTest, DockersTroubleIsNotTheTasks) {
  create_answer = refusal(409, "Container 0123 is paused, unpause the container before exec");
  EXPECT_EQ(seen(command()),
            "NotPerformed: Container 0123 is paused, unpause the container before exec");
  create_answer = answer(201, "{}");
  EXPECT_EQ(seen(command()), "NotPerformed: Docker's answer to exec has no Id");
  create_answer = answer(201, R"({"Id":"e1"})");
  start_answer = refusal(500, "shim is gone");
  EXPECT_EQ(seen(command()), "NotPerformed: shim is gone");
  start_answer = stream_head + "no frame at all";
  EXPECT_TRUE(seen(command()).starts_with("NotPerformed: "));
  start_answer = stream_head;
  exits = {refusal(404, "No such exec instance: e1")};
  EXPECT_EQ(seen(command()), "NotPerformed: No such exec instance: e1");
  daemon.stop();
  EXPECT_TRUE(seen(command()).starts_with("NotPerformed: "));
}

TEST_F(CheckCommandTest, ADockerThatHangsIsNotTheTasksFault) {
  start_answer = "HTTP/1.1 200";
  hangs = true;
  docker::Engine impatient(loop.executor(), {daemon.address(), "1.41"}, {.call = brief});
  CheckProbe hanging(loop.executor(), impatient, cancellation);
  auto check = command();
  const auto result = loop.run([&] { return hanging.run(check, target); });
  EXPECT_TRUE(std::holds_alternative<NotPerformed>(result)) << describe(result);
}

/// Docker cannot end it: no second one is started beside it.
TEST_F(CheckCommandTest, ACommandThatHangsIsNotStartedAgain) {
  hangs = true;
  exits = {running()};
  start_answer = stream_head + frame(1, "wait");
  EXPECT_EQ(seen(command(brief)), "NoResult: no result within 150 ms");
  EXPECT_EQ(created, 1);
  EXPECT_EQ(seen(command()), "NoResult: the command of an earlier check still runs");
  EXPECT_EQ(created, 1);
  hangs = false;
  exits = {exited(137), exited(0)};
  EXPECT_EQ(seen(command()), "Exited: exit code 0 (wait)");
  EXPECT_EQ(created, 2);
}

TEST_F(CheckCommandTest, ALostCommandIsForgotten) {
  hangs = true;
  EXPECT_EQ(seen(command(brief)), "NoResult: no result within 150 ms");
  hangs = false;
  exits = {refusal(500, "starting")};
  EXPECT_EQ(seen(command()), "NotPerformed: starting");
  EXPECT_EQ(created, 1);
  exits = {refusal(404, "No such exec instance"), exited(0)};
  EXPECT_EQ(seen(command()), "Exited: exit code 0");
}

TEST_F(CheckCommandTest, ItMayCloseItsOutputAndGoOn) {
  exits = {running(), running(), exited(4)};
  EXPECT_EQ(seen(command()), "Exited: exit code 4");
  exits = {running()};
  EXPECT_EQ(seen(command(brief)), "NoResult: no result within 150 ms");
  EXPECT_EQ(seen(command(brief)), "NoResult: the command of an earlier check still runs");
}

TEST_F(CheckCommandTest, CancelledItEndsAtOnce) {
  hangs = true;
  auto check = command(net::Duration::max());
  auto running_check = loop.start([&] { return probe.run(check, target); });
  loop.until([&] { return daemon.requests().size() == 2; }, "the start");
  cancellation.cancel();
  loop.finish(running_check, 5s);
}

}  // namespace
}  // namespace sidecar_executor::task
