#include "mesos/messages.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "mesos/recordio.hpp"

namespace sidecar_executor::mesos {
namespace {

namespace json = boost::json;
const Identity who{"framework", "executor"};

template <typename T>
T as(std::string_view record) {
  auto event = parse_event(record);
  EXPECT_TRUE(event) << record << ": " << event.error().message;
  if (event && std::holds_alternative<T>(*event)) return std::get<T>(std::move(*event));
  ADD_FAILURE() << "another event: " << record;
  return T{};
}

/// The records of recorded `<` texts: chunk size, RecordIO length, JSON, CRLF.
std::vector<std::string> recorded_events(const std::filesystem::path& file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const auto entry = json::parse(line);
    const auto& object = entry.as_object();
    const auto* text = object.if_contains("text");
    const auto* connection = object.if_contains("conn");
    if (text == nullptr || connection == nullptr || !text->is_string()) continue;
    if (object.at("dir") != "<" || !std::string_view(connection->as_string()).starts_with("sub")) {
      continue;
    }
    std::string_view rest = text->as_string();
    for (std::size_t at; (at = rest.find("\n{\"type\"")) != std::string_view::npos;) {
      rest.remove_prefix(at + 1);
      const std::size_t end = rest.find("\r\n");
      if (end == std::string_view::npos) break;
      out.emplace_back(rest.substr(0, end));
      rest.remove_prefix(end);
    }
  }
  return out;
}

TEST(Events, EveryRecordedOneIsRead) {
  std::map<std::size_t, int> kinds;
  for (const auto& file :
       std::filesystem::directory_iterator(SX_SOURCE_DIR "/tests/golden/transcripts")) {
    if (file.path().extension() != ".jsonl") continue;
    for (const auto& record : recorded_events(file.path())) {
      if (record.find("va...") != std::string::npos) continue;  // cut by the recorder
      const auto event = parse_event(record);
      ASSERT_TRUE(event) << file.path() << ": " << event.error().message << "\n" << record;
      ++kinds[event->index()];
      EXPECT_FALSE(std::holds_alternative<UnknownEvent>(*event)) << record;
      if (const auto* launch = std::get_if<Launch>(&*event)) {
        EXPECT_TRUE(launch->task) << launch->problem;
      }
    }
  }
  EXPECT_GT(kinds[0], 30) << "SUBSCRIBED";
  EXPECT_GT(kinds[1], 30) << "LAUNCH";
  EXPECT_GT(kinds[4], 50) << "ACKNOWLEDGED";
}

TEST(Events, Fields) {
  const auto subscribed = as<Subscribed>(
      R"({"type":"SUBSCRIBED","subscribed":{"framework_info":{"capabilities":[
      {"type":"MULTI_ROLE"},{"type":"TASK_KILLING_STATE"}]},"agent_info":{"hostname":"h",
      "id":{"value":"S0"}},"container_id":{"value":"c"}}})");
  EXPECT_TRUE(subscribed.task_killing_state);
  EXPECT_EQ(subscribed.agent_hostname, "h");
  EXPECT_EQ(subscribed.agent_id, "S0");
  EXPECT_EQ(subscribed.container_id, "c");
  EXPECT_FALSE(as<Subscribed>(R"({"type":"SUBSCRIBED","subscribed":{}})").task_killing_state);

  const auto launch =
      as<Launch>(R"({"type":"LAUNCH","launch":{"task":{"task_id":{"value":"t"}}}})");
  EXPECT_TRUE(launch.task);
  EXPECT_EQ(launch.task_id, "t");
  const auto bad =
      as<Launch>(R"({"type":"LAUNCH","launch":{"task":{"task_id":{"value":"t"},"container":7}}})");
  EXPECT_FALSE(bad.task);
  EXPECT_EQ(bad.task_id, "t");
  EXPECT_EQ(bad.problem, "container: expected an object, found 7");
  const auto nameless = as<Launch>(R"({"type":"LAUNCH","launch":{"task":[]}})");
  EXPECT_EQ(nameless.task_id, "");
  EXPECT_EQ(nameless.problem, "the TaskInfo is not a JSON object");

  const auto group = as<LaunchGroup>(R"({"type":"LAUNCH_GROUP","launch_group":{"task_group":
      {"tasks":[{"task_id":{"value":"a"}},{"task_id":{"value":"b"}}]}}})");
  EXPECT_EQ(group.task_ids, (std::vector<std::string>{"a", "b"}));

  const auto kill = as<Kill>(R"({"type":"KILL","kill":{"task_id":{"value":"t"},
      "kill_policy":{"grace_period":{"nanoseconds":0}}}})");
  EXPECT_EQ(kill.grace_period, std::chrono::nanoseconds(0));
  for (const std::string policy : {"null", "5", "{}", R"({"grace_period":{"nanoseconds":-1}})",
                                   R"({"grace_period":{"nanoseconds":"x"}})"}) {
    const auto plain = as<Kill>(R"({"type":"KILL","kill":{"task_id":{"value":"t"},"kill_policy":)" +
                                policy + "}}");
    EXPECT_EQ(plain.task_id, "t");
    EXPECT_EQ(plain.grace_period, std::nullopt) << policy;
  }
  EXPECT_EQ(as<Message>(R"({"type":"MESSAGE","message":{"data":"aGVsbG8AAQ=="}})").data,
            std::string("hello\0\1", 7));
  EXPECT_EQ(as<ErrorEvent>(R"({"type":"ERROR","error":{"message":"m"}})").message, "m");
  EXPECT_EQ(as<UnknownEvent>(R"({"type":"NEW","new":{}})").type, "NEW");
  as<Shutdown>(R"({"type":"SHUTDOWN"})");
  as<Heartbeat>(R"({"type":"HEARTBEAT","unknown":[1]})");
}

