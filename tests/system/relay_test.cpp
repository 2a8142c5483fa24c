// The log relay with real containers: what a collector gets, and when (relay.md).
#include <fstream>
#include <set>
#include <sstream>

#include "support/collector.hpp"
#include "support/system.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using Kind = Collector::Kind;
using Texts = std::vector<std::string>;

TaskBuilder task_of(const std::string& script) {
  TaskBuilder task("/bin/sh -c '" + script + "'");
  task.docker()["network"] = "NONE";
  return task;
}

RunOptions relay_to(const Collector& collector, const std::string& protocol) {
  RunOptions options;
  options.executor_environment = {{"EXECUTOR_RELAY_SYSLOG", "true"},
                                  {"EXECUTOR_SYSLOG_ADDR", collector.address()},
                                  {"EXECUTOR_SYSLOG_PROTOCOL", protocol},
                                  {"EXECUTOR_LOG_HOSTNAME", "h"}};
  return options;
}

json::object parsed(const std::string& record) { return json::parse(record).as_object(); }

/// Payloads behind our own first line.
Texts payloads(Collector& collector) {
  Texts out;
  for (const auto& record : collector.records()) {
    out.emplace_back(parsed(record).at("Payload").as_string());
  }
  if (out.empty()) return out;
  EXPECT_TRUE(out.front().starts_with("sidecar-executor starting log pump for '")) << out.front();
  out.erase(out.begin());
  return out;
}

class RelayTest : public SystemTest {};

TEST_F(RelayTest, EveryLineOfAContainerThatDiesAtOnceArrivesBeforeTheTerminalUpdate) {
  Collector collector(Kind::udp);
  auto options = relay_to(collector, "udp");
  options.executor_environment.emplace_back("EXECUTOR_SEND_DOCKER_LABELS", "ServiceName,Missing");
  options.executor_environment.emplace_back("EXECUTOR_CONTAINER_LOGS_STDOUT", "true");
  // Our own and four: what has come by the update was sent before it.
  bool in_time = false;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_FAILED") {
      in_time = collector.wait_for(5, 1s);
    }
  };
  TaskBuilder task = task_of("echo one; echo; echo an Error >&2; printf last; exit 3");
  task.parameter("label", "ServiceName=svc");
  const auto run = run_task(task, options);
  EXPECT_TRUE(in_time) << run.transcript();
  const auto records = collector.records();
  ASSERT_EQ(records.size(), 5U) << run.transcript();
  std::multiset<std::string> seen;
  for (const auto& record : records) {
    const auto fields = parsed(record);
    EXPECT_EQ(fields.at("Hostname"), "h");
    EXPECT_EQ(fields.at("ServiceName"), "svc");
    EXPECT_EQ(fields.size(), 5U) << record;
    EXPECT_EQ(record.back(), '\n');
    seen.insert(std::string(fields.at("Payload").as_string()) + "/" +
                std::string(fields.at("Level").as_string()));
    // The copy in stdout is the record itself.
    EXPECT_NE(run.out.find(record), std::string::npos) << record;
  }
  seen.erase(seen.lower_bound("sidecar-executor"));
  EXPECT_EQ(seen, (std::multiset<std::string>{"one/info", "/info", "an Error/error", "last/info"}));
  EXPECT_EQ(run.out.find("\none\n"), std::string::npos) << "not copied a second time";
}

TEST_F(RelayTest, LinesOfAllLengths) {
  Collector collector(Kind::unix_socket, "/tmp/sx-relay-lengths." + std::to_string(::getpid()));
  const std::vector<std::size_t> lengths{16383, 16384, 16385, 65536, 1048576, 3};
  std::string script;
  for (const auto length : lengths) {
    script += "head -c " + std::to_string(length) + " /dev/zero | tr \"\\\\0\" x; echo; ";
  }
  const auto run = run_task(task_of(script), relay_to(collector, "unix"));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  std::vector<std::size_t> got;
  for (const auto& record : collector.records()) {
    EXPECT_LE(record.size(), 65'507U);
    const auto fields = parsed(record);
    const std::size_t size = fields.at("Payload").as_string().size();
    const auto* part = fields.if_contains("Part");
    const bool goes_on = part != nullptr && !part->as_string().starts_with("1/");
    goes_on ? got.back() += size : (got.push_back(size), 0U);
  }
  ASSERT_FALSE(got.empty());
  got.erase(got.begin());
  EXPECT_EQ(got, lengths) << run.transcript();
}

TEST_F(RelayTest, AMillionLinesOverTcp) {
  Collector collector(Kind::tcp);
  collector.count_only();
  // Waits at its end: dockerd takes lines in faster than it gives them out, and the relay has 5 s.
  const TaskBuilder task =
      task_of("yes " + std::string(99, 'x') + " | head -n 1000000; exec sleep 1000");
  auto options = relay_to(collector, "tcp");
  options.limit = 150s;
  options.agent_arguments = {"--kill-after", "60", "--kill-grace", "0"};
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING") {
      EXPECT_TRUE(collector.wait_for(1'000'001, 120s)) << collector.count();
      run_command({"docker", "kill", containers_of(task.id()).at(0)});
    }
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(collector.count(), 1'000'001U) << run.transcript();
  EXPECT_NE(run.out.find("lines=1000000 "), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("dropped=0"), std::string::npos) << run.out;
}

