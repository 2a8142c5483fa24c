// Collectors that are not there, come back, or move, in whole runs (relay.md).
#include <chrono>
#include <memory>
#include <sstream>

#include "relay_run.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using Kind = Collector::Kind;

/// Says one and two, and at SIGTERM last; then it ends well.
TaskBuilder talker() {
  return task_of("trap \"echo last; exit 0\" TERM; echo one; echo two; sleep 1000 & wait");
}

void end(const TaskBuilder& task) {
  run_command({"docker", "kill", "-s", "TERM", containers_of(task.id()).at(0)});
}

/// Free a moment ago, and of this host's tests alone.
int free_port(Kind kind) { return Collector(kind).port(); }

class RelayAwayTest : public SystemTest {};

TEST_F(RelayAwayTest, TcpCollectorThatComesLateGetsEveryLine) {
  const int port = free_port(Kind::tcp);
  const TaskBuilder task = talker();
  auto options = relay_to("127.0.0.1:" + std::to_string(port), "tcp");
  std::unique_ptr<Collector> collector;
  SandboxLog log;
  options.on_event = log.then([&] {
    EXPECT_TRUE(log.says("does not take log lines"));
    collector = std::make_unique<Collector>(Kind::tcp, "", port);
    EXPECT_TRUE(collector->wait_for(3));
    EXPECT_TRUE(log.says("takes log lines again"));
    end(task);
  });
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  ASSERT_NE(collector, nullptr);
  EXPECT_TRUE(collector->wait_for(4, 5s));
  EXPECT_EQ(payloads(*collector), (Texts{"one", "two", "last"}));
  EXPECT_NE(run.out.find("lines=3 "), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("dropped=0"), std::string::npos) << run.out;
}

TEST_F(RelayAwayTest, UdpCollectorThatComesLateGetsWhatIsSaidFromThenOn) {
  const int port = free_port(Kind::udp);
  const TaskBuilder task = talker();
  auto options = relay_to("127.0.0.1:" + std::to_string(port), "udp");
  std::unique_ptr<Collector> collector;
  SandboxLog log;
  options.on_event = log.then([&] {
    EXPECT_TRUE(log.says("Connection refused"));
    collector = std::make_unique<Collector>(Kind::udp, "", port);
    end(task);
  });
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  ASSERT_NE(collector, nullptr);
  EXPECT_TRUE(collector->wait_for(1, 5s)) << run.transcript();
  EXPECT_EQ(parsed(collector->records().back()).at("Payload"), "last");
  EXPECT_NE(run.out.find("lines=3 "), std::string::npos) << run.out;
  EXPECT_EQ(run.out.find("dropped=0"), std::string::npos) << run.out;
}

/// Lines with exactly this text, as the copy at the end brings them.
int copies(const std::string& text, const std::string& line) {
  int found = 0;
  std::istringstream in(text);
  for (std::string each; std::getline(in, each);) found += each == line ? 1 : 0;
  return found;
}

/// Its last words are in the sandbox by the terminal update, and what led to them: a copy that has
/// no time left asks for 1000 lines, and for all that it gets is a matter of luck.
void expect_boom_without_collector(const std::string& address, const std::string& protocol) {
  auto options = relay_to(address, protocol);
  options.executor_environment.emplace_back("EXECUTOR_CONTAINER_LOGS_STDOUT", "true");
  std::string sandbox;
  std::string seen;
  std::string led_to_it;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox") sandbox = event.at("path").as_string();
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_FAILED") {
      seen = read_file(sandbox + "/stderr");
      led_to_it = read_file(sandbox + "/stdout");
    }
  };
  const auto run = run_task(task_of("echo first; seq 4000; echo boom >&2; exit 1"), options);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_EQ(copies(seen, "boom"), 1) << run.transcript();
  EXPECT_EQ(copies(led_to_it, "first"), 1) << run.transcript();
  EXPECT_EQ(copies(led_to_it, "4000"), 1) << run.transcript();
  EXPECT_EQ(copies(run.err, "boom"), 1) << run.transcript();
  EXPECT_EQ(run.out.find("Logs could not be copied"), std::string::npos) << run.out;
}

TEST_F(RelayAwayTest, CrashIsInTheSandboxWhileNobodyListensOnTcp) {
  expect_boom_without_collector("127.0.0.1:" + std::to_string(free_port(Kind::tcp)), "tcp");
}

TEST_F(RelayAwayTest, CrashIsInTheSandboxWhileTheSocketIsMissing) {
  expect_boom_without_collector("/tmp/sx-relay-nobody." + std::to_string(::getpid()), "unix");
}

TEST_F(RelayAwayTest, CrashIsInTheSandboxOnceWhenTheCollectorIsThere) {
  Collector collector(Kind::tcp);
  auto options = relay_to(collector, "tcp");
  options.executor_environment.emplace_back("EXECUTOR_CONTAINER_LOGS_STDOUT", "true");
  const auto run = run_task(task_of("echo boom >&2; exit 1"), options);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_EQ(payloads(collector), (Texts{"boom"}));
  EXPECT_EQ(
      copies(run.out, collector.records().at(1).substr(0, collector.records().at(1).find('\n'))), 1)
      << run.out;
  EXPECT_EQ(copies(run.out, "boom") + copies(run.err, "boom"), 0) << run.transcript();
  EXPECT_NE(run.err.find("said last, in this sandbox's stdout"), std::string::npos) << run.err;
}

/// The name stays, its address changes: localhost has two.
TEST_F(RelayAwayTest, TcpCollectorThatMovesIsFollowed) {
  auto collector = std::make_unique<Collector>(Kind::tcp);
  const int port = collector->port();
  const TaskBuilder task = talker();
  auto options = relay_to("localhost:" + std::to_string(port), "tcp");
  std::unique_ptr<Collector> moved;
  SandboxLog log;
  options.on_event = log.then([&] {
    EXPECT_TRUE(collector->wait_for(3));
    EXPECT_EQ(payloads(*collector), (Texts{"one", "two"}));
    moved = std::make_unique<Collector>(Kind::tcp_v6, "", port);
    collector.reset();
    end(task);
  });
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  ASSERT_NE(moved, nullptr);
  EXPECT_TRUE(moved->wait_for(1, 5s)) << run.transcript();
  EXPECT_EQ(parsed(moved->records().at(0)).at("Payload"), "last");
}

}  // namespace
}  // namespace sx_test
