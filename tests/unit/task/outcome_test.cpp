// behaviour.md 7, row by row, and which row wins.

#include "task/outcome.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace sidecar_executor::task {
namespace {
using mesos::Reason;
using mesos::TaskState;
using namespace std::chrono_literals;

constexpr std::int64_t mib = 1024 * 1024;

EndFacts exited(std::optional<int> code) {
  EndFacts facts;
  facts.end = ContainerEnd{};
  facts.end->exit_code = code;
  facts.ran_for = 90s;
  facts.memory_limit = 64 * mib;
  return facts;
}

EndFacts exited_by_oom(std::optional<int> code) {
  EndFacts facts = exited(code);
  facts.end->oom_killed = true;
  return facts;
}

StopRequest asked(StopCause cause, std::string text, int exit_code = 0) {
  StopRequest stop;
  stop.cause = cause;
  stop.grace = 10s;
  stop.text = std::move(text);
  stop.exit_code = exit_code;
  return stop;
}

EndFacts stopped(StopCause cause, std::optional<int> code, std::string text = "asked by a test") {
  EndFacts facts = exited(code);
  facts.stop = asked(cause, std::move(text));
  facts.stop_took = 1500ms;
  return facts;
}

EndFacts never_ran(std::string why) {
  EndFacts facts;
  facts.launch_failure = std::move(why);
  return facts;
}

template <typename Change>
EndFacts with(EndFacts facts, Change change) {
  change(facts);
  return facts;
}

struct Row {
  std::string name;
  EndFacts facts;
  TaskState state;
  Reason reason;
  std::vector<std::string> says;
  std::vector<std::string> never_says{};
  std::optional<bool> healthy{};
};

std::vector<Row> rows() {
  std::vector<Row> out;
  auto add = [&out](Row row) { out.push_back(std::move(row)); };

  // It never ran.
  add({"launch failed",
       never_ran("pull image a:b: not found"),
       TaskState::failed,
       Reason::container_launch_failed,
       {"pull image a:b: not found"}});
  add({"launch failed without a text",
       never_ran(""),
       TaskState::failed,
       Reason::container_launch_failed,
       {"could not be started"}});
  add({"launch failed and left something behind",
       with(never_ran("start: timeout"), [](EndFacts& f) { f.may_still_run = "0123456789ab"; }),
       TaskState::failed,
       Reason::container_launch_failed,
       {"start: timeout", "container 0123456789ab may still run"}});
  add({"killed while it was launched",
       with(never_ran("pull cancelled"),
            [](EndFacts& f) { f.stop = asked(StopCause::kill, "killed by F"); }),
       TaskState::killed,
       Reason::task_killed_during_launch,
       {"killed by F", "had not been started", "pull cancelled"}});
  add({"killed before its launch",
       with(never_ran(""), [](EndFacts& f) { f.stop = asked(StopCause::kill, "killed by F"); }),
       TaskState::killed,
       Reason::task_killed_during_launch,
       {"killed by F", "had not been started"},
       {"()"}});
  add({"time up while it was launched",
       with(never_ran("pull cancelled"),
            [](EndFacts& f) { f.stop = asked(StopCause::time_up, "limit of 5s reached"); }),
       TaskState::failed,
       Reason::max_completion_time_reached,
       {"limit of 5s reached", "had not been started"}});
  add({"killed while it was launched, clean-up failed",
       with(never_ran("launch cancelled"),
            [](EndFacts& f) {
              f.stop = asked(StopCause::kill, "k");
              f.may_still_run = "0123456789ab";
            }),
       TaskState::killed,
       Reason::none,
       {"container 0123456789ab may still run"},
       {"had not been started"}});

  // Stopped on request: the cause decides, not the exit code.
  for (const StopCause cause : {StopCause::kill, StopCause::destroy, StopCause::shutdown,
                                StopCause::signal, StopCause::lease, StopCause::agent_lost}) {
    for (const int code : {0, 1, 137, 143, 139}) {
      add({"stopped, cause " + std::to_string(static_cast<int>(cause)) + " exit " +
               std::to_string(code),
           stopped(cause, code),
           TaskState::killed,
           Reason::none,
           {"asked by a test", "exit code " + std::to_string(code), "1.5s after the request"},
           {"Memory limit exceeded", "not requested by Mesos"}});
    }
  }
  for (const int code : {0, 3, 137}) {
    const std::string name = " exit " + std::to_string(code);
    add({"time up" + name,
         stopped(StopCause::time_up, code, "max_completion_time of 1m reached"),
         TaskState::failed,
         Reason::max_completion_time_reached,
         {"max_completion_time of 1m reached"}});
    add({"unhealthy" + name,
         stopped(StopCause::unhealthy, code, "unhealthy in Sidecar: 5"),
         TaskState::failed,
         Reason::none,
         {"unhealthy in Sidecar: 5"},
         {},
         false});
  }
  add({"killed, exit code unknown",
       stopped(StopCause::kill, std::nullopt),
       TaskState::killed,
       Reason::none,
       {"exit code unknown"}});
  add({"killed, signal named",
       stopped(StopCause::kill, 143),
       TaskState::killed,
       Reason::none,
       {"(SIGTERM)"}});
  add({"killed, and out of memory",
       with(stopped(StopCause::kill, 137), [](EndFacts& f) { f.end->oom_killed = true; }),
       TaskState::killed,
       Reason::none,
       {"out of memory", "64 MiB"},
       {"Memory limit exceeded"}});
  add({"killed after draining",
       with(stopped(StopCause::kill, 0), [](EndFacts& f) { f.drained = true; }),
       TaskState::killed,
       Reason::none,
       {"drained"}});
  add({"killed, Docker unreachable",
       with(stopped(StopCause::kill, 0),
            [](EndFacts& f) {
              f.end.reset();
              f.may_still_run = "0123456789ab";
            }),
       TaskState::killed,
       Reason::none,
       {"asked by a test", "container 0123456789ab may still run"},
       {"exit code"}});
  add({"unhealthy, Docker unreachable",
       with(stopped(StopCause::unhealthy, 0),
            [](EndFacts& f) {
              f.end.reset();
              f.may_still_run = "0123456789ab";
            }),
       TaskState::failed,
       Reason::none,
       {"container 0123456789ab may still run"},
       {},
       false});

  // Its own end.
  add({"exit 0", exited(0), TaskState::finished, Reason::none, {"exited with code 0", "1m30s"}});
  add({"exit 0 with the oom flag",
       exited_by_oom(0),
       TaskState::finished,
       Reason::none,
       {"exited with code 0"},
       {"Memory limit exceeded"}});
  for (const std::optional<int> code : {std::optional<int>(137), std::optional<int>(1),
                                        std::optional<int>(139), std::optional<int>()}) {
    add({"oom, exit " + std::to_string(code.value_or(-1)),
         exited_by_oom(code),
         TaskState::failed,
         Reason::container_limitation_memory,
         {"Memory limit exceeded", "64 MiB"}});
  }
  add({"oom, limit not ours",
       with(exited_by_oom(137), [](EndFacts& f) { f.memory_limit = 0; }),
       TaskState::failed,
       Reason::container_limitation_memory,
       {"Memory limit exceeded", "not one that the executor set"}});
  add({"oom, odd limit",
       with(exited_by_oom(137), [](EndFacts& f) { f.memory_limit = 1000; }),
       TaskState::failed,
       Reason::container_limitation_memory,
       {"limit 1000 bytes"}});
  for (const int code : {1, 2, 3, 42, 124, 128, 166, 200, 255}) {
    add({"exit " + std::to_string(code),
         exited(code),
         TaskState::failed,
         Reason::none,
         {"exited with code " + std::to_string(code) + " after 1m30s"},
         {"SIG", "signal"}});
  }
  add({"exit 125", exited(125), TaskState::failed, Reason::none, {"code 125", "before running"}});
  add({"exit 126", exited(126), TaskState::failed, Reason::none, {"code 126", "not executable"}});
  add({"exit 127", exited(127), TaskState::failed, Reason::none, {"code 127", "not found"}});

  struct Signal {
    int number;
    std::string name;
    bool crash;
  };
  const std::array signals{Signal{1, "SIGHUP", false},     Signal{2, "SIGINT", false},
                           Signal{3, "SIGQUIT", false},    Signal{4, "SIGILL", true},
                           Signal{5, "SIGTRAP", true},     Signal{6, "SIGABRT", true},
                           Signal{7, "SIGBUS", true},      Signal{8, "SIGFPE", true},
                           Signal{9, "SIGKILL", false},    Signal{10, "SIGUSR1", false},
                           Signal{11, "SIGSEGV", true},    Signal{12, "SIGUSR2", false},
                           Signal{13, "SIGPIPE", false},   Signal{14, "SIGALRM", false},
                           Signal{15, "SIGTERM", false},   Signal{16, "SIGSTKFLT", false},
                           Signal{17, "SIGCHLD", false},   Signal{18, "SIGCONT", false},
                           Signal{19, "SIGSTOP", false},   Signal{20, "SIGTSTP", false},
                           Signal{21, "SIGTTIN", false},   Signal{22, "SIGTTOU", false},
                           Signal{23, "SIGURG", false},    Signal{24, "SIGXCPU", true},
                           Signal{25, "SIGXFSZ", true},    Signal{26, "SIGVTALRM", false},
                           Signal{27, "SIGPROF", false},   Signal{28, "SIGWINCH", false},
                           Signal{29, "SIGIO", false},     Signal{30, "SIGPWR", false},
                           Signal{31, "SIGSYS", true},     Signal{32, "signal 32", false},
                           Signal{33, "signal 33", false}, Signal{34, "signal 34", false},
                           Signal{35, "signal 35", false}, Signal{36, "signal 36", false},
                           Signal{37, "signal 37", false}};
  for (const auto& signal : signals) {
    const int code = 128 + signal.number;
    Row row{signal.name,
            exited(code),
            signal.crash ? TaskState::failed : TaskState::killed,
            Reason::none,
            {signal.name, "exit code " + std::to_string(code)}};
    (signal.crash ? row.never_says : row.says).push_back("not requested by Mesos");
    if (signal.crash) row.says.push_back("crashed");
    add(std::move(row));
  }

  add({"exit code unknown",
       exited(std::nullopt),
       TaskState::failed,
       Reason::none,
       {"exit code unknown"}});
  add({"removed by somebody else",
       with(exited(137), [](EndFacts& f) { f.end->removed = true; }),
       TaskState::killed,
       Reason::none,
       {"SIGKILL", "removed by somebody else"}});
  add({"removed, code unknown",
       with(exited(std::nullopt), [](EndFacts& f) { f.end->removed = true; }),
       TaskState::failed,
       Reason::none,
       {"exit code unknown", "removed by somebody else"}});
  for (const std::optional<int> code : {std::optional<int>(127), std::optional<int>()}) {
    add({"Docker's error, exit " + std::to_string(code.value_or(-1)),
         with(exited(code), [](EndFacts& f) { f.end->docker_error = "exec: no such file"; }),
         TaskState::failed,
         Reason::none,
         {"exec: no such file"}});
  }
  add({"notes of the launch",
       with(exited(0), [](EndFacts& f) { f.notes = "warning: --oops ignored"; }),
       TaskState::finished,
       Reason::none,
       {"exited with code 0", "; warning: --oops ignored"}});
  return out;
}

TEST(Outcome, EveryRowOfTheTable) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    const Outcome outcome = decide(row.facts);
    SCOPED_TRACE(outcome.message);
    EXPECT_EQ(mesos::to_string(outcome.state), mesos::to_string(row.state));
    EXPECT_EQ(mesos::to_string(outcome.reason), mesos::to_string(row.reason));
    EXPECT_EQ(outcome.healthy, row.healthy);
    EXPECT_FALSE(outcome.message.empty());
    // These beginnings have a meaning of their own for Singularity.
    EXPECT_FALSE(outcome.message.starts_with("UNHEALTHY_NEW_TASK"));
    EXPECT_FALSE(outcome.message.starts_with("OVERDUE_NEW_TASK"));
    for (const auto& part : row.says) {
      EXPECT_NE(outcome.message.find(part), std::string::npos) << part;
    }
    for (const auto& part : row.never_says) {
      EXPECT_EQ(outcome.message.find(part), std::string::npos) << part;
    }
  }
}

