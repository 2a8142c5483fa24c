// The network between executor and agent drops every packet, in silence: nobody is told that the
// connection is dead (behaviour.md 11.13). Each run has a network name space of its own; Docker is
// spoken to by a unix socket, which does not care. The name space ends with its processes.
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "support/system.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using States = std::vector<std::string>;

class PrivateNetworkTest : public ::testing::Test {
 protected:
  /// Runs until go(name) and ends with 0, on TERM with 3.
  TaskBuilder task_of(const std::string& name) const {
    TaskBuilder task("/bin/sh -c 'trap \"exit 3\" TERM; while [ ! -e /x/" + name +
                     " ]; do sleep 0.1; done'");
    task.docker()["network"] = "NONE";
    task.container()["volumes"] = json::array{
        {{"container_path", "/x"}, {"host_path", docker.folder() + "/shared"}, {"mode", "RO"}}};
    return task;
  }
  void go(const std::string& name) const {
    std::ofstream(docker.folder() + "/shared/" + name) << "\n";
  }

  /// `running` is called when the task runs, in the name space, with the path of the log.
  RunResult run(const std::string& name, std::vector<std::string> arguments,
                const std::function<void(const std::string& log)>& running) const {
    RunOptions options;
    options.agent_arguments = std::move(arguments);
    options.limit = 150s;
    std::string log;
    options.on_event = [&](const json::object& event) {
      if (event.at("event") == "sandbox")
        log = std::string(event.at("path").as_string()) + "/stdout";
      if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING")
        running(log);
    };
    RunResult result;
    std::thread([&] {
      ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
      ASSERT_EQ(run_command({"busybox", "ip", "link", "set", "lo", "up"}).code, 0);
      result = run_task(task_of(name), options);
    }).join();
    return result;
  }

  // In the name space of the calling thread, both directions.
  static void drop() {
    EXPECT_EQ(run_command({"iptables", "-w", "-A", "INPUT", "-j", "DROP"}).code, 0);
  }
  static void restore() { EXPECT_EQ(run_command({"iptables", "-w", "-F"}).code, 0); }

  static void wait_for(const std::string& log, const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + 100s;
    while (read_file(log).find(text) == std::string::npos) {
      ASSERT_LT(std::chrono::steady_clock::now(), end) << text << "\n" << read_file(log);
      std::this_thread::sleep_for(50ms);
    }
  }

  /// Once each: an update that comes again has the uuid that it had.
  static void expect_finished(const RunResult& run) {
    States states;
    std::vector<std::string> uuids;
    for (const auto& update : run.updates) {
      const std::string uuid(update.status.at("uuid").as_string());
      if (std::find(uuids.begin(), uuids.end(), uuid) != uuids.end()) continue;
      uuids.push_back(uuid);
      states.push_back(update.state);
    }
    EXPECT_EQ(states, (States{"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}))
        << run.transcript();
    EXPECT_EQ(run.executor_exit, 0) << run.transcript();
  }

  static long subscriptions(const RunResult& run) {
    return std::count_if(run.events.begin(), run.events.end(),
                         [](const json::object& e) { return e.at("event") == "subscribed"; });
  }

  const char* const lost = "Connection to the agent lost";
  PrivateDocker docker{PrivateDocker::LiveRestore::no};
};

/// A minute passes before the kernel gives the connection up: all at the same time. Before that the
/// event stream is the same when the packets pass again.
TEST_F(PrivateNetworkTest, EveryPacketIsDropped) {
  RunResult idle;
  RunResult ending;
  RunResult brief;
  RunResult kept_lost;
  std::thread first([&] {
    idle = run("idle", {}, [&](const std::string& log) {
      drop();
      wait_for(log, lost);
      restore();
      wait_for(log, "Executor subscribed to events\" agent=");
      go("idle");
    });
  });
  std::thread second([&] {
    ending = run("ending", {}, [&](const std::string& log) {
      drop();
      go("ending");
      wait_for(log, lost);
      restore();
    });
  });
  std::thread third([&] {
    brief = run("brief", {}, [&](const std::string& log) {
      drop();
      go("brief");
      wait_for(log, "The agent did not take an update");
      restore();
    });
  });
  std::thread fourth([&] {
    kept_lost =
        run("kept_lost", {"--recovery-timeout", "2secs"}, [&](const std::string&) { drop(); });
  });
  first.join();
  second.join();
  third.join();
  fourth.join();
  expect_finished(idle);
  EXPECT_GE(subscriptions(idle), 2) << idle.transcript();
  expect_finished(ending);
  EXPECT_GE(subscriptions(ending), 2) << ending.transcript();
  expect_finished(brief);
  EXPECT_EQ(subscriptions(brief), 1) << brief.transcript();
  EXPECT_EQ(kept_lost.executor_exit, 1) << kept_lost.transcript();
  EXPECT_NE(kept_lost.out.find("did not come back within 2s"), std::string::npos)
      << kept_lost.transcript();
  EXPECT_NE(kept_lost.out.find("Container ended\" exit_code=3"), std::string::npos)
      << kept_lost.transcript();
  EXPECT_EQ(run_command({"docker", "ps", "-q"}).output, "");
}

}  // namespace
}  // namespace sx_test