TEST(Events, WhatIsNoEventIsNamed) {
  const std::pair<std::string, std::string_view> cases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"{} x", "not JSON"},
      {std::string(65, '[') + std::string(65, ']'), "not JSON"},
      {"[]", "the event is not a JSON object"},
      {"{}", "type: missing"},
      {R"({"type":5})", "type: expected a string, found 5"},
      {R"({"type":"KILL"})", "kill: missing"},
      {R"({"type":"KILL","kill":{}})", "kill.task_id.value: missing"},
      {R"({"type":"LAUNCH","launch":{}})", "launch.task: missing"},
      {R"({"type":"ACKNOWLEDGED","acknowledged":{"task_id":{"value":"t"}}})",
       "acknowledged.uuid: missing"},
      {R"({"type":"MESSAGE","message":{"data":"*"}})", "message.data: not Base64"},
      {R"({"type":"SUBSCRIBED","subscribed":{"framework_info":3}})",
       "subscribed.framework_info: expected an object, found 3"},
  };
  for (const auto& [record, text] : cases) {
    const auto event = parse_event(record);
    ASSERT_FALSE(event) << record;
    EXPECT_EQ(event.error().kind, ErrorKind::protocol);
    EXPECT_TRUE(event.error().message.starts_with(text)) << event.error().message;
  }
}

TEST(Events, BadBytesOfATaskDoNotLoseItsLaunch) {
  const auto launch = as<Launch>(
      "{\"type\":\"LAUNCH\",\"launch\":{\"task\":{\"task_id\":{\"value\":\"t\"},\"name\":\"\xFF\"}}"
      "}");
  ASSERT_TRUE(launch.task);
  EXPECT_EQ(launch.task->name, "\xFF");
}

TEST(Events, ABigLaunch) {
  const std::string env(2 << 20, 'x');
  const auto launch = as<Launch>(
      R"({"type":"LAUNCH","launch":{"task":{"task_id":{"value":"t"},"executor":{"command":
      {"environment":{"variables":[{"name":"BIG","value":")" +
      env + R"("}]}}}}}})");
  ASSERT_TRUE(launch.task);
  EXPECT_EQ(launch.task->executor_environment[0].value, env);
}

