// health_check and check of a TaskInfo in a whole run, against services in real containers.
#include <unistd.h>

#include <algorithm>

#include "support/system.hpp"

namespace sx_test {
namespace {

using Texts = std::vector<std::string>;

/// Serves /health, and goes on until it is stopped or /end is there.
std::string service(const std::string& port) {
  return "/bin/sh -c 'trap \"exit 0\" TERM; mkdir /srv; echo well >/srv/health; httpd -p " + port +
         " -h /srv; until [ -e /end ]; do sleep 0.05; done'";
}

/// Some free port of the host's network; tests of several processes run at the same time.
std::string host_port(int number) {
  return std::to_string(20000 + number * 4000 + ::getpid() % 4000);
}

json::object often(json::object check) {
  check["delay_seconds"] = 0.0;
  check["interval_seconds"] = 0.2;
  check["timeout_seconds"] = 5.0;
  return check;
}

json::object health_check(json::object check) {
  check = often(std::move(check));
  check["consecutive_failures"] = 3;
  check["grace_period_seconds"] = 60.0;  // while the service is not there yet
  return check;
}

json::object http_check(const std::string& port, json::object more = {}) {
  more["port"] = std::stoi(port);
  more["path"] = "/health";
  return {{"type", "HTTP"}, {"http", more}};
}

/// `RUNNING true HTTP{"status_code":200}`: state, healthy and the result of the check, as far as
/// given.
std::string shown(const Update& update) {
  std::string out = update.state.substr(5);
  if (const auto* healthy = update.status.if_contains("healthy"))
    out += healthy->as_bool() ? " true" : " false";
  if (const auto* status = update.status.if_contains("check_status"))
    for (const auto& [type, member] : {std::pair{"COMMAND", "command"}, {"HTTP", "http"}})
      if (status->at("type").as_string() == type)
        out.append(" ").append(type) += json::serialize(status->at(member));
  return out;
}

Texts all_shown(const RunResult& run) {
  Texts out;
  for (const auto& update : run.updates) out.push_back(shown(update));
  return out;
}

/// Runs a shell command in the task's container when an update looks like this, once.
RunOptions when(const TaskBuilder& task, std::string looks, std::string command) {
  RunOptions options;
  options.on_event = [id = task.id(), looks = std::move(looks), command = std::move(command),
                      done = false](const json::object& event) mutable {
    if (done || event.at("event").as_string() != "update") return;
    Update update;
    update.status = event.at("status").as_object();
    update.state = update.status.at("state").as_string();
    if (shown(update) != looks) return;
    done = true;
    EXPECT_EQ(run_command({"docker", "exec", container_name_of(id), "/bin/sh", "-c", command}).code,
              0);
  };
  return options;
}

RunOptions both(const RunOptions& one, const RunOptions& other) {
  RunOptions options;
  options.on_event = [first = one.on_event, second = other.on_event](const json::object& event) {
    first(event);
    second(event);
  };
  return options;
}

bool says(const Update& update, const std::string& part) {
  return update.message.find(part) != std::string::npos;
}

struct Kind {
  const char* name;
  const char* network;
  std::string port;
  json::object check;
  const char* breaks;  ///< a shell command
  const char* says;    ///< what failed
};

class HealthCheckTest : public SystemTest, public ::testing::WithParamInterface<Kind> {};

TEST_P(HealthCheckTest, HealthyThenUnhealthyThenFailed) {
  const auto& kind = GetParam();
  TaskBuilder task(service(kind.port));
  task.docker()["network"] = kind.network;
  task.object()["health_check"] = health_check(kind.check);
  const auto run = run_task(task, when(task, "RUNNING true", kind.breaks));
  EXPECT_EQ(all_shown(run),
            (Texts{"STARTING", "RUNNING", "RUNNING true", "RUNNING false", "FAILED false"}))
      << run.transcript();
  ASSERT_EQ(run.updates.size(), 5U);
  EXPECT_EQ(run.updates[2].reason, "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
  EXPECT_EQ(run.updates[3].reason, "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED");
  EXPECT_TRUE(says(run.updates[3], kind.says)) << run.updates[3].message;
  EXPECT_TRUE(says(run.last(), "unhealthy by its ")) << run.last().message;
  EXPECT_TRUE(says(run.last(), "health check: 3 consecutive failed checks ("))
      << run.last().message;
  EXPECT_TRUE(says(run.last(), kind.says)) << run.last().message;
  EXPECT_NE(run.err.find(" at its health check, since 20"), std::string::npos) << run.err;
}

INSTANTIATE_TEST_SUITE_P(
    All, HealthCheckTest,
    ::testing::Values(
        Kind{"Http", "BRIDGE", "8080", http_check("8080"), "rm /srv/health", "HTTP status 404"},
        Kind{"HttpOfTheHostsNetwork", "HOST", host_port(0), http_check(host_port(0)),
             "rm /srv/health", "HTTP status 404"},
        Kind{"HttpByIpV6", "HOST", host_port(1), http_check(host_port(1), {{"protocol", "IPv6"}}),
             "rm /srv/health", "HTTP status 404"},
        Kind{"Tcp",
             "BRIDGE",
             "8080",
             {{"type", "TCP"}, {"tcp", {{"port", 8080}}}},
             "killall httpd",
             ":8080: Connection refused"},
        Kind{"Command",
             "NONE",
             "8080",
             {{"type", "COMMAND"},
              {"command",
               {{"value", "[ -e /srv/health ] || { echo \"it is $WHAT\"; exit 3; }"},
                {"environment",
                 {{"variables", json::array{{{"name", "WHAT"}, {"value", "gone"}}}}}}}}},
             "rm /srv/health",
             "exit code 3 (it is gone)"}),
    [](const auto& info) { return info.param.name; });

class CheckTest : public SystemTest {};

TEST_F(CheckTest, ACommandThatHangsFailsTheTaskAndIsStartedOnce) {
  TaskBuilder task(service("8080"));
  json::object check = health_check(
      {{"type", "COMMAND"}, {"command", {{"value", "echo once >>/srv/starts; exec sleep 600"}}}});
  check["timeout_seconds"] = 0.3;
  check["consecutive_failures"] = 2;
  check["grace_period_seconds"] = 0;
  task.object()["health_check"] = check;
  const auto run = run_task(task);
  EXPECT_EQ(all_shown(run), (Texts{"STARTING", "RUNNING", "RUNNING false", "FAILED false"}))
      << run.transcript();
  EXPECT_TRUE(says(run.updates.at(2), "no result within 300 ms")) << run.transcript();
  EXPECT_TRUE(says(run.last(), "the command of an earlier check still runs")) << run.transcript();
}

/// Four failures, where three are too many.
TEST_F(CheckTest, FailuresWhileItStartsDoNotCount) {
  TaskBuilder task(service("8080"));
  task.object()["health_check"] = health_check(
      {{"type", "COMMAND"},
       {"command", {{"value", "echo >>/tries; [ $(wc -l </tries) -gt 4 ] || exit 7"}}}});
  const auto run = run_task(task, when(task, "RUNNING true", "touch /end"));
  auto seen = all_shown(run);
  ASSERT_GE(seen.size(), 4U) << run.transcript();
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  seen.resize(3);  // a check that meets the end fails
  EXPECT_EQ(seen, (Texts{"STARTING", "RUNNING", "RUNNING true"})) << run.transcript();
  EXPECT_NE(run.out.find("within the grace period, ignoring"), std::string::npos) << run.out;
}

TEST_F(CheckTest, WhatIsNotInTheImageIsAnExitCode) {
  TaskBuilder task(service("8080"));
  task.object()["check"] =
      often({{"type", "COMMAND"},
             {"command", {{"command", {{"shell", false}, {"value", "/bin/no-such-program"}}}}}});
  // Engines differ in which of the two it is.
  const Texts either{R"(RUNNING COMMAND{"exit_code":126})", R"(RUNNING COMMAND{"exit_code":127})"};
  const auto run = run_task(
      task, both(when(task, either[0], "touch /end"), when(task, either[1], "touch /end")));
  ASSERT_GE(run.updates.size(), 4U) << run.transcript();
  EXPECT_EQ(shown(run.updates[0]), "STARTING COMMAND{}");
  EXPECT_EQ(shown(run.updates[1]), "RUNNING COMMAND{}");
  EXPECT_EQ(std::count(either.begin(), either.end(), shown(run.updates[2])), 1);
  EXPECT_TRUE(says(run.updates[2], "/bin/no-such-program")) << run.updates[2].message;
  EXPECT_EQ(run.last().state, "TASK_FINISHED");
}

/// Its result is told whenever it changes, is in every update, and kills nobody.
TEST_F(CheckTest, ACheckTellsItsResult) {
  TaskBuilder task(service("8080"));
  task.object()["check"] = often(http_check("8080"));
  // It fails five times more before it may end.
  const auto run =
      run_task(task, both(when(task, R"(RUNNING HTTP{"status_code":200})", "rm /srv/health"),
                          when(task, R"(RUNNING HTTP{"status_code":404})", "sleep 1; touch /end")));
  ASSERT_GE(run.updates.size(), 5U) << run.transcript();
  EXPECT_EQ(shown(run.updates[0]), "STARTING HTTP{}");
  EXPECT_EQ(shown(run.updates[1]), "RUNNING HTTP{}");
  EXPECT_EQ(shown(run.updates[2]), R"(RUNNING HTTP{"status_code":200})");
  EXPECT_EQ(shown(run.updates[3]), R"(RUNNING HTTP{"status_code":404})");
  // One more may find the service gone, before Docker says that the container has ended.
  EXPECT_TRUE(shown(run.last()).starts_with("FINISHED HTTP{")) << run.transcript();
  EXPECT_EQ(run.updates[3].reason, "REASON_TASK_CHECK_STATUS_UPDATED");
  EXPECT_EQ(run.updates[3].message, "HTTP check: HTTP status 404");
}

/// Without the label that keeps Sidecar out.
TaskBuilder in_sidecar() {
  TaskBuilder task(service("8080"));
  task.docker()["parameters"].as_array().pop_back();
  task.executor_env("EXECUTOR_SIDECAR_BACKOFF", "100ms");
  task.executor_env("EXECUTOR_SIDECAR_POLL_INTERVAL", "200ms");
  task.executor_env("EXECUTOR_SIDECAR_RETRY_COUNT", "0");
  task.object()["health_check"] = health_check(http_check("8080"));
  return task;
}

TEST_F(CheckTest, ATaskThatSidecarFindsWellFailsByItsHealthCheck) {
  const TaskBuilder task = in_sidecar();
  auto options = when(task, "RUNNING true", "rm /srv/health");
  options.agent_arguments = {"--sidecar-status", "0"};
  const auto run = run_task(task, options);
  EXPECT_EQ(shown(run.last()), "FAILED false") << run.transcript();
  EXPECT_TRUE(says(run.last(), "unhealthy by its HTTP health check")) << run.last().message;
}

TEST_F(CheckTest, ATaskThatPassesItsHealthCheckFailsInSidecar) {
  const TaskBuilder task = in_sidecar();
  RunOptions options;
  options.agent_arguments = {"--sidecar-status", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,2,2,2"};
  const auto run = run_task(task, options);
  EXPECT_EQ(all_shown(run),
            (Texts{"STARTING", "RUNNING", "RUNNING true", "RUNNING false", "FAILED false"}))
      << run.transcript();
  EXPECT_TRUE(says(run.last(), "unhealthy in Sidecar")) << run.last().message;
  EXPECT_NE(run.out.find("healthy=true health_check=\"HTTP status 200\""), std::string::npos)
      << run.out;
}

TEST_F(CheckTest, OneThatCannotBeDoneIsRefused) {
  TaskBuilder task(service("8080"));
  task.object()["health_check"] = http_check("0");
  const auto run = run_task(task);
  EXPECT_EQ(run.states(), (Texts{"TASK_ERROR"})) << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_TASK_INVALID");
  EXPECT_EQ(run.last().message, "health_check.http.port: expected a port from 1 to 65535, found 0");
}

}  // namespace
}  // namespace sx_test
