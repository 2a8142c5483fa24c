// Signals to the executor in each phase of a task's life (behaviour.md 2, 6 and 7; issue 4). Each
// phase is held at an exact point by a proxy in front of dockerd, or by the agent, until the
// executor has logged the signal.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "support/system.hpp"
#include "support/system_docker_proxy.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using States = std::vector<std::string>;

struct Signals {
  const char* name;
  std::vector<int> numbers;  ///< each is sent once the one before was logged
  int exit_code;
};

const Signals term{"SIGTERM", {SIGTERM}, 143};
const Signals interrupt{"SIGINT", {SIGINT}, 130};
const Signals user{"SIGUSR1", {SIGUSR1}, 0};
const Signals hangup{"SIGHUP", {SIGHUP}, 0};
const Signals term_twice{"SIGTERM", {SIGTERM, SIGTERM}, 143};

bool ends(const Signals& signals) { return signals.numbers.front() != SIGHUP; }
bool twice(const Signals& signals) { return signals.numbers.size() > 1; }

const char* const dies_on_term =
    "/bin/sh -c 'trap \"exit 3\" TERM; while true; do sleep 0.1; done'";
const char* const ignores_term = "/bin/sh -c 'trap \"\" TERM; while true; do sleep 0.1; done'";

std::size_t count_in(const std::string& text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// The executor of a run that goes on in another thread.
class Executor {
 public:
  void note(const json::object& event) {
    if (event.at("event") == "sandbox") sandbox_ = event.at("path").as_string();
    if (event.at("event") == "executor_pid")
      started_.set_value({event.at("pid").to_number<pid_t>(), sandbox_});
  }
  /// Returns when it has logged each of them; SIGHUP is ignored and never logged.
  void send(const Signals& signals) {
    ASSERT_EQ(known_.wait_for(30s), std::future_status::ready) << "no executor was started";
    const auto [pid, sandbox] = known_.get();
    for (std::size_t n = 0; n < signals.numbers.size(); ++n) {
      ASSERT_EQ(::kill(pid, signals.numbers[n]), 0) << signals.name;
      if (ends(signals)) ASSERT_TRUE(logged(sandbox, n + 1)) << read_file(sandbox + "/stdout");
    }
  }

 private:
  struct Process {
    pid_t pid;
    std::string sandbox;
  };

  static bool logged(const std::string& sandbox, std::size_t signals) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (count_in(read_file(sandbox + "/stdout"), "Signal received") < signals) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(2ms);  // a file tells nobody that it grew
    }
    return true;
  }

  std::string sandbox_;
  std::promise<Process> started_;
  std::shared_future<Process> known_ = started_.get_future().share();
};

class SignalPhaseTest : public SystemTest {
 protected:
  /// Runs `task`; at the first request to Docker that has `call` in its line, before Docker gets
  /// it, the signals are sent. `held`: such requests never reach Docker where the signals end the
  /// task.
  static RunResult run_with(TaskBuilder task, const Signals& signals, const std::string& call,
                            RunOptions options = {}, bool held = false) {
    Executor executor;
    std::promise<void> over;
    const auto ended = over.get_future().share();
    std::atomic<bool> reached{false};
    const DockerProxy proxy(new_socket(), ::getenv("DOCKER_HOST"),
                            [&](const std::string& line, std::string_view answer) {
                              if (!answer.empty() || line.find(call) == std::string::npos)
                                return false;
                              if (!reached.exchange(true)) executor.send(signals);
                              if (!held || !ends(signals)) return false;
                              ended.wait_for(30s);
                              return true;
                            });
    options.executor_environment.emplace_back("DOCKER_HOST", proxy.host());
    options.limit = 35s;
    options.on_event = [&](const json::object& event) { executor.note(event); };
    auto run = run_task(task, options);
    over.set_value();
    EXPECT_TRUE(reached) << call << " was not seen\n" << run.transcript();
    return run;
  }