TEST(Events, RandomBytesNeverCrash) {
  const std::string good =
      R"({"type":"LAUNCH","launch":{"task":{"task_id":{"value":"t"},"name":"n","container":{}}}})";
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string record = good;
    for (std::uint32_t n = 0; n <= random() % 4; ++n) {
      record[random() % record.size()] = static_cast<char>(random());
    }
    static_cast<void>(parse_event(record));
    static_cast<void>(parse_destroy_message(record, "t"));
  }
}

TEST(DestroyMessage, OnlyForThisTask) {
  const std::string data =
      R"({"@class":".SingularityTaskDestroyFrameworkMessage","taskId":{"requestId":"r","id":"t1"},"user":"who"})";
  EXPECT_EQ(parse_destroy_message(data, "t1"), "who");
  EXPECT_EQ(parse_destroy_message(data, "t2"), std::nullopt);
  EXPECT_EQ(parse_destroy_message(R"({"@class":".SingularityTaskDestroyFrameworkMessage",
                                      "taskId":{"id":"t1"}})",
                                  "t1"),
            "");
  for (const std::string_view other :
       {"", "hello", "{}", "[]", R"({"@class":5})",
        R"({"@class":".SingularityTaskShellCommandRequest","taskId":{"id":"t1"}})",
        R"({"@class":".SingularityTaskDestroyFrameworkMessage","taskId":"t1"})"}) {
    EXPECT_EQ(parse_destroy_message(other, "t1"), std::nullopt) << other;
  }
}

TEST(Calls, StatusInFull) {
  StatusUpdate update;
  update.task_id = "t \"1\"";
  update.state = TaskState::failed;
  update.reason = Reason::container_limitation_memory;
  update.message = "Memory limit exceeded\n\x01 \xF0\x9F\x98\x80 \xFF";
  update.healthy = false;
  update.data = "[{}]";
  update.container_status = ContainerStatus{{{"172.17.0.2", false}, {"fd00::2", true}}, 123};
  EXPECT_EQ(
      encode_status(who, update, "AAAA", 1764000000.123),
      R"({"task_id":{"value":"t \"1\""},"state":"TASK_FAILED","source":"SOURCE_EXECUTOR",)"
      R"("executor_id":{"value":"executor"},"uuid":"AAAA","timestamp":1764000000.123000,)"
      R"("message":"Memory limit exceeded\n\u0001 )"
      "\xF0\x9F\x98\x80 \xEF\xBF\xBD"
      R"(","reason":"REASON_CONTAINER_LIMITATION_MEMORY","healthy":false,"data":"W3t9XQ==",)"
      R"("container_status":{"network_infos":[{"ip_addresses":[{"ip_address":"172.17.0.2",)"
      R"("protocol":"IPv4"},{"ip_address":"fd00::2","protocol":"IPv6"}]}],"executor_pid":123}})");
}

TEST(Calls, StatusLeavesOutWhatIsNotSet) {
  StatusUpdate update;
  update.task_id = "t";
  for (const double none : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_EQ(encode_status(who, update, "u", none),
              R"({"task_id":{"value":"t"},"state":"TASK_STARTING","source":"SOURCE_EXECUTOR",)"
              R"("executor_id":{"value":"executor"},"uuid":"u"})");
  }
}

/// CheckStatusInfo: the member of its type is there from the first update on.
TEST(Calls, StatusOfChecks) {
  const struct {
    CheckStatus status;
    const char* json;
  } table[] = {
      {{CheckType::command, std::nullopt}, R"({"type":"COMMAND","command":{}})"},
      {{CheckType::command, 0}, R"({"type":"COMMAND","command":{"exit_code":0}})"},
      {{CheckType::command, -1}, R"({"type":"COMMAND","command":{"exit_code":-1}})"},
      {{CheckType::http, std::nullopt}, R"({"type":"HTTP","http":{}})"},
      {{CheckType::http, 503}, R"({"type":"HTTP","http":{"status_code":503}})"},
      {{CheckType::tcp, std::nullopt}, R"({"type":"TCP","tcp":{}})"},
      {{CheckType::tcp, 0}, R"({"type":"TCP","tcp":{"succeeded":false}})"},
      {{CheckType::tcp, 1}, R"({"type":"TCP","tcp":{"succeeded":true}})"},
  };
  for (const auto& row : table) {
    StatusUpdate update;
    update.task_id = "t";
    update.state = TaskState::running;
    update.reason = Reason::task_check_status_updated;
    update.check_status = row.status;
    const auto status = encode_status(who, update, "u", 0);
    EXPECT_EQ(status,
              R"({"task_id":{"value":"t"},"state":"TASK_RUNNING","source":"SOURCE_EXECUTOR",)"
              R"("executor_id":{"value":"executor"},"uuid":"u",)"
              R"("reason":"REASON_TASK_CHECK_STATUS_UPDATED","check_status":)" +
                  std::string(row.json) + "}");
    EXPECT_NE(smaller_status(status).find("check_status"), std::string::npos);
  }
}

