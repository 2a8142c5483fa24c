#include "wire_json.hpp"

#include <gtest/gtest.h>

#include "events.hpp"
#include "recordio.hpp"
#include "task_file.hpp"
#include "transcripts.hpp"

namespace mini_agent {
namespace {

TEST(MiniAgentWireJson, ErrorsAreToldInTheAgentsWords) {
  EXPECT_EQ(parse_as_agent("").error, "syntax error at line 1 near: ");
  EXPECT_EQ(parse_as_agent("{\n\"a\":x}").error, "syntax error at line 2 near: x}");
  EXPECT_EQ(parse_as_agent("{} {}").error,
            "Parsed JSON included non-whitespace trailing characters:  {}");
  EXPECT_EQ(parse_as_agent("[1,2").error, "syntax error at line 1 near: ");
  EXPECT_EQ(parse_as_agent(std::string(100000, '[')).error.substr(0, 24),
            "syntax error at line 1 n");
}

TEST(MiniAgentWireJson, TakesWhatTheAgentTakes) {
  EXPECT_EQ(parse_as_agent(" {\"a\":1,\"a\":2} \n").value.at("a").as_int64(), 2);
  EXPECT_EQ(parse_as_agent(R"("\u00e9\ud83d\ude00\/")").value.as_string(), "é😀/");
  EXPECT_TRUE(parse_as_agent("\"\xff\"").error.empty());
  EXPECT_EQ(parse_as_agent("-1.5e3").value.as_double(), -1500);
  EXPECT_TRUE(parse_as_agent("null").value.is_null());
}

TEST(MiniAgentWireJson, DoublesArePrintedAsTheAgentDoes) {
  const auto value = parse_as_agent(R"({"a":32.0,"b":0.1,"c":1795378283.4865012,"d":5})").value;
  EXPECT_EQ(print_as_agent(value), R"({"a":32.0,"b":0.1,"c":1795378283.4865012,"d":5})");
}

TEST(MiniAgentWireJson, Utf8) {
  EXPECT_TRUE(is_valid_utf8("aé😀"));
  for (const std::string bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
}

// The LAUNCH that a real agent sent goes in as a task file and comes out as the same bytes.
TEST(MiniAgentEvents, ALaunchIsTheRealOne) {
  std::string wanted;
  for (const auto& text : mini_agent_tests::read_received("01-basic-docker-task-json.jsonl")) {
    if (text.find(R"({"type":"LAUNCH")") != std::string::npos) wanted = text;
  }
  ASSERT_FALSE(wanted.empty()) << "missing transcripts below " SX_SOURCE_DIR "/tests/golden";
  const std::string body =
      wanted.substr(wanted.find('{'), wanted.rfind('}') + 1 - wanted.find('{'));
  const Task task = complete_task(parse_as_agent(body).value, "/x");
  EXPECT_EQ(print_as_agent(launch_event(task.info)), body);
  EXPECT_EQ(task.task_id, "t1.json");
  EXPECT_EQ(task.executor_id, "ex1.json");
  EXPECT_EQ(record(body), std::to_string(body.size()) + "\n" + body);
}

TEST(MiniAgentEvents, AcknowledgedAndKillAreTheRealOnes) {
  const auto status = parse_as_agent(R"({"task_id":{"value":"t"},"uuid":"AA=="})").value;
  EXPECT_EQ(print_as_agent(acknowledged_event(status.as_object())),
            R"({"type":"ACKNOWLEDGED","acknowledged":{"task_id":{"value":"t"},"uuid":"AA=="}})");
  EXPECT_EQ(print_as_agent(kill_event("t", std::chrono::seconds(2))),
            R"({"type":"KILL","kill":{"task_id":{"value":"t"},)"
            R"("kill_policy":{"grace_period":{"nanoseconds":2000000000}}}})");
  EXPECT_EQ(print_as_agent(kill_event("t", std::nullopt)),
            R"({"type":"KILL","kill":{"task_id":{"value":"t"}}})");
}

}  // namespace
}  // namespace mini_agent