TEST(Outcome, TextsFromOutsideNeverBecomeSingularitysOwnBeginnings) {
  for (const std::string text : {"UNHEALTHY_NEW_TASK", "OVERDUE_NEW_TASK: x", ""}) {
    SCOPED_TRACE(text);
    for (const Outcome& outcome :
         {decide(stopped(StopCause::kill, 0, text)), decide(never_ran(text))}) {
      EXPECT_FALSE(outcome.message.starts_with("UNHEALTHY_NEW_TASK"));
      EXPECT_FALSE(outcome.message.starts_with("OVERDUE_NEW_TASK"));
      EXPECT_FALSE(outcome.message.empty());
      EXPECT_NE(outcome.message.front(), ';');
    }
  }
}

TEST(Outcome, ExitCodeOfTheExecutorIsThatOfTheRequest) {
  EndFacts facts = stopped(StopCause::signal, 0);
  facts.stop->exit_code = 143;
  EXPECT_EQ(decide(facts).exit_code, 143);
  EXPECT_EQ(decide(exited(3)).exit_code, 0);
  EXPECT_EQ(decide(never_ran("x")).exit_code, 0);
}

TEST(Outcome, EveryExitCodeGivesATerminalStateAndAMessage) {
  for (int code = -1; code <= 300; ++code) {
    for (const bool oom : {false, true}) {
      const Outcome outcome = decide(oom ? exited_by_oom(code) : exited(code));
      EXPECT_TRUE(mesos::is_terminal(outcome.state)) << code;
      EXPECT_FALSE(outcome.message.empty()) << code;
      EXPECT_EQ(outcome.state == TaskState::finished, code == 0) << code;
    }
  }
}

TEST(MergeOfStopRequests, EarlierReasonShorterTimes) {
  StopRequest first = asked(StopCause::kill, "first", 0);
  first.drain = true;
  StopRequest second = asked(StopCause::signal, "second", 143);
  second.grace = 3s;
  second.budget = 5s;
  const StopRequest merged = merge(first, second);
  EXPECT_EQ(merged.cause, StopCause::kill);
  EXPECT_EQ(merged.text, "first");
  EXPECT_EQ(merged.exit_code, 0);
  EXPECT_EQ(merged.grace, Nanoseconds(3s));
  EXPECT_EQ(merged.budget, Nanoseconds(5s));
  EXPECT_FALSE(merged.drain);

  StopRequest longer = second;
  longer.grace = 1h;
  longer.budget = Nanoseconds::max();
  longer.drain = true;
  const StopRequest kept = merge(merged, longer);
  EXPECT_EQ(kept.grace, Nanoseconds(3s));
  EXPECT_EQ(kept.budget, Nanoseconds(5s));
  EXPECT_FALSE(kept.drain);

  StopRequest again = first;
  EXPECT_TRUE(merge(first, again).drain);
}

}  // namespace
}  // namespace sidecar_executor::task
