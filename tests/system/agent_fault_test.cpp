// The agent's faults with the real binary and a real container: away and back, away for good,
// broken streams, late and lost acknowledgements (behaviour.md 3 and 11; mesos.md "Connection
// lost"). And executor.sh around it.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support/system.hpp"

namespace sx_test {
namespace {

using States = std::vector<std::string>;

const char* const dies_on_term =
    "/bin/sh -c 'trap \"exit 0\" TERM; while true; do sleep 0.1; done'";

RunOptions with(std::vector<std::string> arguments) {
  RunOptions options;
  options.agent_arguments = std::move(arguments);
  return options;
}

std::size_t count(const RunResult& run, std::string_view event) {
  return static_cast<std::size_t>(
      std::count_if(run.events.begin(), run.events.end(),
                    [event](const json::object& e) { return e.at("event").as_string() == event; }));
}

/// States in the order in which they first came: an update may come twice.
States distinct(const RunResult& run) {
  States out;
  for (const auto& state : run.states()) {
    if (std::find(out.begin(), out.end(), state) == out.end()) out.push_back(state);
  }
  return out;
}

std::string running_of(const std::string& task_id) {
  return run_command(
             {"docker", "ps", "-q", "--filter", "label=io.sidecar-executor.task-id=" + task_id})
      .output;
}

class AgentFaultTest : public SystemTest {
 protected:
  /// Each update arrived, once or more, in order, and none of them was a violation.
  static void expect_whole(const RunResult& run) {
    EXPECT_EQ(distinct(run), (States{"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}))
        << run.transcript();
    EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
    EXPECT_EQ(run.executor_exit, 0) << run.transcript();
    EXPECT_EQ(run.agent_exit, 0) << run.transcript();
    EXPECT_EQ(count(run, "violation"), 0U) << run.transcript();
  }
};

// ---- the agent is away -------------------------------------------------------------------------

TEST_F(AgentFaultTest, BackWhileTheContainerRuns) {
  const TaskBuilder task("/bin/sh -c 'sleep 5'");
  const auto run = run_task(task, with({"--restart-after", "1.5", "--down", "0.7"}));
  expect_whole(run);
  EXPECT_EQ(count(run, "agent_up"), 1U) << run.transcript();
  EXPECT_EQ(count(run, "subscribed"), 2U) << run.transcript();
}

TEST_F(AgentFaultTest, ContainerEndsWhileTheAgentIsAway) {
  const TaskBuilder task("/bin/sh -c 'sleep 2'");
  const auto run = run_task(task, with({"--restart-after", "1.5", "--down", "3"}));
  expect_whole(run);
  EXPECT_EQ(count(run, "agent_up"), 1U) << run.transcript();
}

TEST_F(AgentFaultTest, Answers503AfterItsReturn) {
  const TaskBuilder task("/bin/sh -c 'sleep 2'");
  const auto run =
      run_task(task, with({"--restart-after", "1.5", "--down", "0.5", "--answer-503", "1"}));
  expect_whole(run);
  EXPECT_GE(count(run, "answered_503"), 1U) << run.transcript();
}

TEST_F(AgentFaultTest, AwayLongerThanTheRecoveryTimeout) {
  const TaskBuilder task(dies_on_term);
  const auto run = run_task(
      task, with({"--restart-after", "1.5", "--down", "60", "--recovery-timeout", "2secs"}));
  EXPECT_EQ(distinct(run)[1], "TASK_RUNNING") << run.transcript();
  EXPECT_EQ(run.executor_exit, 1) << run.transcript();
  EXPECT_EQ(running_of(task.id()), "") << "the container goes with its executor";
  EXPECT_NE(run.out.find("did not come back within 2s"), std::string::npos) << run.transcript();
}

TEST_F(AgentFaultTest, WithoutCheckpointingTheContainerIsStopped) {
  const TaskBuilder task(dies_on_term);
  const auto run =
      run_task(task, with({"--no-checkpoint", "--restart-after", "1.5", "--down", "0.5"}));
  EXPECT_EQ(run.executor_exit, 1) << run.transcript();
  EXPECT_EQ(running_of(task.id()), "") << run.transcript();
}

TEST_F(AgentFaultTest, WithoutCheckpointingABrokenStreamIsRepaired) {
  const TaskBuilder task("/bin/sh -c 'sleep 2'");
  const auto run = run_task(task, with({"--no-checkpoint", "--disconnect"}));
  expect_whole(run);
}

// ---- broken streams ----------------------------------------------------------------------------

struct Fault {
  const char* name;
  std::vector<std::string> arguments;
  std::size_t subscribes;  ///< at least
  /// Has to outlast the fault: an acknowledgement lost behind it is not sent again by an agent
  /// whose framework has acknowledged the terminal update (transcript 08b).
  const char* command = "/bin/sh -c 'sleep 1.5'";
};

class AgentFaultEachTest : public AgentFaultTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(AgentFaultEachTest, EveryUpdateArrivesInOrder) {
  const TaskBuilder task(GetParam().command);
  const auto run = run_task(task, with(GetParam().arguments));
  expect_whole(run);
  EXPECT_GE(count(run, "subscribed"), GetParam().subscribes) << run.transcript();
}

INSTANTIATE_TEST_SUITE_P(
    Each, AgentFaultEachTest,
    ::testing::Values(
        Fault{"CutRecord", {"--cut-record", "3"}, 2}, Fault{"Drip", {"--drip"}, 1},
        Fault{"MergedRecords", {"--merge-records"}, 1},
        Fault{"GarbageRecord", {"--garbage-record"}, 2},
        Fault{"GarbageLength", {"--garbage-length"}, 2},
        // 64 MiB on a busy machine take their time.
        Fault{"OversizedRecord", {"--oversized-record"}, 2, "/bin/sh -c 'sleep 8'"},
        Fault{"Disconnect", {"--disconnect"}, 2},
        Fault{"DisconnectOnTheLastUpdate", {"--disconnect", "--fault-on", "TASK_FINISHED"}, 1},
        Fault{"DisconnectAgainAndAgain", {"--disconnect-every", "0.3"}, 3},
        Fault{"Refused", {"--disconnect", "--refuse", "1"}, 2},
        Fault{"First503", {"--answer-503", "1"}, 1},
        Fault{"LateAcknowledgements", {"--ack-delay", "1"}, 1},
        Fault{"LostAcknowledgements", {"--drop-acks", "2"}, 1},
        Fault{"LostAcknowledgementOfTheLast", {"--drop-acks", "3"}, 1},
        Fault{"DoubleAcknowledgements", {"--duplicate-acks"}, 1},
        Fault{"SilentForAWhile", {"--silent-for", "2"}, 1}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(AgentFaultTest, NeverAcknowledgedTerminalUpdateEndsInExit1) {
  const TaskBuilder task("/bin/true");
  const auto run = run_task(task, with({"--drop-acks", "100"}));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_EQ(run.executor_exit, 1) << run.transcript();
}

TEST_F(AgentFaultTest, ShutdownAsTheFirstEvent) {
  const TaskBuilder task("/bin/sleep 1000");
  const auto run = run_task(task, with({"--kill-before-subscribe"}));
  EXPECT_EQ(run.executor_exit, 0) << run.transcript();
  EXPECT_TRUE(containers_of(task.id()).empty());
}

// ---- executor.sh -------------------------------------------------------------------------------

class WrapperTest : public SystemTest {
 protected:
  void SetUp() override {
    char path[] = "/tmp/sx wrapper XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    dir_ = path;
  }
  void TearDown() override {
    std::filesystem::remove_all(dir_);
    SystemTest::TearDown();
  }

  /// executor.sh and a folder of its own for the sandbox, both below a path with blanks.
  [[nodiscard]] RunOptions wrapped(std::vector<std::string> more = {}) const {
    const std::string script = dir_ + "/my executor.sh";
    std::filesystem::copy_file(SX_SOURCE_DIR "/scripts/executor.sh", script,
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::create_directories(dir_ + "/sand box");
    RunOptions options = with({"--wrapper", "'" + script + "'", "--sandbox", dir_ + "/sand box"});
    options.agent_arguments.insert(options.agent_arguments.end(), more.begin(), more.end());
    return options;
  }

  /// To the one process (a folder of /proc) that is meant.
  static void signal_process(const std::function<bool(const std::filesystem::path&)>& is_it,
                             int number) {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (is_it(entry.path())) found.push_back(std::stoi(name));
    }
    ASSERT_EQ(found.size(), 1U);
    ::kill(found[0], number);
  }

  std::string dir_;
};

TEST_F(WrapperTest, RunsInFoldersWithBlanks) {
  const TaskBuilder task("/bin/true");
  const auto run = run_task(task, wrapped());
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_EQ(run.executor_exit, 0) << run.transcript();
}

TEST_F(WrapperTest, KeepsTheExitStatus) {
  const TaskBuilder task("/bin/true");
  const auto run = run_task(task, wrapped({"--drop-acks", "100"}));
  EXPECT_EQ(run.executor_exit, 1) << run.transcript();
}

struct SignalCase {
  const char* name;
  int number;
  int exit_code;
};

class WrapperSignalTest : public WrapperTest, public ::testing::WithParamInterface<SignalCase> {};

TEST_P(WrapperSignalTest, ReachesTheExecutorAtOnce) {
  const TaskBuilder task(dies_on_term);
  double sent = 0;
  RunOptions options = wrapped({"--no-capabilities"});
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING") {
      sent = event.at("t").to_number<double>();
      // The script itself: the agent's `sh -c` before it need not have become it.
      signal_process(
          [this](const std::filesystem::path& process) {
            return read_file((process / "cmdline").string())
                .ends_with(std::string("\0", 1) + dir_ + "/my executor.sh" + '\0');
          },
          GetParam().number);
    }
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_NE(run.last().message.find(std::string("the executor got ") + GetParam().name),
            std::string::npos)
      << run.last().message;
  EXPECT_LT(run.last().at - sent, 4.0) << "it does not wait for anything";
  EXPECT_EQ(run.executor_exit, GetParam().exit_code) << run.transcript();
}

INSTANTIATE_TEST_SUITE_P(All, WrapperSignalTest,
                         ::testing::Values(SignalCase{"SIGTERM", SIGTERM, 143},
                                           SignalCase{"SIGINT", SIGINT, 130},
                                           SignalCase{"SIGUSR1", SIGUSR1, 0}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(WrapperTest, SourcesTheEnvironmentFile) {
  const std::string file = dir_ + "/my environment.sh";
  std::ofstream(file)
      << "if [ -z \"$NOBODY_SET_THIS\" ]; then export EXECUTOR_KILL_TASK_TIMEOUT='7'; fi\n";
  const TaskBuilder task("/bin/true");
  RunOptions options = wrapped();
  options.executor_environment.emplace_back("SIDECAR_EXECUTOR_CUSTOM_ENV_PATH", file);
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  const auto line = run.out.find("* EXECUTOR_KILL_TASK_TIMEOUT ");
  ASSERT_NE(line, std::string::npos) << run.transcript();
  const std::string rest = run.out.substr(line, run.out.find('\n', line) - line);
  EXPECT_NE(rest.find(": 7"), std::string::npos) << rest;
}

TEST_F(WrapperTest, MissingEnvironmentFileIsNamed) {
  const TaskBuilder task("/bin/true");
  RunOptions options = wrapped();
  options.executor_environment.emplace_back("SIDECAR_EXECUTOR_CUSTOM_ENV_PATH", "/no/such file");
  const auto run = run_task(task, options);
  EXPECT_EQ(run.executor_exit, 78) << run.transcript();
  EXPECT_NE(run.err.find("/no/such file"), std::string::npos) << run.transcript();
}

/// The Go executor, back in its place, would take the words of a reap for another start.
TEST_F(WrapperTest, AnotherExecutorIsStartedOnce) {
  const std::string other = dir_ + "/other";
  std::ofstream(other) << "#!/bin/sh\necho started \"$@\"\nexit 3\n";
  std::filesystem::permissions(other, std::filesystem::perms::owner_all);
  const TaskBuilder task("/bin/true");
  RunOptions options = wrapped();
  options.executor_environment.emplace_back("SIDECAR_EXECUTOR_PATH", other);
  const auto run = run_task(task, options);
  EXPECT_EQ(run.executor_exit, 3) << run.transcript();
  EXPECT_EQ(run.out, "started\n") << run.transcript();
  EXPECT_EQ(run.err.find("started"), std::string::npos) << run.transcript();
}

/// SIGKILL of the executor leaves nobody but the wrapper: `reap` stops the container.
TEST_F(WrapperTest, KilledExecutorsContainerIsStopped) {
  const TaskBuilder task(dies_on_term);
  RunOptions options = wrapped();
  const std::string copy = dir_ + "/sand box/sidecar-executor";
  options.on_event = [&copy](const json::object& event) {
    if (event.at("event") != "update" || event.at("status").at("state") != "TASK_RUNNING") return;
    signal_process(
        [&copy](const std::filesystem::path& process) {
          std::error_code ec;
          return std::filesystem::read_symlink(process / "exe", ec) == copy && !ec;
        },
        SIGKILL);
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.executor_exit, 137) << run.transcript();
  EXPECT_EQ(running_of(task.id()), "") << run.transcript();
}

}  // namespace
}  // namespace sx_test
