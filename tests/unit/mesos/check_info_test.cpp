// health_check and check of a TaskInfo: what is read, and what is refused with which words.
#include "mesos/check_info.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "mesos/task_info.hpp"

namespace sidecar_executor::mesos {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

Result<TaskInfo> task_with(const std::string& member, const std::string& value) {
  return parse_task_info(
      json::parse(R"({"task_id":{"value":"t"},")" + member + "\":" + value + "}"));
}

HealthCheck health(const std::string& value) {
  const auto task = task_with("health_check", value);
  EXPECT_TRUE(task) << value << ": " << task.error().message;
  return task && task->health_check ? *task->health_check : HealthCheck{};
}

Check status_check(const std::string& value) {
  const auto task = task_with("check", value);
  EXPECT_TRUE(task) << value << ": " << task.error().message;
  return task && task->check ? *task->check : Check{};
}

TEST(CheckInfo, AbsentAndNull) {
  const auto none = task_with("health_check", "null");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->health_check);
  EXPECT_FALSE(none->check);
}

TEST(CheckInfo, DefaultsAreThoseOfMesos) {
  const auto read = health(R"({"type":"TCP","tcp":{"port":5432}})");
  EXPECT_EQ(read.check.type(), CheckType::tcp);
  EXPECT_EQ(std::get<TcpCheck>(read.check.kind).port, 5432);
  EXPECT_FALSE(std::get<TcpCheck>(read.check.kind).v6);
  EXPECT_EQ(read.check.delay, 15s);
  EXPECT_EQ(read.check.interval, 10s);
  EXPECT_EQ(read.check.timeout, 20s);
  EXPECT_EQ(read.grace_period, 10s);
  EXPECT_EQ(read.consecutive_failures, 3);
}

/// As Marathon makes it of a MESOS_HTTP check with ipProtocol IPv6.
TEST(CheckInfo, EveryFieldOfHttp) {
  const auto read = health(
      R"({"type":"HTTP","http":{"protocol":"IPv6","scheme":"https","port":8443,"path":"/h?q=1",)"
      R"("statuses":[200,204]},"delay_seconds":0.25,"interval_seconds":60.0,"timeout_seconds":0,)"
      R"("consecutive_failures":0,"grace_period_seconds":300})");
  const auto& http = std::get<HttpCheck>(read.check.kind);
  EXPECT_EQ(http.port, 8443);
  EXPECT_TRUE(http.v6);
  EXPECT_TRUE(http.tls);
  EXPECT_EQ(http.path, "/h?q=1");
  EXPECT_EQ(http.statuses, (std::vector<int>{200, 204}));
  EXPECT_EQ(read.check.delay, 250ms);
  EXPECT_EQ(read.check.interval, 1min);
  EXPECT_EQ(read.check.timeout, std::chrono::nanoseconds::max()) << "0 = without limit";
  EXPECT_EQ(read.consecutive_failures, 0);
  EXPECT_EQ(read.grace_period, 5min);
  EXPECT_EQ(std::get<HttpCheck>(health(R"({"type":"HTTP","http":{"port":1}})").check.kind).path,
            "/");
}

TEST(CheckInfo, AnEmptyPathIsNone) {
  EXPECT_EQ(std::get<HttpCheck>(
                health(R"({"type":"HTTP","http":{"port":80,"path":"/grüße"}})").check.kind)
                .path,
            "/grüße");
  const auto read = health(R"({"type":"HTTP","http":{"port":80,"path":""}})");
  EXPECT_EQ(std::get<HttpCheck>(read.check.kind).path,
            std::get<HttpCheck>(health(R"({"type":"HTTP","http":{"port":80}})").check.kind).path);
}

TEST(CheckInfo, TimesThatWouldOverflowAreCut) {
  const auto read = health(
      R"({"type":"TCP","tcp":{"port":1},"delay_seconds":1e300,"interval_seconds":"Infinity"})");
  EXPECT_EQ(read.check.delay, 24h * 365 * 100);
  EXPECT_EQ(read.check.interval, 24h * 365 * 100);
}

