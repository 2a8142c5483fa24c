// How containers end, told to a framework: every row of behaviour.md 7 that a real Docker can show.
#include "support/system.hpp"

namespace sx_test {
namespace {

struct ExitCase {
  const char* name;
  const char* command;
  const char* state;
  const char* message_part;
  int agent_exit;
};

class ExitTest : public SystemTest, public ::testing::WithParamInterface<ExitCase> {};

TEST_P(ExitTest, IsReportedAsWhatItIs) {
  const auto& c = GetParam();
  const TaskBuilder task(c.command);
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, c.state) << run.transcript();
  EXPECT_NE(run.last().message.find(c.message_part), std::string::npos) << run.last().message;
  EXPECT_EQ(run.agent_exit, c.agent_exit) << run.transcript();
  EXPECT_EQ(run.executor_exit, 0);
  ASSERT_EQ(run.states().size(), 3u) << run.transcript();
  EXPECT_EQ(run.states()[0], "TASK_STARTING");
  EXPECT_EQ(run.states()[1], "TASK_RUNNING");
}

INSTANTIATE_TEST_SUITE_P(
    Codes, ExitTest,
    ::testing::Values(
        ExitCase{"Zero", "/bin/true", "TASK_FINISHED", "exited with code 0", 0},
        ExitCase{"One", "/bin/sh -c 'exit 1'", "TASK_FAILED", "exited with code 1", 1},
        ExitCase{"Three", "/bin/sh -c 'exit 3'", "TASK_FAILED", "exited with code 3", 1},
        ExitCase{"C125", "/bin/sh -c 'exit 125'", "TASK_FAILED", "code 125 (125: ", 1},
        ExitCase{"C126", "/bin/sh -c 'exit 126'", "TASK_FAILED", "not executable", 1},
        ExitCase{"C127", "/bin/sh -c 'exit 127'", "TASK_FAILED", "command not found", 1},
        ExitCase{"C137", "/bin/sh -c 'exit 137'", "TASK_KILLED", "SIGKILL", 2},
        ExitCase{"C139", "/bin/sh -c 'exit 139'", "TASK_FAILED", "crashed with SIGSEGV", 1},
        ExitCase{"C143", "/bin/sh -c 'exit 143'", "TASK_KILLED", "not requested by Mesos", 2},
        ExitCase{"C200", "/bin/sh -c 'exit 200'", "TASK_FAILED", "exited with code 200", 1}),
    [](const auto& info) { return info.param.name; });

class EndTest : public SystemTest {};

TEST_F(EndTest, LastLinesOfAFailedTaskAreInTheSandboxBeforeTheTerminalUpdate) {
  const TaskBuilder task("/bin/sh -c 'echo to-stdout; echo to-stderr >&2; exit 3'");
  std::string out_at_end;
  std::string err_at_end;
  std::string sandbox;
  RunOptions options;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox") sandbox = std::string(event.at("path").as_string());
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_FAILED") {
      out_at_end = read_file(sandbox + "/stdout");
      err_at_end = read_file(sandbox + "/stderr");
    }
  };
  const auto run = run_task(task, options);
  EXPECT_NE(out_at_end.find("to-stdout\n"), std::string::npos) << run.transcript();
  EXPECT_NE(err_at_end.find("to-stderr\n"), std::string::npos) << run.transcript();
  EXPECT_NE(err_at_end.find("how this task ended"), std::string::npos);
}

TEST_F(EndTest, TheReportInTheSandboxIsTrueAtEachUpdate) {
  TaskBuilder task("/bin/sh -c 'sleep 0.2; echo hush-hush; exit 3'");
  task.parameter("env", "DB_PASSWORD=hush-hush");
  std::string sandbox;
  std::map<std::string, json::value> reports;
  RunOptions options;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox") sandbox = std::string(event.at("path").as_string());
    if (event.at("event") != "update") return;
    EXPECT_EQ(run_command({"ls", sandbox}).output.find(".tmp."), std::string::npos) << "left over";
    const std::string text = read_file(sandbox + "/executor-report.json");
    EXPECT_EQ(text.find("hush"), std::string::npos) << text;
    if (!text.empty()) {
      reports[std::string(event.at("status").at("state").as_string())] = json::parse(text);
    }
  };
  const auto run = run_task(task, options);
  ASSERT_TRUE(reports.contains("TASK_RUNNING")) << run.transcript();
  const auto& running = reports["TASK_RUNNING"];
  EXPECT_EQ(running.at("doing"), "run");
  EXPECT_EQ(running.at("task").at("id").as_string(), task.id());
  EXPECT_EQ(running.at("container").at("id").as_string(), containers_of(task.id()).at(0));
  ASSERT_TRUE(reports.contains("TASK_FAILED")) << run.transcript();
  const auto& end = reports["TASK_FAILED"];
  EXPECT_EQ(end.at("exit").at("code"), 3);
  EXPECT_EQ(end.at("outcome").at("state"), "TASK_FAILED");
  EXPECT_EQ(end.at("outcome").at("message").as_string(), run.last().message);
}

