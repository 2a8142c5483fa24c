// Docker hangs, dies and restarts, and somebody else handles the container (behaviour.md 5, 6, 11).
// Each test has a dockerd of its own.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <thread>

#include "relay_run.hpp"
#include "support/system.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using LiveRestore = PrivateDocker::LiveRestore;

const std::vector<std::string> finished{"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"};
const std::vector<std::string> failed{"TASK_STARTING", "TASK_RUNNING", "TASK_FAILED"};
const std::vector<std::string> killed{"TASK_STARTING", "TASK_RUNNING", "TASK_KILLING",
                                      "TASK_KILLED"};

class DockerFaultTest : public ::testing::Test {
 protected:
  /// Runs until go() and ends with `code`.
  TaskBuilder until_go(int code) {
    return make("/bin/sh -c 'while [ ! -e /x/go ]; do sleep 0.05; done; exit " +
                std::to_string(code) + "'");
  }
  TaskBuilder make(const std::string& command) {
    TaskBuilder task(command);
    task.docker()["network"] = "NONE";
    task.container()["volumes"] = json::array{
        {{"container_path", "/x"}, {"host_path", docker.folder() + "/shared"}, {"mode", "RO"}}};
    return task;
  }
  void go() { std::ofstream(docker.folder() + "/shared/go") << "\n"; }
  static std::string only_container() {
    std::string id = run_command({"docker", "ps", "-q", "--no-trunc"}).output;
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
  }
  /// `action` at the update of this state.
  static RunOptions at(const std::string& state, std::function<void()> action,
                       std::vector<std::string> arguments = {}) {
    RunOptions options;
    options.agent_arguments = std::move(arguments);
    options.on_event = [state, action = std::move(action)](const json::object& event) {
      if (event.at("event") == "update" &&
          std::string_view(event.at("status").at("state").as_string()) == state)
        action();
    };
    options.limit = 100s;
    return options;
  }

  PrivateDocker docker{LiveRestore::yes};
};

TEST_F(DockerFaultTest, HangsWhileTheContainerRuns) {
  const auto task = until_go(7);
  const auto run = run_task(task, at("TASK_RUNNING", [this] {
                              docker.hang();
                              EXPECT_FALSE(docker.answers());
                              docker.go_on();
                              EXPECT_TRUE(docker.answers());
                              go();
                            }));
  EXPECT_EQ(run.states(), failed) << run.transcript();
  EXPECT_NE(run.last().message.find("exited with code 7"), std::string::npos) << run.last().message;
}

TEST_F(DockerFaultTest, ContainerEndsWhileDockerHangs) {
  const auto task = until_go(7);
  const auto run = run_task(task, at("TASK_RUNNING", [this] {
                              docker.hang();
                              go();
                              EXPECT_FALSE(docker.answers());
                              EXPECT_FALSE(docker.answers());
                              docker.go_on();
                            }));
  EXPECT_EQ(run.states(), failed) << run.transcript();
  EXPECT_NE(run.last().message.find("exited with code 7"), std::string::npos) << run.last().message;
}

TEST_F(DockerFaultTest, HangsDuringAKill) {
  const auto task = make("/bin/sh -c 'trap \"\" TERM; while true; do sleep 0.1; done'");
  std::jthread later;
  auto options = at("TASK_KILLING",
                    [&] {
                      docker.hang();
                      later = std::jthread([this] {
                        for (int i = 0; i < 3; ++i) EXPECT_FALSE(docker.answers());  // 2 s each
                        docker.go_on();
                      });
                    },
                    {"--kill-after", "0.2", "--kill-grace", "1"});
  const auto run = run_task(task, options);
  EXPECT_EQ(run.states(), killed) << run.transcript();
  EXPECT_NE(run.last().message.find("137"), std::string::npos) << run.last().message;
  EXPECT_EQ(only_container(), "");
}

struct Restart {
  const char* name;
  bool kill;
  LiveRestore next;
  bool survives;
};
class DockerRestartTest : public DockerFaultTest, public ::testing::WithParamInterface<Restart> {};

TEST_P(DockerRestartTest, TheEndIsReportedAndNotBefore) {
  const auto task = until_go(7);
  const auto run = run_task(task, at("TASK_RUNNING", [this] {
                              if (GetParam().kill)
                                docker.kill();
                              else
                                docker.stop();
                              docker.start(GetParam().next);
                              EXPECT_EQ(only_container().empty(), !GetParam().survives);
                              go();
                            }));
  ASSERT_EQ(run.updates.size(), 3U) << run.transcript();
  EXPECT_EQ(run.updates[1].state, "TASK_RUNNING");
  if (GetParam().survives) {
    EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
    EXPECT_NE(run.last().message.find("exited with code 7"), std::string::npos)
        << run.last().message;
  } else {
    EXPECT_NE(run.last().state, "TASK_FINISHED") << run.transcript();
  }
  EXPECT_EQ(run.executor_exit, 0);
}

INSTANTIATE_TEST_SUITE_P(All, DockerRestartTest,
                         ::testing::Values(Restart{"Stopped", false, LiveRestore::yes, true},
                                           Restart{"Killed", true, LiveRestore::yes, true},
                                           Restart{"KilledThenWithoutLiveRestore", true,
                                                   LiveRestore::no, false}),
                         [](const auto& info) { return info.param.name; });