TEST(CheckInfo, Commands) {
  const auto shell = health(R"({"type":"COMMAND","command":{"value":"test -e /ok && true"}})");
  const auto& command = std::get<CommandCheck>(shell.check.kind);
  EXPECT_EQ(command.argv, (Texts{"/bin/sh", "-c", "test -e /ok && true"}));
  EXPECT_TRUE(command.environment.empty());
  const auto plain = health(
      R"({"type":"COMMAND","command":{"shell":false,"value":"/bin/c","arguments":["-a","b c"],)"
      R"("environment":{"variables":[{"name":"A","value":"1"},{"name":"B"},)"
      R"({"name":"S","type":"SECRET","secret":{"type":"VALUE","value":{"data":"c2VjcmV0"}}}]}}})");
  EXPECT_EQ(std::get<CommandCheck>(plain.check.kind).argv, (Texts{"/bin/c", "-a", "b c"}));
  EXPECT_EQ(std::get<CommandCheck>(plain.check.kind).environment, (Texts{"A=1", "B=", "S=secret"}));
  const auto arguments =
      health(R"({"type":"COMMAND","command":{"shell":false,"arguments":["/bin/c","x"]}})");
  EXPECT_EQ(std::get<CommandCheck>(arguments.check.kind).argv, (Texts{"/bin/c", "x"}));
}

TEST(CheckInfo, TypeOfTheOldFormIsWhatIsThere) {
  EXPECT_EQ(health(R"({"http":{"port":80}})").check.type(), CheckType::http);
  EXPECT_EQ(health(R"({"command":{"value":"true"}})").check.type(), CheckType::command);
  EXPECT_EQ(status_check(R"({"tcp":{"port":80}})").type(), CheckType::tcp);
}

TEST(CheckInfo, ChecksHaveTheCommandOneLevelDeeper) {
  const auto read = status_check(
      R"({"type":"COMMAND","command":{"command":{"value":"true"}},"interval_seconds":1})");
  EXPECT_EQ(std::get<CommandCheck>(read.kind).argv.back(), "true");
  EXPECT_EQ(read.interval, 1s);
  EXPECT_EQ(read.delay, 15s);
}

