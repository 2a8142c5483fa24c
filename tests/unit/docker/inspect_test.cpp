#include "docker/inspect.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "noise.hpp"

namespace sidecar_executor::docker {
namespace {

const std::string document = R"({
 "Id":"0123456789abcdef","Name":"/mesos-x","Image":"sha256:77",
 "State":{"Status":"exited","Running":false,"Paused":false,"Restarting":false,"OOMKilled":true,
  "Dead":false,"Pid":0,"ExitCode":137,"Error":"bad\nthing","StartedAt":"2026-01-02T15:04:05.5Z",
  "FinishedAt":"2026-01-02T15:04:06.123456789Z"},
 "Config":{"Tty":true,"Env":["A=1","DB=s3cr3t","EMPTY=","PLAIN",7,"E=a=b"],
  "Labels":{"ServiceName":"x","n":1,"io.sidecar-executor.pid":"7"}},
 "HostConfig":{"LogConfig":{"Type":"json-file"}},
 "NetworkSettings":{"IPAddress":"172.17.0.9","Networks":{
  "bridge":{"IPAddress":"172.17.0.2","GlobalIPv6Address":"fd00::2"},"other":{"IPAddress":""},
  "bad":3}}})";

std::chrono::system_clock::time_point at(std::int64_t seconds, std::int64_t nanoseconds = 0) {
  return std::chrono::system_clock::time_point(std::chrono::seconds(seconds) +
                                               std::chrono::nanoseconds(nanoseconds));
}

TEST(Inspect, ReadsWhatIsThere) {
  const auto state = parse_inspect(document);
  ASSERT_TRUE(state) << state.error().message;
  EXPECT_EQ(state->id, "0123456789abcdef");
  EXPECT_EQ(state->name, "mesos-x");
  EXPECT_EQ(state->status, "exited");
  EXPECT_TRUE(state->ended());
  EXPECT_FALSE(state->running || state->paused || state->restarting);
  EXPECT_TRUE(state->oom_killed);
  EXPECT_EQ(state->exit_code, 137);
  EXPECT_EQ(state->error, "bad thing");
  EXPECT_EQ(state->pid, 0);
  EXPECT_EQ(state->started_at, "2026-01-02T15:04:05.5Z");
  EXPECT_EQ(state->finished_at, at(1767366246, 123456789));
  EXPECT_EQ(state->ran_for, std::chrono::nanoseconds(623456789));
  EXPECT_TRUE(state->tty);
  EXPECT_EQ(state->log_driver, "json-file");
  EXPECT_EQ(state->image_id, "sha256:77");
  ASSERT_EQ(state->labels.size(), 2U);
  EXPECT_EQ(state->labels[1].second, "7");
  ASSERT_EQ(state->addresses.size(), 2U);
  EXPECT_EQ(state->addresses[0].ip, "172.17.0.2");
  EXPECT_TRUE(state->addresses[1].v6);
}

/// Podman's word between the end of the program and its clean-up.
TEST(Inspect, StoppedIsExited) {
  const auto state =
      parse_inspect(R"({"Id":"a","State":{"Status":"stopped","Running":false,"ExitCode":3}})");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, "exited");
  EXPECT_TRUE(state->ended());
  EXPECT_EQ(state->exit_code, 3);
}

TEST(Inspect, TheLeastThatIsNeeded) {
  const auto state = parse_inspect(R"({"Id":"a","State":{"Status":"running","Running":true,
    "Pid":-4,"ExitCode":99999999999},"NetworkSettings":{"IPAddress":"10.0.0.1"}})");
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->running);
  EXPECT_FALSE(state->ended());
  EXPECT_EQ(state->pid, 0);
  EXPECT_EQ(state->exit_code, std::numeric_limits<int>::max());
  ASSERT_EQ(state->addresses.size(), 1U);
  EXPECT_FALSE(state->finished_at);
  EXPECT_FALSE(state->ran_for);
}

TEST(Inspect, PausedAndDead) {
  const auto state = [](const std::string& fields) {
    return parse_inspect(R"({"Id":"a","State":{)" + fields + "}}").value();
  };
  EXPECT_TRUE(state(R"("Status":"running","Paused":true)").paused);
  EXPECT_TRUE(state(R"("Status":"paused")").paused);
  EXPECT_FALSE(state(R"("Status":"running","Paused":false)").paused);
  EXPECT_TRUE(state(R"("Status":"dead")").ended());
  EXPECT_EQ(state(R"("Status":"exited","ExitCode":"1")").exit_code, 0) << "no number";
}

TEST(Inspect, ARunThatIsNotOverHasNoLength) {
  const auto ran_for = [](const std::string& fields) {
    return parse_inspect(R"({"Id":"a","State":{"Status":"x",)" + fields + "}}").value().ran_for;
  };
  const std::string ended = R"("FinishedAt":"2026-01-02T15:04:06Z")";
  EXPECT_EQ(ran_for(R"("StartedAt":"2026-01-02T15:04:05Z",)" + ended), std::chrono::seconds(1));
  EXPECT_FALSE(ran_for(R"("StartedAt":"2026-01-02T15:04:05Z","Running":true,)" + ended));
  EXPECT_FALSE(ran_for(R"("StartedAt":"2026-01-02T15:04:07Z",)" + ended)) << "the run before";
  EXPECT_FALSE(ran_for(R"("StartedAt":"2026-01-02T15:04:05Z")"));
}

TEST(Inspect, AddressesAreBounded) {
  std::string networks;
  for (int i = 0; i < 100; ++i)
    networks += (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"IPAddress":"10.0.0.1"})";
  const auto state = parse_inspect(R"({"Id":"a","State":{"Status":"running"},
    "NetworkSettings":{"Networks":{)" +
                                   networks + "}}}");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->addresses.size(), 63U) << "the last would have room for one of its two";
}

