// Sidecar in a whole run: mini-agent's stand-in watches the same dockerd (behaviour.md 5 and 6.2).
#include <algorithm>

#include "support/system.hpp"

namespace sx_test {
namespace {

using States = std::vector<std::string>;

const char* const dies_on_term =
    "/bin/sh -c 'trap \"exit 0\" TERM; while true; do sleep 0.1; done'";

/// A task that Sidecar checks, polled five times a second from the start.
TaskBuilder checked_task(const std::string& command = dies_on_term) {
  TaskBuilder task(command);
  auto& parameters = task.docker()["parameters"].as_array();
  const auto is_discover = [](const json::value& parameter) {
    return parameter.at("value").as_string().starts_with("SidecarDiscover");
  };
  parameters.erase(std::find_if(parameters.begin(), parameters.end(), is_discover));
  task.executor_env("EXECUTOR_SIDECAR_BACKOFF", "300ms");
  task.executor_env("EXECUTOR_SIDECAR_POLL_INTERVAL", "200ms");
  task.executor_env("EXECUTOR_SIDECAR_RETRY_COUNT", "0");
  task.executor_env("EXECUTOR_HTTP_TIMEOUT", "500ms");
  return task;
}

RunOptions with(std::vector<std::string> arguments) {
  RunOptions options;
  options.agent_arguments = std::move(arguments);
  return options;
}

std::string name_of(const json::object& event) {
  return std::string(event.at("event").as_string());
}

std::vector<json::object> events_of(const RunResult& run, std::string_view name) {
  std::vector<json::object> found;
  for (const auto& event : run.events) {
    if (event.at("event").as_string() == name) found.push_back(event);
  }
  return found;
}

double time_of(const json::object& event) { return event.at("t").to_number<double>(); }

/// `healthy` of an update: `true`, `false`, `-` when there is none.
std::string healthy(const Update& update) {
  const auto* value = update.status.if_contains("healthy");
  return value == nullptr ? "-" : value->as_bool() ? "true" : "false";
}

/// `RUNNING:true` for each update.
States updates_with_health(const RunResult& run) {
  States out;
  for (const auto& update : run.updates)
    out.push_back(update.state.substr(5) + ":" + healthy(update));
  return out;
}

class SidecarTest : public SystemTest {};

TEST_F(SidecarTest, UnhealthyTaskIsToldAndThenFailed) {
  const TaskBuilder task = checked_task();
  const auto run = run_task(task, with({"--sidecar-unhealthy-after", "1.5"}));
  EXPECT_EQ(updates_with_health(run),
            (States{"STARTING:-", "RUNNING:-", "RUNNING:true", "RUNNING:false", "FAILED:false"}))
      << run.transcript();
  ASSERT_EQ(run.updates.size(), 5u);
  for (const int changed : {2, 3}) {
    EXPECT_EQ(run.updates[static_cast<std::size_t>(changed)].reason,
              "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
  }
  EXPECT_EQ(run.updates[3].message, "Sidecar says UNHEALTHY");
  EXPECT_NE(run.last().message.find(
                "unhealthy in Sidecar: 3 consecutive failed checks (last status UNHEALTHY)"),
            std::string::npos)
      << run.last().message;
  EXPECT_EQ(run.agent_exit, 1);
  // The back-off, 1.5 s, three polls and the stop: the Go executor needs minutes.
  EXPECT_LT(run.last().at, 15.0);
  EXPECT_TRUE(events_of(run, "sidecar_drained").empty()) << "an unhealthy container is not drained";
  EXPECT_EQ(run_command({"docker", "ps", "-q", "--filter",
                         "label=io.sidecar-executor.task-id=" + task.id()})
                .output,
            "")
      << "stopped before it was reported";
}

TEST_F(SidecarTest, MaxFailsOneEndsAtTheFirstWithoutAnotherUpdate) {
  TaskBuilder task = checked_task();
  task.executor_env("EXECUTOR_SIDECAR_MAX_FAILS", "1");
  const auto run = run_task(task, with({"--sidecar-status", "1"}));
  EXPECT_EQ(updates_with_health(run), (States{"STARTING:-", "RUNNING:-", "FAILED:false"}))
      << run.transcript();
  EXPECT_NE(run.last().message.find(
                "unhealthy in Sidecar: 1 consecutive failed check (last status TOMBSTONE)"),
            std::string::npos)
      << run.last().message;
}

TEST_F(SidecarTest, FlappingDoesNotKill) {
  const TaskBuilder task = checked_task("/bin/sh -c 'sleep 4; exit 0'");
  const auto run = run_task(task, with({"--sidecar-status", "2,2,0"}));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_GE(events_of(run, "sidecar_polled").size(), 7u) << "or nothing was tried";
  const auto seen = updates_with_health(run);
  EXPECT_GE(std::count(seen.begin(), seen.end(), "RUNNING:false"), 2) << run.transcript();
  EXPECT_GE(std::count(seen.begin(), seen.end(), "RUNNING:true"), 2);
}

struct BadSidecar {
  const char* name;
  std::vector<std::string> arguments;
  const char* said;  ///< in the warning
};

class BadSidecarTest : public SystemTest, public ::testing::WithParamInterface<BadSidecar> {};

/// Nothing about Sidecar harms a task, and it is said once, not once a poll.
TEST_P(BadSidecarTest, TheTaskIsUnharmed) {
  TaskBuilder task = checked_task("/bin/sh -c 'sleep 4; exit 0'");
  task.executor_env("EXECUTOR_SIDECAR_MAX_FAILS", "1");
  auto options = with(GetParam().arguments);
  if (options.agent_arguments.empty()) {
    options.executor_environment = {{"EXECUTOR_SIDECAR_URL", "http://127.0.0.1:9/state.json"}};
  }
  const auto run = run_task(task, options);
  EXPECT_EQ(run.states(), (States{"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}))
      << run.transcript();
  const std::string warning = "Sidecar cannot tell the service's health";
  const auto first = run.out.find(warning);
  ASSERT_NE(first, std::string::npos) << run.out;
  EXPECT_EQ(run.out.find(warning, first + 1), std::string::npos) << "said twice:\n" << run.out;
  EXPECT_NE(run.out.find(GetParam().said, first), std::string::npos) << run.out;
  // The exit is seen when it happens, whatever Sidecar does.
  EXPECT_LT(run.last().at - run.updates.at(1).at, 7.0);
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSidecarTest,
    ::testing::Values(BadSidecar{"NeverThere", {}, "refused"},
                      BadSidecar{"Hangs", {"--sidecar-hang"}, "no answer within"},
                      BadSidecar{"Fails", {"--sidecar-fail"}, "HTTP 500"},
                      BadSidecar{"CutOff", {"--sidecar-truncate"}, "cut off"},
                      BadSidecar{"Page", {"--sidecar-html"}, "no Sidecar state"}),
    [](const auto& info) { return info.param.name; });

TEST_F(SidecarTest, GoneInTheMiddleIsNoFailure) {
  TaskBuilder task = checked_task("/bin/sh -c 'sleep 4; exit 0'");
  task.executor_env("EXECUTOR_SIDECAR_MAX_FAILS", "1");
  const auto run = run_task(task, with({"--sidecar-down-after", "1.5"}));
  EXPECT_EQ(updates_with_health(run),
            (States{"STARTING:-", "RUNNING:-", "RUNNING:true", "FINISHED:true"}))
      << run.transcript();
  EXPECT_FALSE(events_of(run, "sidecar_polled").empty());
}

TEST_F(SidecarTest, BigStatesAreRead) {
  const TaskBuilder task = checked_task();
  const auto run = run_task(task, with({"--sidecar-unhealthy-after", "1", "--sidecar-pad", "20"}));
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_EQ(healthy(run.last()), "false");
}

TEST_F(SidecarTest, KillDrainsFirstAndWaitsTheDrainingDuration) {
  TaskBuilder task = checked_task();
  task.executor_env("EXECUTOR_SIDECAR_DRAINING_DURATION", "2s");
  bool ran_when_drained = false;
  auto options = with({"--sidecar", "--kill-after", "1"});
  options.on_event = [&](const json::object& event) {
    if (name_of(event) != "sidecar_drained") return;
    ran_when_drained = !run_command({"docker", "ps", "-q", "--filter",
                                     "label=io.sidecar-executor.task-id=" + task.id()})
                            .output.empty();
  };
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  const auto drained = events_of(run, "sidecar_drained");
  ASSERT_EQ(drained.size(), 1u) << run.transcript();
  EXPECT_TRUE(ran_when_drained);
  EXPECT_GE(run.last().at - time_of(drained[0]), 1.9) << "drained before it was stopped";
  EXPECT_LT(run.last().at - time_of(drained[0]), 8.0);
  EXPECT_NE(run.out.find("Sidecar drains the service"), std::string::npos) << run.out;
}

TEST_F(SidecarTest, DrainingEndsWithTheContainer) {
  TaskBuilder task = checked_task("/bin/sh -c 'sleep 3; exit 0'");
  task.executor_env("EXECUTOR_SIDECAR_DRAINING_DURATION", "60s");
  const auto run = run_task(task, with({"--sidecar", "--kill-after", "1"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_EQ(events_of(run, "sidecar_drained").size(), 1u);
  EXPECT_LT(run.last().at, 20.0);
}

TEST_F(SidecarTest, NoDrainingDurationNoDrain) {
  TaskBuilder task = checked_task();
  task.executor_env("EXECUTOR_SIDECAR_DRAINING_DURATION", "0s");
  const auto run = run_task(task, with({"--sidecar", "--kill-after", "1"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_TRUE(events_of(run, "sidecar_drained").empty());
  EXPECT_FALSE(events_of(run, "sidecar_polled").empty());
}

TEST_F(SidecarTest, KillDuringTheBackoffDrains) {
  TaskBuilder task = checked_task();
  task.executor_env("EXECUTOR_SIDECAR_BACKOFF", "10m");
  task.executor_env("EXECUTOR_SIDECAR_DRAINING_DURATION", "1s");
  const auto run = run_task(task, with({"--sidecar", "--kill-after", "1"}));
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_EQ(events_of(run, "sidecar_drained").size(), 1u) << run.transcript();
  EXPECT_TRUE(events_of(run, "sidecar_polled").empty());
  EXPECT_LT(run.last().at, 15.0);
}

TEST_F(SidecarTest, AnAbsentSidecarDoesNotProlongAKill) {
  TaskBuilder task = checked_task();
  task.executor_env("EXECUTOR_SIDECAR_DRAINING_DURATION", "1s");
  // Its retries alone would take minutes.
  auto options = with({"--kill-after", "0.5"});
  options.executor_environment = {{"EXECUTOR_SIDECAR_URL", "http://127.0.0.1:9/state.json"},
                                  {"EXECUTOR_SIDECAR_RETRY_COUNT", "100"}};
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_LT(run.last().at - run.updates.at(1).at, 8.0) << run.transcript();
}

class BadDrainTest : public SystemTest, public ::testing::WithParamInterface<BadSidecar> {};

/// A Sidecar that cannot drain costs a kill the draining duration, and no more.
TEST_P(BadDrainTest, TheKillGoesOn) {
  TaskBuilder task = checked_task();
  task.executor_env("EXECUTOR_SIDECAR_BACKOFF", "10m");
  task.executor_env("EXECUTOR_SIDECAR_DRAINING_DURATION", "1s");
  task.executor_env("EXECUTOR_SIDECAR_RETRY_COUNT", "100");
  task.executor_env("EXECUTOR_SIDECAR_RETRY_DELAY", "1s");
  auto options = with(GetParam().arguments);
  options.agent_arguments.insert(options.agent_arguments.end(), {"--kill-after", "0.5"});
  const auto run = run_task(task, options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_TRUE(events_of(run, "sidecar_drained").empty());
  EXPECT_NE(run.out.find(GetParam().said), std::string::npos) << run.out;
  EXPECT_LT(run.last().at - run.updates.at(1).at, 8.0) << run.transcript();
}

INSTANTIATE_TEST_SUITE_P(
    All, BadDrainTest,
    ::testing::Values(BadSidecar{"Unknown", {"--sidecar-drain-status", "404"}, "HTTP 404"},
                      BadSidecar{
                          "Fails", {"--sidecar-drain-status", "500"}, "Draining the service"},
                      BadSidecar{"Hangs", {"--sidecar-hang"}, "Draining the service"}),
    [](const auto& info) { return info.param.name; });

// ---- the name of our host ----------------------------------------------------------------------

struct HostCase {
  const char* name;
  std::vector<std::string> arguments;
  const char* process_host;  ///< TASK_HOST of the executor's process; empty: not set
  const char* task_host;     ///< TASK_HOST of the task's executor; empty: not set
  bool found;
};

class SidecarHostTest : public SystemTest, public ::testing::WithParamInterface<HostCase> {};

TEST_P(SidecarHostTest, IsLookedUpInTheState) {
  const auto& param = GetParam();
  TaskBuilder task = checked_task("/bin/sh -c 'sleep 2; exit 0'");
  if (*param.task_host != 0) task.executor_env("TASK_HOST", param.task_host);
  auto options = with(param.arguments);
  options.agent_arguments.insert(options.agent_arguments.end(),
                                 {"--sidecar-status", "0", "--hostname", "agents-name"});
  if (*param.process_host != 0) {
    options.executor_environment = {{"TASK_HOST", param.process_host}};
  }
  const auto run = run_task(task, options);
  EXPECT_EQ(healthy(run.last()), param.found ? "true" : "-") << run.transcript();
  const bool missed = run.out.find("is not in Sidecar's state") != std::string::npos;
  EXPECT_EQ(missed, !param.found) << run.out;
}

INSTANTIATE_TEST_SUITE_P(
    All, SidecarHostTest,
    ::testing::Values(HostCase{"TaskHostUnset", {"--sidecar-host", "agents-name"}, "", "", true},
                      HostCase{"OfTheProcess", {"--sidecar-host", "process"}, "process", "", true},
                      HostCase{
                          "OfTheTask", {"--sidecar-host", "tasks-name"}, "", "tasks-name", true},
                      HostCase{"Missing", {"--sidecar-host", "somewhere-else"}, "", "", false}),
    [](const auto& info) { return info.param.name; });

TEST_F(SidecarTest, WithLabelSidecarDiscoverFalseItIsNeverAsked) {
  TaskBuilder task("/bin/sh -c 'sleep 2; exit 0'");  // has the label
  task.executor_env("EXECUTOR_SIDECAR_BACKOFF", "0s");
  task.executor_env("EXECUTOR_SIDECAR_POLL_INTERVAL", "100ms");
  const auto run = run_task(task, with({"--sidecar-status", "2"}));
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_TRUE(events_of(run, "sidecar_polled").empty());
}

}  // namespace
}  // namespace sx_test