TEST(CheckInfo, WhatIsRefused) {
  const struct {
    const char* member;
    const char* value;
    const char* says;
  } table[] = {
      {"health_check", "5", "health_check: expected an object, found 5"},
      {"health_check", "{}", "health_check.type: missing; expected COMMAND, HTTP or TCP"},
      {"health_check", R"({"type":"GRPC"})",
       "health_check.type: expected COMMAND, HTTP or TCP, found \"GRPC\""},
      {"health_check", R"({"type":"UNKNOWN"})",
       "health_check.type: expected COMMAND, HTTP or TCP, found \"UNKNOWN\""},
      {"health_check", R"({"type":7,"tcp":{"port":1}})",
       "health_check.type: expected a string, found 7"},
      {"health_check", R"({"type":"HTTP"})",
       "health_check.http: missing; a check of type HTTP needs it"},
      {"health_check", R"({"type":"TCP","http":{"port":80}})",
       "health_check.tcp: missing; a check of type TCP needs it"},
      {"health_check", R"({"type":"COMMAND"})",
       "health_check.command: missing; a check of type COMMAND needs it"},
      {"health_check", R"({"type":"HTTP","http":{}})", "health_check.http.port: missing"},
      {"health_check", R"({"type":"HTTP","http":{"port":0}})",
       "health_check.http.port: expected a port from 1 to 65535, found 0"},
      {"health_check", R"({"type":"TCP","tcp":{"port":65536}})",
       "health_check.tcp.port: expected a whole number from 0 to 65535, found 65536"},
      {"health_check", R"({"type":"TCP","tcp":{"port":1,"protocol":"IPv5"}})",
       "health_check.tcp.protocol: expected IPv4 or IPv6, found \"IPv5\""},
      {"health_check", R"({"type":"HTTP","http":{"port":1,"scheme":"ftp"}})",
       "health_check.http.scheme: expected http or https, found \"ftp\""},
      {"health_check", R"({"type":"HTTP","http":{"port":1,"path":"health"}})",
       "health_check.http.path: expected a path that begins with / and has no blanks, found "
       "\"health\""},
      {"health_check", R"({"type":"HTTP","http":{"port":1,"path":"/a b"}})",
       "health_check.http.path: expected a path that begins with / and has no blanks, found "
       "\"/a b\""},
      {"health_check", R"({"type":"HTTP","http":{"port":1,"path":"/a\r\nX: y"}})",
       "health_check.http.path: expected a path that begins with / and has no blanks, found "
       "\"/a  X: y\""},
      {"health_check", R"({"type":"HTTP","http":{"port":1,"path":"/\u007f"}})",
       "health_check.http.path: expected a path that begins with / and has no blanks, found "
       "\"/ \""},
      {"health_check", R"({"type":"HTTP","http":{"port":1,"statuses":["OK"]}})",
       "health_check.http.statuses[0]: expected a whole number from 0 to 999, found \"OK\""},
      {"health_check", R"({"type":"TCP","tcp":{"port":1},"delay_seconds":-1})",
       "health_check.delay_seconds: expected a number that is not negative, found -1"},
      {"health_check", R"({"type":"TCP","tcp":{"port":1},"timeout_seconds":"soon"})",
       "health_check.timeout_seconds: expected a number that is not negative, found \"soon\""},
      {"health_check", R"({"type":"TCP","tcp":{"port":1},"grace_period_seconds":-0.5})",
       "health_check.grace_period_seconds: expected a number that is not negative, found -5E-1"},
      {"health_check", R"({"type":"TCP","tcp":{"port":1},"consecutive_failures":-3})",
       "health_check.consecutive_failures: expected a whole number from 0 to "
       "9223372036854775807, found -3"},
      {"health_check", R"({"type":"COMMAND","command":{}})", "health_check.command.value: missing"},
      {"health_check", R"({"type":"COMMAND","command":{"value":""}})",
       "health_check.command.value: empty"},
      {"health_check", R"({"type":"COMMAND","command":{"shell":false}})",
       "health_check.command.value: missing or empty"},
      {"health_check", R"({"type":"COMMAND","command":{"shell":false,"arguments":["","x"]}})",
       "health_check.command.value: missing or empty"},
      {"check",
       R"({"type":"COMMAND","command":{"command":{"value":"x","environment":{"variables":[)"
       R"({"name":"S","type":"SECRET","secret":{"reference":{"name":"secret/x"}}}]}}}})",
       "check.command.command.environment.variables[0].secret.value.data: missing; a check's "
       "secrets are of type VALUE"},
      {"check", R"({"type":"COMMAND","command":{"value":"true"}})",
       "check.command.command.value: missing"},
      {"check", R"({"type":"HTTP","http":{"port":80},"interval_seconds":-1})",
       "check.interval_seconds: expected a number that is not negative, found -1"},
  };
  for (const auto& row : table) {
    const auto task = task_with(row.member, row.value);
    ASSERT_FALSE(task) << row.value;
    EXPECT_EQ(task.error().message, row.says) << row.value;
  }
}

/// A refusal must not show what may be a secret.
TEST(CheckInfo, RefusalsShowNoEnvironment) {
  const auto task = task_with(
      "health_check",
      R"({"type":"COMMAND","command":{"value":"x","environment":{"variables":[{"name":"S",)"
      R"("type":"SECRET","secret":{"value":{"data":"%%hush%%"}}}]}}})");
  ASSERT_FALSE(task);
  EXPECT_EQ(task.error().message.find("hush"), std::string::npos) << task.error().message;
}

}  // namespace
}  // namespace sidecar_executor::mesos