  /// One that ends by itself where the signal is to be ignored. Asked twice it does not end before
  /// it is killed: the grace period is longer than the test waits.
  static TaskBuilder task_for(const Signals& signals) {
    TaskBuilder task(!ends(signals)   ? "/bin/sleep 0.3"
                     : twice(signals) ? ignores_term
                                      : dies_on_term);
    task.executor_env("EXECUTOR_KILL_TASK_TIMEOUT", twice(signals) ? "60" : "2");
    return task;
  }

  static void expect_end(const RunResult& run, const States& states, std::string_view said,
                         int exit_code) {
    EXPECT_EQ(run.states(), states) << run.transcript();
    EXPECT_NE(run.last().message.find(said), std::string::npos) << run.last().message << "\n"
                                                                << run.transcript();
    EXPECT_EQ(run.executor_exit, exit_code) << run.transcript();
    for (const auto& event : run.events) EXPECT_NE(event.at("event"), "violation") << event;
  }
  /// It ended before its container was started, and none is left.
  static void expect_killed_in_launch(const RunResult& run, const TaskBuilder& task,
                                      const Signals& signals) {
    expect_end(run, {"TASK_STARTING", "TASK_KILLED"},
               std::string("the executor got ") + signals.name, signals.exit_code);
    EXPECT_EQ(run.last().reason, "REASON_TASK_KILLED_DURING_LAUNCH") << run.transcript();
    EXPECT_EQ(containers_of(task.id()), std::vector<std::string>{});
  }
  static void expect_finished(const RunResult& run) {
    expect_end(run, {"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}, "exited with code 0", 0);
  }

  /// All at the same time: each waits for clocks and daemons most of its time.
  static void for_each(const std::vector<Signals>& all,
                       const std::function<void(const Signals&)>& test) {
    std::vector<std::thread> threads;
    threads.reserve(all.size());
    for (const auto& signals : all) threads.emplace_back([&] { test(signals); });
    for (auto& thread : threads) thread.join();
  }

 private:
  static std::string new_socket() {
    static std::atomic<int> counter{0};
    return "/tmp/sx-signal-" + std::to_string(::getpid()) + "-" + std::to_string(counter++);
  }
};

/// SUBSCRIBED and LAUNCH are on their way, a byte a millisecond.
TEST_F(SignalPhaseTest, BeforeLaunch) {
  for_each({term, interrupt, user, hangup}, [](const Signals& signals) {
    const TaskBuilder task = task_for(signals);
    Executor executor;
    RunOptions options;
    options.agent_arguments = {"--drip", "--drip-pause", "0.001"};
    options.on_event = [&](const json::object& event) {
      executor.note(event);
      if (event.at("event") == "subscribed") executor.send(signals);
    };
    const auto run = run_task(task, options);
    if (!ends(signals)) return expect_finished(run);
    EXPECT_EQ(run.states(), States{}) << run.transcript();
    EXPECT_EQ(run.executor_exit, signals.exit_code) << run.transcript();
    EXPECT_EQ(containers_of(task.id()), std::vector<std::string>{});
  });
}

TEST_F(SignalPhaseTest, DuringAPullThatHangs) {
  const char* registry = ::getenv("SX_REGISTRY");
  ASSERT_NE(registry, nullptr) << "run through scripts/with-registry.sh";
  const std::string image = std::string(registry) + "/signal/phase:1";
  ASSERT_EQ(run_command({"docker", "tag", "sx-test:1", image}).code, 0);
  ASSERT_EQ(run_command({"docker", "push", "-q", image}).code, 0);
  for_each({term, interrupt, user, hangup, term_twice}, [&](const Signals& signals) {
    TaskBuilder task = task_for(signals).image(image);
    task.docker()["force_pull_image"] = true;
    RunOptions options;
    // Else it has exited before the second one.
    if (twice(signals)) options.agent_arguments = {"--ack-delay", "1"};
    const auto run = run_with(task, signals, "/images/create", options, true);
    if (!ends(signals)) return expect_finished(run);
    expect_killed_in_launch(run, task, signals);
  });
  run_command({"docker", "rmi", image});
}

TEST_F(SignalPhaseTest, DuringCreate) {
  for_each({term, interrupt, user, hangup, term_twice}, [](const Signals& signals) {
    const TaskBuilder task = task_for(signals);
    const auto run = run_with(task, signals, "/containers/create");
    if (!ends(signals)) return expect_finished(run);
    expect_killed_in_launch(run, task, signals);
  });
}

/// Docker starts it, so it is stopped.
TEST_F(SignalPhaseTest, DuringStart) {
  for_each({term, interrupt, user, hangup, term_twice}, [](const Signals& signals) {
    const auto run = run_with(task_for(signals), signals, "/start");
    if (!ends(signals)) return expect_finished(run);
    expect_end(run, {"TASK_STARTING", "TASK_KILLED"},
               std::string("the executor got ") + signals.name, signals.exit_code);
    EXPECT_NE(run.last().message.find("container ended with exit code"), std::string::npos)
        << run.last().message;
  });
}

/// The framework asked for it first, so that is what is reported, and the exit code is that of a
/// task whose end was acknowledged. The signal's shorter grace counts; the second one kills at
/// once.
TEST_F(SignalPhaseTest, WhileTheFrameworksStopIsUnderWay) {
  for_each({term, interrupt, user, hangup, term_twice}, [](const Signals& signals) {
    TaskBuilder task(ignores_term);
    task.executor_env("EXECUTOR_KILL_TASK_TIMEOUT", twice(signals) ? "60" : "2");
    RunOptions options;
    options.agent_arguments = {"--kill-after", "0.3", "--kill-grace", ends(signals) ? "60" : "2"};
    const auto run = run_with(task, signals, "/stop", options);
    expect_end(run, {"TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_KILLED"},
               "killed on request of the framework", 0);
    EXPECT_NE(run.last().message.find("137"), std::string::npos) << run.last().message;
  });
}

/// What stands is the container's own end: the signal had nothing to stop, and the update is waited
/// for all the same.
TEST_F(SignalPhaseTest, AfterTheExitBeforeTheAcknowledgement) {
  for_each({term, interrupt, user, hangup, term_twice}, [](const Signals& signals) {
    Executor executor;
    RunOptions options;
    options.agent_arguments = {"--ack-delay", "2"};
    options.on_event = [&](const json::object& event) {
      executor.note(event);
      if (event.at("event") == "update" && event.at("status").at("state") == "TASK_FAILED")
        executor.send(signals);
    };
    const auto run = run_task(TaskBuilder("/bin/sh -c 'exit 7'"), options);
    expect_end(run, {"TASK_STARTING", "TASK_RUNNING", "TASK_FAILED"}, "exited with code 7", 0);
    EXPECT_EQ(std::count_if(run.events.begin(), run.events.end(),
                            [](const auto& event) {
                              return event.at("event") == "acknowledged" &&
                                     event.at("delivered") == true;
                            }),
              3)
        << run.transcript();
  });
}

/// SIGUSR1 is no second SIGTERM. That two are is also kill_test's SecondTermKillsAtOnce.
TEST_F(SignalPhaseTest, WhileTheStopOfAnotherSignalIsUnderWay) {
  const Signals term_and_int{"SIGTERM", {SIGTERM, SIGINT}, 143};
  const Signals user_and_term{"SIGUSR1", {SIGUSR1, SIGTERM, SIGTERM}, 0};
  for_each({term_and_int, user_and_term}, [](const Signals& signals) {
    TaskBuilder task(ignores_term);
    task.executor_env("EXECUTOR_KILL_TASK_TIMEOUT", "60");
    Executor executor;
    RunOptions options;
    options.limit = 35s;
    options.on_event = [&](const json::object& event) {
      executor.note(event);
      if (event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING")
        executor.send(signals);
    };
    const auto run = run_task(task, options);
    expect_end(run, {"TASK_STARTING", "TASK_RUNNING", "TASK_KILLED"},
               std::string("the executor got ") + signals.name, signals.exit_code);
    EXPECT_NE(run.last().message.find("137"), std::string::npos) << run.last().message;
  });
}

}  // namespace
}  // namespace sx_test