TEST_F(DockerFaultTest, StoppedWithoutLiveRestoreEndsTheTask) {
  docker.stop();
  docker.start(LiveRestore::no);
  const auto task = make("/bin/sh -c 'trap \"exit 143\" TERM; while true; do sleep 0.1; done'");
  const auto run = run_task(task, at("TASK_RUNNING", [this] { docker.stop(); }));
  ASSERT_EQ(run.updates.size(), 3U) << run.transcript();
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_NE(run.last().message.find("not requested by Mesos"), std::string::npos);
}

TEST_F(DockerFaultTest, AwayAtTheLaunchIsWaitedFor) {
  docker.stop();
  go();
  const auto task = until_go(0);
  const auto run = run_task(task, at("TASK_STARTING", [this] { docker.start(LiveRestore::yes); }));
  EXPECT_EQ(run.states(), finished) << run.transcript();
}

TEST_F(DockerFaultTest, HangsAtTheLaunchForAWhile) {
  std::jthread later;
  go();
  docker.hang();
  const auto task = until_go(0);
  const auto run = run_task(task, at("TASK_STARTING", [&] {
                              later = std::jthread([this] {
                                EXPECT_FALSE(docker.answers());
                                docker.go_on();
                              });
                            }));
  EXPECT_EQ(run.states(), finished) << run.transcript();
}

TEST_F(DockerFaultTest, AwayDuringAStopTheKillIsDoneWhenItIsBack) {
  const auto task = make("/bin/sh -c 'trap \"\" TERM; while true; do sleep 0.1; done'");
  const auto run = run_task(task, at("TASK_KILLING",
                                     [this] {
                                       docker.kill();
                                       docker.start(LiveRestore::yes);
                                     },
                                     {"--kill-after", "0.2", "--kill-grace", "1"}));
  EXPECT_EQ(run.states(), killed) << run.transcript();
  EXPECT_EQ(only_container(), "");
}

TEST_F(DockerFaultTest, AwayForGoodDuringAStopMayStillRun) {
  const auto task = make("/bin/sleep 1000");
  const auto run =
      run_task(task, at("TASK_RUNNING", [this] { docker.kill(); }, {"--kill-after", "1"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_NE(run.last().message.find("may still run"), std::string::npos) << run.last().message;
}

TEST_F(DockerFaultTest, PausedBySomebodyElseThenKilled) {
  const auto task = make("/bin/sh -c 'trap \"exit 3\" TERM; while true; do sleep 0.1; done'");
  const auto run = run_task(
      task, at("TASK_RUNNING",
               [] { EXPECT_EQ(run_command({"docker", "pause", only_container()}).code, 0); },
               {"--kill-after", "2", "--kill-grace", "10"}));
  EXPECT_EQ(run.states(), killed) << run.transcript();
  EXPECT_NE(run.last().message.find("exit code 3"), std::string::npos) << run.last().message;
}

TEST_F(DockerFaultTest, RestartedBySomebodyElseGoesOn) {
  const auto task = until_go(7);
  SandboxLog log;
  RunOptions options;
  options.limit = 100s;
  options.on_event = log.then([&] {
    run_command({"docker", "restart", "-t", "0", only_container()});
    // On a busy machine the new run could be over before anybody saw it.
    EXPECT_TRUE(log.says("restarted by somebody else"));
    go();
  });
  const auto run = run_task(task, options);
  EXPECT_EQ(run.states(), failed) << run.transcript();
  EXPECT_NE(run.last().message.find("exited with code 7"), std::string::npos) << run.last().message;
}

/// Between Docker's stop and its start it looks finished.
TEST_F(DockerFaultTest, RestartedBySomebodyElseThoughItEndsWith0GoesOn) {
  const auto task =
      make("/bin/sh -c 'trap \"exit 0\" TERM; while [ ! -e /x/go ]; do sleep 0.05; done; exit 7'");
  const auto run = run_task(task, at("TASK_RUNNING", [this] {
                              for (int i = 0; i < 4; ++i)
                                run_command({"docker", "restart", only_container()});
                              go();
                            }));
  EXPECT_EQ(run.states(), failed) << run.transcript();
  EXPECT_NE(run.last().message.find("exited with code 7"), std::string::npos) << run.last().message;
}

TEST_F(DockerFaultTest, StoppedBySomebodyElse) {
  const auto task = until_go(7);
  const auto run = run_task(task, at("TASK_RUNNING", [] {
                              run_command({"docker", "stop", "-t", "0", only_container()});
                            }));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_NE(run.last().message.find("not requested by Mesos"), std::string::npos);
}

TEST_F(DockerFaultTest, RemovedBySomebodyElse) {
  const auto task = until_go(7);
  const auto run = run_task(
      task, at("TASK_RUNNING", [] { run_command({"docker", "rm", "-f", only_container()}); }));
  EXPECT_NE(run.last().message.find("removed by somebody else"), std::string::npos)
      << run.transcript();
}

}  // namespace
}  // namespace sx_test
