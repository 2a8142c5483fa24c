// The log relay with real containers: what a collector gets, and when (relay.md).
#include <set>
#include <sstream>

#include "relay_run.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using Kind = Collector::Kind;

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

/// They are the container's, as Sidecar and docker inspect see it.
TEST_F(RelayTest, LabelsOfTheImageCount) {
  const std::string base = "sx-labelled-" + std::to_string(::getpid());
  ASSERT_EQ(run_command({"docker", "create", "--name", base, image(), "/bin/true"}).code, 0);
  own_container(base);
  // Not by docker commit, which Podman's socket does not take.
  const std::string with_labels =
      "docker export \"$0\" | docker import --change \"LABEL Team=blue\" "
      "--change \"LABEL SidecarDiscover=false\" - \"$0:1\"";
  ASSERT_EQ(run_command({"/bin/sh", "-c", with_labels, base}).code, 0);
  Collector collector(Kind::udp);
  auto options = relay_to(collector, "udp");
  options.executor_environment.emplace_back("EXECUTOR_SEND_DOCKER_LABELS", "Team");
  TaskBuilder task = task_of("echo one");
  task.image(base + ":1");
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  ASSERT_TRUE(collector.wait_for(2, 5s)) << run.transcript();
  for (const auto& record : collector.records()) EXPECT_EQ(parsed(record).at("Team"), "blue");
  EXPECT_NE(run.out.find("Not checked by Sidecar"), std::string::npos) << run.out;
  for (const auto& id : containers_of(task.id())) run_command({"docker", "rm", "-f", id});
  run_command({"docker", "image", "rm", "-f", base + ":1"});
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

TEST_F(RelayTest, KillDuringAFloodIsNotHeldUp) {
  Collector collector(Kind::udp);
  collector.count_only();
  const TaskBuilder task = task_of("exec yes flood");
  auto options = relay_to(collector, "udp");
  options.agent_arguments = {"--kill-after", "1", "--kill-grace", "0"};
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_GT(collector.count(), 1000U);
  // dockerd has more than can be sent: either all of it went out, or the end was bounded.
  const auto ended = run.out.find("Log relay ended");
  EXPECT_NE(ended, std::string::npos) << run.out;
  const auto given_up = run.out.find("does not come to its end in time");
  EXPECT_TRUE(given_up == std::string::npos || given_up < ended) << run.out;
  EXPECT_EQ(run.out.find("may still run"), std::string::npos) << run.out;
}

TEST_F(RelayTest, StartupOnlyStopsWhileTheContainerGoesOn) {
  Collector collector(Kind::udp);
  auto options = relay_to(collector, "udp");
  options.executor_environment.emplace_back("EXECUTOR_RELAY_SYSLOG_STARTUP_ONLY", "true");
  options.executor_environment.emplace_back("EXECUTOR_RELAY_SYSLOG_STARTUP_TIME", "1s");
  const TaskBuilder task =
      task_of("trap \"echo after; exit 0\" TERM; while :; do echo x; sleep 0.05; done");
  SandboxLog log;
  std::size_t relayed = 0;
  options.on_event = log.then([&] {
    EXPECT_TRUE(log.says("Log relay ended"));
    relayed = collector.count();
    run_command({"docker", "kill", "-s", "TERM", containers_of(task.id()).at(0)});
  });
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_GE(relayed, 2U);
  EXPECT_EQ(collector.count(), relayed);
  // Whole seconds: a second later is another one.
  EXPECT_LT(time_of(run.out, "Relaying the container's log"),
            time_of(run.out, "RelaySyslogStartupTime is over"))
      << run.out;
}

class RelayRestartTest : public ::testing::Test {
 protected:
  PrivateDocker docker{PrivateDocker::LiveRestore::yes};
};

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
