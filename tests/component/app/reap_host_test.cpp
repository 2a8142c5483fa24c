// reap for a host against a scripted Docker: what it asks for, what it tells, what it leaves alone.
#include "app/reap_host.hpp"

#include <unistd.h>

#include <map>
#include <sstream>

#include "app/process_facts.hpp"
#include "component/docker/engine_test.hpp"
#include "docker/container_spec.hpp"

namespace sidecar_executor::app {
namespace {

using namespace std::chrono_literals;
using docker::EngineTest;
using test::answer;
using test::SeenRequest;

const std::string id = "0123456789abcdef";

class HostReaperTest : public EngineTest {
 protected:
  /// Of a process that began with the machine: it is gone, if it ever was.
  static std::string gone() {
    const auto mark = process_start_mark();
    return "1" + mark.substr(mark.find('@'));
  }
  static std::string row(const std::string& state, const std::string& start = gone(),
                         const std::string& name = docker::container_name("task-1")) {
    return R"({"Id":")" + id + R"(","Names":["/)" + name + R"("],"Image":"i","State":")" + state +
           R"(","Created":1700000000,"Labels":{"io.sidecar-executor.task-id":"task-1",)" +
           R"("io.sidecar-executor.pid":")" + std::to_string(::getpid()) +
           R"(","io.sidecar-executor.pid-start":")" + start +
           R"(","io.sidecar-executor.pid-namespace":")" + pid_namespace() + R"("}})";
  }
  /// Answers by method and the beginning of the path; the list is `list`.
  void serve(std::string list, std::map<std::string, std::string> answers = {}) {
    make_engine({});  // the connection that is kept goes on with the script before
    server.serve([list = std::move(list), answers](const SeenRequest& request) {
      if (request.target == "/_ping") return answer(200, "OK");
      if (request.target.starts_with("/containers/json")) return answer(200, list);
      for (const auto& [begin, bytes] : answers)
        if ((request.method + " " + request.target).starts_with(begin)) return bytes;
      return refusal(404, "not in the script");
    });
  }
  int reap() {
    out.str("");
    HostReaper reaper(*engine, options, 3s, out);
    loop.run([&] { return reaper.run(); });
    loop.until([&] { return reaper.done(); }, "what was begun to end");
    return reaper.report();
  }
  std::vector<std::string> changes() const {
    std::vector<std::string> all;
    for (const auto& request : server.requests())
      if (request.method != "GET") all.push_back(request.method + " " + request.target);
    return all;
  }
  bool said(const std::string& text) const { return out.str().find(text) != std::string::npos; }

  ReapOptions options;
  std::ostringstream out;
};

using Changes = std::vector<std::string>;
const std::string stop_call = "POST /containers/" + id + "/stop";

TEST_F(HostReaperTest, ADryRunAsksAndChangesNothing) {
  serve("[" + row("running") + "]");
  EXPECT_EQ(reap(), 2);
  EXPECT_EQ(changes(), Changes{});
  EXPECT_TRUE(said("would stop    0123456789ab  task-1  running; its executor (pid " +
                   std::to_string(::getpid()) + ") is gone\n"))
      << out.str();
  EXPECT_TRUE(said("dry run, nothing was done: 1 to stop (add --stop), 0 left alone\n"));
}

TEST_F(HostReaperTest, StopsWithTheGrace) {
  options.stop = true;
  options.task_id = "task \"1\"";
  serve("[" + row("running") + "]", {{stop_call, answer(204)}});
  EXPECT_EQ(reap(), 0);
  EXPECT_EQ(changes(), Changes{stop_call + "?t=3"});
  EXPECT_TRUE(said("stopped       0123456789ab")) << out.str();
  EXPECT_TRUE(said("\n1 stopped, 0 left alone\n")) << out.str();
  const auto& list = server.requests().at(1).target;
  EXPECT_NE(list.find("all=0"), std::string::npos) << list;
  EXPECT_NE(list.find("task-id%3Dtask%20%5C%221%5C%22"), std::string::npos) << list;
}

TEST_F(HostReaperTest, ALivingExecutorsContainerIsNotTouched) {
  options.stop = options.remove = true;
  options.older_than = 0s;
  serve("[" + row("running", process_start_mark()) + "," + row("exited", process_start_mark()) +
        "," + row("running", gone(), "somebody's") + "]");
  EXPECT_EQ(reap(), 0);
  EXPECT_EQ(changes(), Changes{});
  EXPECT_EQ(out.str(), "0 stopped, 0 removed, 3 left alone\n");
}

