// KILL, SHUTDOWN and signals, in each phase (behaviour.md 6).
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/system.hpp"

namespace sx_test {
namespace {

class KillTest : public SystemTest {};

const char* const dies_on_term =
    "/bin/sh -c 'trap \"exit 0\" TERM; while true; do sleep 0.1; done'";
const char* const ignores_term = "/bin/sh -c 'trap \"\" TERM; while true; do sleep 0.1; done'";

RunOptions with(std::vector<std::string> arguments) {
  RunOptions options;
  options.agent_arguments = std::move(arguments);
  return options;
}

TEST_F(KillTest, CleanExitOnTermIsKilledNotFinished) {
  const TaskBuilder task(dies_on_term);
  const auto run = run_task(task, with({"--kill-after", "0.5"}));
  EXPECT_EQ(run.states(), (std::vector<std::string>{"TASK_STARTING", "TASK_RUNNING", "TASK_KILLING",
                                                    "TASK_KILLED"}))
      << run.transcript();
  EXPECT_EQ(run.agent_exit, 2);
  EXPECT_NE(run.last().message.find("exit code 0"), std::string::npos) << run.last().message;
}

TEST_F(KillTest, WithoutTheCapabilityThereIsNoKilling) {
  const TaskBuilder task(dies_on_term);
  const auto run = run_task(task, with({"--kill-after", "0.5", "--no-capabilities"}));
  EXPECT_EQ(run.states(),
            (std::vector<std::string>{"TASK_STARTING", "TASK_RUNNING", "TASK_KILLED"}))
      << run.transcript();
}

TEST_F(KillTest, IgnoredTermIsFollowedByKillAfterTheGraceOfTheKill) {
  const TaskBuilder task(ignores_term);
  const auto run = run_task(task, with({"--kill-after", "0.2", "--kill-grace", "2"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_NE(run.last().message.find("137"), std::string::npos) << run.last().message;
  const double killing = run.updates.at(2).at;
  EXPECT_GE(run.last().at - killing, 1.5);
  EXPECT_LT(run.last().at - killing, 5.0);
}

TEST_F(KillTest, KillPolicyOfTheTaskIsUsedWhenTheKillHasNone) {
  TaskBuilder task(ignores_term);
  task.object()["kill_policy"] = json::object{{"grace_period", {{"nanoseconds", 1'000'000'000}}}};
  const auto run = run_task(task, with({"--kill-after", "0.2"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_LT(run.last().at - run.updates.at(2).at, 3.5);
}

TEST_F(KillTest, SecondKillWithAShorterGraceShortensTheWait) {
  const TaskBuilder task(ignores_term);
  const auto run = run_task(task, with({"--kill-after", "0.2", "--kill-grace", "60",
                                        "--second-kill-after", "1", "--second-kill-grace", "1"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_LT(run.last().at, 15.0);
}

TEST_F(KillTest, KillRightAfterLaunch) {
  const TaskBuilder task("/bin/sleep 1000");
  const auto run = run_task(task, with({"--kill-at-launch"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
}

TEST_F(KillTest, KillBeforeLaunch) {
  const TaskBuilder task("/bin/sleep 1000");
  const auto run = run_task(task, with({"--kill-before-launch"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_TASK_KILLED_DURING_LAUNCH");
  EXPECT_TRUE(containers_of(task.id()).empty());
}

TEST_F(KillTest, KillDuringAPullEndsThePull) {
  // A registry that takes the connection and never says a word.
  const int silent = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(silent, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(silent, 16), 0);
  ASSERT_EQ(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
  TaskBuilder task("/bin/true");
  task.image("127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/team/app:1");
  const auto run = run_task(task, with({"--kill-after", "1", "--after-launch"}));
  ::close(silent);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_TASK_KILLED_DURING_LAUNCH");
  EXPECT_NE(run.out.find("Pulling image"), std::string::npos) << run.out;
  EXPECT_LT(run.last().at, 4.0) << run.transcript();
}

TEST_F(KillTest, SingularitysDestroyKillsAtOnce) {
  const TaskBuilder task(ignores_term);
  const std::string message =
      R"({"@class":".SingularityTaskDestroyFrameworkMessage","taskId":{"id":")" + task.id() +
      R"("},"user":"somebody"})";
  const auto run = run_task(task, with({"--kill-after", "0.2", "--kill-grace", "60", "--message",
                                        message, "--message-after", "1"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_LT(run.last().at, 15.0);
}

TEST_F(KillTest, ShutdownStopsTheContainerWithinTheAgentsGrace) {
  const TaskBuilder task(ignores_term);
  const auto run = run_task(task, with({"--shutdown-after", "0.5", "--shutdown-grace", "5secs"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_EQ(run.executor_exit, 0) << run.transcript();
  const auto running = run_command(
      {"docker", "ps", "-q", "--filter", "label=io.sidecar-executor.task-id=" + task.id()});
  EXPECT_EQ(running.output, "");
}

struct SignalCase {
  const char* name;
  int number;
  int exit_code;
};

class SignalTest : public SystemTest, public ::testing::WithParamInterface<SignalCase> {};

TEST_P(SignalTest, StopsTheContainerAndIsReported) {
  const TaskBuilder task(dies_on_term);
  pid_t executor = 0;
  RunOptions options;
  options.on_event = [&executor](const json::object& event) {
    if (event.at("event") == "executor_pid")
      executor = static_cast<pid_t>(event.at("pid").to_number<int>());
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING") {
      ::kill(executor, GetParam().number);
    }
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_NE(run.last().message.find(std::string("the executor got ") + GetParam().name),
            std::string::npos);
  EXPECT_EQ(run.executor_exit, GetParam().exit_code) << run.transcript();
}

INSTANTIATE_TEST_SUITE_P(All, SignalTest,
                         ::testing::Values(SignalCase{"SIGTERM", SIGTERM, 143},
                                           SignalCase{"SIGINT", SIGINT, 130},
                                           SignalCase{"SIGUSR1", SIGUSR1, 0}),
                         [](const auto& info) { return info.param.name; });

TEST_F(KillTest, HangupIsIgnored) {
  const TaskBuilder task("/bin/sh -c 'sleep 1; exit 0'");
  pid_t executor = 0;
  RunOptions options;
  options.on_event = [&executor](const json::object& event) {
    if (event.at("event") == "executor_pid")
      executor = static_cast<pid_t>(event.at("pid").to_number<int>());
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING")
      ::kill(executor, SIGHUP);
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
}

TEST_F(KillTest, SecondTermKillsAtOnce) {
  TaskBuilder task(ignores_term);
  task.executor_env("EXECUTOR_KILL_TASK_TIMEOUT", "60");
  pid_t executor = 0;
  RunOptions options;
  options.on_event = [&executor](const json::object& event) {
    if (event.at("event") == "executor_pid")
      executor = static_cast<pid_t>(event.at("pid").to_number<int>());
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING") {
      ::kill(executor, SIGTERM);
      ::kill(executor, SIGINT);
    }
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_LT(run.last().at, 15.0);
}

TEST_F(KillTest, SecondLaunchIsRefusedAndTheFirstTaskUndisturbed) {
  const TaskBuilder task("/bin/sh -c 'sleep 2; exit 0'");
  const auto run = run_task(task, with({"--second-launch"}));
  std::string first;
  std::string second;
  for (const auto& update : run.updates)
    (update.task_id == task.id() ? first : second) = update.state;
  EXPECT_EQ(first, "TASK_FINISHED") << run.transcript();
  EXPECT_EQ(second, "TASK_ERROR") << run.transcript();
}

TEST_F(KillTest, AGroupOfTasksIsRefused) {
  const TaskBuilder task("/bin/true");
  const auto run = run_task(task, with({"--launch-group"}));
  const std::vector<std::string> both(2, "TASK_ERROR");
  EXPECT_EQ(run.states(), both) << run.transcript();
  for (const auto& update : run.updates) {
    EXPECT_EQ(update.reason, "REASON_TASK_GROUP_INVALID");
    EXPECT_TRUE(containers_of(update.task_id).empty());
  }
}

TEST_F(KillTest, WhatMeansNothingDisturbsNothing) {
  TaskBuilder task("/bin/sh -c 'sleep 1'");
  task.executor_env("EXECUTOR_DEBUG", "true");
  const auto run =
      run_task(task, with({"--message", R"({"user":"hunter2"})", "--heartbeat", "0.2"}));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_NE(run.out.find("means nothing to the executor"), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("Heartbeat"), std::string::npos) << run.out;
  EXPECT_EQ((run.out + run.err).find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace sx_test