TEST(Calls, StatusIsBounded) {
  StatusUpdate update;
  update.message = std::string(100'000, '\xFF');
  update.data = std::string(1024 * 1024, 'd');
  auto status = json::parse(encode_status(who, update, "u", 1)).as_object();
  const std::string message(status.at("message").as_string());
  EXPECT_LE(message.size(), 4096U);
  EXPECT_EQ(to_utf8(message), message);
  EXPECT_EQ(base64_decode(std::string_view(status.at("data").as_string())), update.data);
  update.data += 'd';
  status = json::parse(encode_status(who, update, "u", 1)).as_object();
  EXPECT_FALSE(status.contains("data"));
}

TEST(Calls, AnyTextGivesValidJson) {
  std::mt19937 random(8);
  for (int i = 0; i < 5'000; ++i) {
    StatusUpdate update;
    update.task_id = "t";
    update.message.resize(random() % 60);
    for (char& c : update.message) c = static_cast<char>(random());
    const auto status = json::parse(encode_status(who, update, "u", 1.5));
    const auto* message = status.as_object().if_contains("message");
    ASSERT_EQ(message == nullptr ? "" : std::string(message->as_string()), to_utf8(update.message));
  }
}

TEST(Calls, SubscribeAndUpdate) {
  EXPECT_EQ(encode_subscribe(who, {}, {}),
            R"({"type":"SUBSCRIBE","framework_id":{"value":"framework"},)"
            R"("executor_id":{"value":"executor"},)"
            R"("subscribe":{"unacknowledged_tasks":[],"unacknowledged_updates":[]}})");
  EXPECT_EQ(encode_subscribe(who, {"{\"t\":1}", "{}"}, {"{\"s\":1}", "{}"}),
            R"({"type":"SUBSCRIBE","framework_id":{"value":"framework"},)"
            R"("executor_id":{"value":"executor"},)"
            R"("subscribe":{"unacknowledged_tasks":[{"t":1},{}],)"
            R"("unacknowledged_updates":[{"status":{"s":1}},{"status":{}}]}})");
  EXPECT_EQ(encode_update(who, "{\"s\":1}"),
            R"({"type":"UPDATE","framework_id":{"value":"framework"},)"
            R"("executor_id":{"value":"executor"},"update":{"status":{"s":1}}})");
}

TEST(States, NamesAndEnds) {
  const std::pair<TaskState, std::string_view> ends[] = {{TaskState::finished, "TASK_FINISHED"},
                                                         {TaskState::failed, "TASK_FAILED"},
                                                         {TaskState::killed, "TASK_KILLED"},
                                                         {TaskState::error, "TASK_ERROR"}};
  for (const auto& [state, name] : ends) {
    EXPECT_TRUE(is_terminal(state));
    EXPECT_EQ(to_string(state), name);
  }
  const std::pair<TaskState, std::string_view> others[] = {{TaskState::starting, "TASK_STARTING"},
                                                           {TaskState::running, "TASK_RUNNING"},
                                                           {TaskState::killing, "TASK_KILLING"}};
  for (const auto& [state, name] : others) {
    EXPECT_FALSE(is_terminal(state));
    EXPECT_EQ(to_string(state), name);
  }
  EXPECT_EQ(to_string(Reason::task_killed_during_launch), "REASON_TASK_KILLED_DURING_LAUNCH");
  EXPECT_EQ(to_string(Reason::none), "");
}

}  // namespace
}  // namespace sidecar_executor::mesos