/// Agents in containers: /mnt/mesos/sandbox is the sandbox of each of their tasks.
TEST_F(HostReaperTest, OfASandboxOnlyThatExecutorsContainersAreAskedFor) {
  options.stop = true;
  options.sandbox = "/mnt/mesos/sandbox";
  options.executor_id = "executor-1";
  options.framework_id = "framework-1";
  serve("[]");
  EXPECT_EQ(reap(), 0);
  EXPECT_EQ(out.str(), "") << "nothing was left, nobody wants to read about it";
  const auto& list = server.requests().at(1).target;
  for (const char* label : {".sandbox%3D%2Fmnt%2Fmesos%2Fsandbox%22",
                            ".executor-id%3Dexecutor-1%22", ".framework-id%3Dframework-1%22"})
    EXPECT_NE(list.find(label), std::string::npos) << list;
  serve("[" + row("running") + "," + row("running", process_start_mark()) + "]",
        {{stop_call, answer(204)}});
  EXPECT_EQ(reap(), 0);
  EXPECT_EQ(changes(), Changes{stop_call + "?t=3"});
  EXPECT_TRUE(said("leave         0123456789ab  task-1  running; its executor (pid ")) << out.str();
  EXPECT_TRUE(said("1 stopped, 1 left alone\n")) << out.str();
}

TEST_F(HostReaperTest, OfASandboxAnExecutorThatCannotBeSeenIsNotTakenForGone) {
  options.stop = true;
  options.sandbox = "/mnt/mesos/sandbox";
  serve("[" + row("running", "1@another-boot") + "]");
  EXPECT_EQ(reap(), 1);
  EXPECT_EQ(changes(), Changes{});
  EXPECT_TRUE(said("unknown       0123456789ab  task-1  running; ")) << out.str();
}

TEST_F(HostReaperTest, WhatCannotBeStoppedIsKilledAndElseSaid) {
  options.stop = true;
  serve("[" + row("paused") + "]", {{stop_call, refusal(500, "paused")},
                                    {"POST /containers/" + id + "/unpause", answer(204)},
                                    {"POST /containers/" + id + "/kill", answer(204)}});
  EXPECT_EQ(reap(), 0) << out.str();
  serve("[" + row("running") + "]", {{stop_call, refusal(500, "no such luck")},
                                     {"POST /containers/" + id + "/kill", refusal(500, "no")}});
  EXPECT_EQ(reap(), 1);
  EXPECT_TRUE(said("FAILED        0123456789ab  task-1  running; its executor")) << out.str();
  EXPECT_TRUE(said("it may still run")) << out.str();
  EXPECT_TRUE(said("0 stopped, 0 left alone, 1 FAILED\n")) << "not done, not counted\n"
                                                           << out.str();
}

TEST_F(HostReaperTest, RemovesOldOnesWithoutForce) {
  options.remove = true;
  options.older_than = 6h;
  const std::string inspect = "GET /containers/" + id + "/json";
  const auto ended = [](const std::string& when) {
    return answer(200, R"({"Id":"0123456789abcdef","Name":"/x","State":{"Status":"exited",)"
                       R"("Running":false,"ExitCode":0,"StartedAt":"2020-01-01T00:00:00Z",)"
                       R"("FinishedAt":")" +
                           when + R"("},"Config":{},"HostConfig":{},"NetworkSettings":{}})");
  };
  serve("[" + row("exited") + "]",
        {{inspect, ended("2020-01-02T00:00:00Z")}, {"DELETE", answer(204)}});
  EXPECT_EQ(reap(), 0) << out.str();
  EXPECT_EQ(changes(), Changes{"DELETE /containers/" + id + "?v=1&force=0"});
  EXPECT_TRUE(said("removed       0123456789ab  task-1  ended ")) << out.str();
  EXPECT_TRUE(said("\n0 to stop, 1 removed, 0 left alone\n")) << out.str();

  serve("[" + row("exited") + "]", {{inspect, ended("2199-01-01T00:00:00Z")}});
  EXPECT_EQ(reap(), 0);
  serve("[" + row("exited") + "]", {{inspect, answer(200, "no JSON")}});
  EXPECT_EQ(reap(), 0) << "its end is not known";
  serve("[" + row("exited") + "]", {{inspect, refusal(404, "gone meanwhile")}});
  EXPECT_EQ(reap(), 0);
  EXPECT_EQ(changes().size(), 1U);
  serve("[" + row("exited") + "]",
        {{inspect, ended("2020-01-02T00:00:00Z")}, {"DELETE", refusal(409, "it runs again")}});
  EXPECT_EQ(reap(), 1);
  EXPECT_TRUE(said("not removed: it runs again")) << out.str();
}

TEST_F(HostReaperTest, OnlyStoppingLeavesEndedOnesAndOnlyRemovingRunningOnes) {
  options.remove = true;
  options.older_than = 0s;
  serve("[" + row("running") + "]");
  EXPECT_EQ(reap(), 2);
  EXPECT_TRUE(said("would stop")) << out.str();
  EXPECT_EQ(changes(), Changes{});
}

TEST_F(HostReaperTest, ADockerThatCannotBeAsked) {
  always(refusal(500, "daemon is sick"));
  EXPECT_EQ(reap(), 69);
  EXPECT_TRUE(said("daemon is sick")) << out.str();
  serve("{\"no\":\"array\"}");
  EXPECT_EQ(reap(), 69);
  serve("[17,null,{},{\"Id\":\"x\",\"Labels\":[]}]");
  EXPECT_EQ(reap(), 0) << "what is no container of ours is left alone";
  make_impatient_engine();
  always_hang();
  EXPECT_EQ(reap(), 69);
}

}  // namespace
}  // namespace sidecar_executor::app