TEST_F(RelayTest, KillDuringAFloodIsAsQuickAsWithout) {
  Collector collector(Kind::udp);
  collector.count_only();
  // From TASK_KILLING to the terminal update.
  const auto takes = [](RunOptions options) {
    double killing = 0;
    options.agent_arguments = {"--kill-after", "1", "--kill-grace", "0"};
    options.on_event = [&killing](const json::object& event) {
      if (event.at("event") == "update" && event.at("status").at("state") == "TASK_KILLING") {
        killing = event.at("t").to_number<double>();
      }
    };
    const auto run = run_task(task_of("exec yes flood"), options);
    EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
    return run.last().at - killing;
  };
  const double without = takes({});
  const double with = takes(relay_to(collector, "udp"));
  EXPECT_GT(collector.count(), 1000U);
  // Both copy the last of the log, and the relay shares the same 5 s.
  EXPECT_LT(with, without + 6.0);
}

TEST_F(RelayTest, StartupOnlyStopsInTime) {
  Collector collector(Kind::udp);
  auto options = relay_to(collector, "udp");
  options.executor_environment.emplace_back("EXECUTOR_RELAY_SYSLOG_STARTUP_ONLY", "true");
  options.executor_environment.emplace_back("EXECUTOR_RELAY_SYSLOG_STARTUP_TIME", "1s");
  const auto run = run_task(
      task_of("for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo $i; sleep 0.2; done"), options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  const auto got = payloads(collector);
  EXPECT_GE(got.size(), 2U);
  EXPECT_LE(got.size(), 8U) << "a line every 0.2 s for 1 s";
  EXPECT_NE(run.out.find("RelaySyslogStartupTime is over"), std::string::npos) << run.out;
}

class RelayRestartTest : public ::testing::Test {
 protected:
  PrivateDocker docker{PrivateDocker::LiveRestore::yes};
};

/// A daemon's own default: the parameter log-driver is not honoured yet.
TEST_F(RelayRestartTest, OtherLogDrivers) {
  for (const std::string driver : {"local", "none"}) {
    docker.stop();
    std::ofstream(docker.folder() + "/daemon.json") << "{\"log-driver\":\"" + driver + "\"}\n";
    docker.start(PrivateDocker::LiveRestore::yes);
    Collector collector(Kind::udp);
    const auto run = run_task(task_of("echo one; echo two"), relay_to(collector, "udp"));
    EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
    if (driver == "none") {
      EXPECT_NE(run.out.find("log driver none"), std::string::npos) << run.out;
      EXPECT_EQ(collector.count(), 0U);
    } else {
      EXPECT_TRUE(collector.wait_for(3, std::chrono::seconds(1))) << run.transcript();
      EXPECT_EQ(payloads(collector), (Texts{"one", "two"}));
    }
  }
}

TEST_F(RelayRestartTest, DockerdRestartedInTheMiddleLosesAndRepeatsNoLine) {
  Collector collector(Kind::unix_socket, docker.folder() + "/log");
  auto options = relay_to(collector, "unix");
  options.limit = 100s;
  TaskBuilder task = task_of(
      "i=0; while [ ! -e /x/go ]; do echo line $i; i=$((i+1)); sleep 0.01; done; echo end $i");
  task.container()["volumes"] = json::array{
      {{"container_path", "/x"}, {"host_path", docker.folder() + "/shared"}, {"mode", "RO"}}};
  options.on_event = [&](const json::object& event) {
    if (event.at("event") != "update" || event.at("status").at("state") != "TASK_RUNNING") return;
    EXPECT_TRUE(collector.wait_for(50));
    docker.stop();
    docker.start(PrivateDocker::LiveRestore::yes);
    const auto before = collector.count();
    EXPECT_TRUE(collector.wait_for(before + 50)) << "the relay is back";
    docker.kill();
    docker.start(PrivateDocker::LiveRestore::yes);
    EXPECT_TRUE(collector.wait_for(collector.count() + 50)) << "and again";
    run_command({"touch", docker.folder() + "/shared/go"});
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  // What dockerd itself has kept is the measure: it may lose a line of its own when it is killed.
  std::istringstream kept(run_command({"docker", "logs", containers_of(task.id()).at(0)}).output);
  Texts wanted;
  for (std::string line; std::getline(kept, line);) wanted.push_back(line);
  EXPECT_GT(wanted.size(), 150U);
  EXPECT_EQ(payloads(collector), wanted) << run.out;
}

}  // namespace
}  // namespace sx_test