TEST(Inspect, NamesWhatIsMissing) {
  const struct {
    const char* json;
    const char* says;
  } table[] = {
      {"", "not JSON"},
      {"[]", "object"},
      {"{}", "Id"},
      {R"({"Id":7,"State":{"Status":"x"}})", "Id"},
      {R"({"Id":"a"})", "State"},
      {R"({"Id":"a","State":[]})", "State"},
      {R"({"Id":"a","State":{}})", "State.Status"},
  };
  for (const auto& row : table) {
    const auto state = parse_inspect(row.json);
    ASSERT_FALSE(state) << row.json;
    EXPECT_EQ(state.error().kind, ErrorKind::protocol);
    EXPECT_NE(state.error().message.find(row.says), std::string::npos) << state.error().message;
  }
}

TEST(Inspect, Times) {
  const struct {
    const char* text;
    std::optional<std::chrono::system_clock::time_point> time;
  } table[] = {
      {"0001-01-01T00:00:00Z", std::nullopt},
      {"1970-01-01T00:00:00Z", at(0)},
      {"2026-01-02T15:04:05+02:00", at(1767359045)},
      {"2026-01-02T15:04:05.1234567891234-01:30", at(1767371645, 123456789)},
      {"2024-02-29T00:00:00Z", at(1709164800)},
      {"2025-02-29T00:00:00Z", std::nullopt},
      {"2026-13-01T00:00:00Z", std::nullopt},
      {"2026-01-02T25:04:05Z", std::nullopt},
      {"2026-01-02T15:04:05", std::nullopt},
      {"2026-01-02T15:04:05.Z", std::nullopt},
      {"2026-01-02T15:04:05Zx", std::nullopt},
      {"9999-01-02T15:04:05Z", std::nullopt},
      {"", std::nullopt},
      {"2026-01-02 15:04:60Z", at(1767366300)},
      {"2026-01-02T15:04:05.9+00:00", at(1767366245, 900000000)},
      {"1969-12-31T23:59:59Z", std::nullopt},
      {"2026-1-02T15:04:05Z", std::nullopt},
      {"2026-0102T15:04:05Z", std::nullopt},
      {"2026-01-02x15:04:05Z", std::nullopt},
      {"2026-01-02T1x:04:05Z", std::nullopt},
      {"2026-01-02T15-04:05Z", std::nullopt},
      {"2026-01-02T15:60:05Z", std::nullopt},
      {"2026-01-02T15:x4:05Z", std::nullopt},
      {"2026-01-02T15:04-05Z", std::nullopt},
      {"2026-01-02T15:04:61Z", std::nullopt},
      {"2026-01-02T15:04:xxZ", std::nullopt},
      {"2026-01-02T15:04:05./Z", std::nullopt},
      {"2026-01-02T15:04:05.:Z", std::nullopt},
      {"2026-01-02T15:04:05.", std::nullopt},
      {"2026-01-02T15:04:05.1", std::nullopt},
      {"2026-01-02T15:04:05.1/", std::nullopt},
      {"2026-01-02T15:04:05+0x:00", std::nullopt},
      {"2026-01-02T15:04:05+02", std::nullopt},
      {"2026-01-02T15:04:05+02:0x", std::nullopt},
      {"2026-01-02T15:04:05+02:000", std::nullopt},
  };
  for (const auto& row : table) {
    const auto state = parse_inspect(R"({"Id":"a","State":{"Status":"exited","FinishedAt":")" +
                                     std::string(row.text) + "\"}}");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->finished_at, row.time) << row.text;
  }
}

TEST(InspectForFramework, KeepsNamesAndNoValues) {
  const auto data = inspect_for_framework(document);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->find("s3cr3t"), std::string::npos);
  const auto parsed = boost::json::parse(*data);
  ASSERT_EQ(parsed.as_array().size(), 1U);
  EXPECT_EQ(boost::json::serialize(parsed.at(0).at("Config").at("Env")),
            R"(["A","DB","EMPTY","PLAIN","E"])");
  EXPECT_EQ(parsed.at(0).at("State").at("ExitCode").as_int64(), 137);
}

TEST(InspectForFramework, OddDocuments) {
  EXPECT_FALSE(inspect_for_framework("nonsense"));
  EXPECT_FALSE(inspect_for_framework("[1]"));
  EXPECT_EQ(inspect_for_framework(R"({"a":[{"b":-1e999}]})").value(), R"([{"a":[{"b":null}]}])");
  EXPECT_EQ(inspect_for_framework("{}").value(), "[{}]");
  EXPECT_EQ(inspect_for_framework(R"({"Config":null})").value(), R"([{"Config":null}])");
  // Two members of one name: only the last is kept, and stripped.
  EXPECT_EQ(inspect_for_framework(R"({"Config":{"Env":["A=s"],"Env":["B=s"]}})").value(),
            R"([{"Config":{"Env":["B"]}}])");
  EXPECT_EQ(inspect_for_framework(R"({"Config":{"Env":"A=s3cr3t"}})").value(),
            R"([{"Config":{"Env":[]}}])");
  EXPECT_EQ(inspect_for_framework(R"({"Config":{"Env":{"A":"s"}}})").value(),
            R"([{"Config":{"Env":[]}}])");
}

TEST(Inspect, Noise) {
  with_noise({document}, [](const std::string& text) {
    (void)parse_inspect(text);
    const auto data = inspect_for_framework(text);
    if (data) EXPECT_TRUE(data->starts_with("[{"));
  });
}

}  // namespace
}  // namespace sidecar_executor::docker