TEST_F(EndTest, FinishedTaskCopiesNoLogs) {
  const TaskBuilder task("/bin/echo quiet-please");
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_EQ(run.out.find("\nquiet-please\n"), std::string::npos);
}

TEST_F(EndTest, ContainerThatLivesAMomentIsNotMissed) {
  const TaskBuilder task("/bin/true");
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_LT(run.last().at, 10.0);
}

TEST_F(EndTest, OutOfMemoryIsToldFromAKill) {
  TaskBuilder task("/bin/sh -c 'x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done'");
  task.memory(16).executor_env("EXECUTOR_FORCE_MEMORY_LIMIT", "true");
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_CONTAINER_LIMITATION_MEMORY");
  EXPECT_NE(run.last().message.find("Memory limit exceeded"), std::string::npos)
      << run.last().message;
  EXPECT_NE(run.last().message.find("16 MiB"), std::string::npos) << run.last().message;
}

TEST_F(EndTest, CrashOfARealProcess) {
  const TaskBuilder task("/bin/sh -c 'kill -SEGV $$'");
  const auto run = run_task(task);
  // PID 1 ignores signals that it has no handler for: the shell goes on and ends with 0.
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  const TaskBuilder child("/bin/sh -c 'sh -c \"kill -SEGV \\$\\$\"; exit $?'");
  const auto crashed = run_task(child);
  EXPECT_EQ(crashed.last().state, "TASK_FAILED") << crashed.transcript();
  EXPECT_NE(crashed.last().message.find("SIGSEGV"), std::string::npos) << crashed.last().message;
}

TEST_F(EndTest, KilledFromOutsideIsSaidToBe) {
  const TaskBuilder task("/bin/sleep 1000");
  RunOptions options;
  options.on_event = [&task](const json::object& event) {
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING") {
      run_command({"docker", "kill", containers_of(task.id()).at(0)});
    }
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_NE(run.last().message.find("not requested by Mesos"), std::string::npos)
      << run.last().message;
}

TEST_F(EndTest, RemovedBySomebodyElse) {
  const TaskBuilder task("/bin/sleep 1000");
  RunOptions options;
  options.on_event = [&task](const json::object& event) {
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING") {
      run_command({"docker", "rm", "-f", containers_of(task.id()).at(0)});
    }
  };
  const auto run = run_task(task, options);
  EXPECT_NE(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_NE(run.last().message.find("removed by somebody else"), std::string::npos)
      << run.transcript();
}

TEST_F(EndTest, RemoveContainerSetting) {
  TaskBuilder task("/bin/sh -c 'echo bye; exit 4'");
  task.executor_env("EXECUTOR_REMOVE_CONTAINER", "true");
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_NE(run.out.find("bye\n"), std::string::npos) << "logs are copied before it is removed";
  EXPECT_TRUE(containers_of(task.id()).empty());
}

TEST_F(EndTest, MaxCompletionTime) {
  TaskBuilder task("/bin/sleep 1000");
  task.object()["max_completion_time"] = json::object{{"nanoseconds", 1'000'000'000}};
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_MAX_COMPLETION_TIME_REACHED");
  EXPECT_LT(run.last().at, 8.0);
}

TEST_F(EndTest, ManyLinesAreCopiedBoundedWithTheOldestLeftOut) {
  // 12 MB of output in lines of 200 bytes: the limit is 10 MiB.
  const TaskBuilder task("/bin/sh -c 'yes " + std::string(199, 'x') +
                         " | head -n 60000; echo the-end; exit 9'");
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.last().message;
  EXPECT_GT(run.out.size(), 10u * 1024 * 1024 - 1024);
  EXPECT_LT(run.out.size(), 10u * 1024 * 1024 + 64 * 1024);
  EXPECT_NE(run.out.find("the-end\n"), std::string::npos);
  EXPECT_NE(run.err.find("only its newest"), std::string::npos) << run.err;
}

}  // namespace
}  // namespace sx_test
