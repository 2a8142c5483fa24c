// The answers of mini-agent against those of a real agent, byte for byte.
#include "call_validation.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "call_schema.hpp"
#include "transcripts.hpp"

namespace mini_agent {
namespace {

using mini_agent_tests::Exchange;
using mini_agent_tests::read_exchanges;

Verdict answer_to(const CallRequest& request, const AgentView& agent) {
  const Endpoint endpoint = endpoint_of(request.target, request.over_domain_socket);
  if (endpoint == Endpoint::NotFound) return refusal(404);
  if (endpoint == Endpoint::Forbidden) return refusal(403);
  return judge_call(request, agent);
}

// Ids come from the first call; `subscribed` becomes true with a SUBSCRIBE.
void replay(const std::string& file, std::size_t at_least) {
  const auto exchanges = read_exchanges(file);
  ASSERT_GE(exchanges.size(), at_least)
      << "missing: " SX_SOURCE_DIR "/tests/golden/transcripts/" << file;
  AgentView agent;
  const auto first = boost::json::parse(exchanges.front().request.body);
  agent.framework_id = first.at("framework_id").at("value").as_string();
  agent.executor_id = first.at("executor_id").at("value").as_string();
  for (const Exchange& exchange : exchanges) {
    if (exchange.cut) continue;
    SCOPED_TRACE(file + ": " + exchange.label);
    const Verdict verdict = answer_to(exchange.request, agent);
    EXPECT_EQ(verdict.status, exchange.status);
    EXPECT_EQ(verdict.text, exchange.body);
    EXPECT_EQ(verdict.header_name == "Allow" ? verdict.header_value : "", exchange.allow);
    if (verdict.accepted() && verdict.call_type == "SUBSCRIBE") agent.subscribed = true;
  }
}

TEST(MiniAgentCallValidation, EveryBadCallIsAnsweredAsByARealAgent) {
  replay("03-bad-calls.jsonl", 60);
}

TEST(MiniAgentCallValidation, CallsBeforeSubscribeAreAnsweredAsByARealAgent) {
  replay("03-unsubscribed.jsonl", 3);
}

TEST(MiniAgentCallValidation, TextEdgeCasesAreAnsweredAsByARealAgent) {
  replay("03-update-text-edge-cases.jsonl", 20);
}

TEST(MiniAgentCallValidation, GoodCallsAreAccepted) {
  replay("01-basic-docker-task-json.jsonl", 5);
  replay("08b-updates-after-terminal.jsonl", 5);
  replay("05k-second-task-same-executor.jsonl", 5);
}

CallRequest heartbeat() {
  CallRequest request;
  request.method = "POST";
  request.target = "/slave(1)/api/v1/executor";
  request.content_type = "application/json";
  request.body = R"({"type":"HEARTBEAT","framework_id":{"value":"f"},"executor_id":{"value":"e"}})";
  return request;
}

AgentView view() {
  AgentView agent;
  agent.framework_id = "f";
  agent.executor_id = "e";
  agent.subscribed = true;
  return agent;
}

CallRequest subscribe() {
  CallRequest request = heartbeat();
  request.body =
      R"({"type":"SUBSCRIBE","framework_id":{"value":"f"},"executor_id":{"value":"e"},"subscribe":{}})";
  return request;
}

TEST(MiniAgentCallValidation, WhileTheAgentStartsEverythingGets503) {
  AgentView agent = view();
  agent.starting = true;
  EXPECT_EQ(judge_call(subscribe(), agent).status, 503U);
  EXPECT_EQ(judge_call(heartbeat(), agent).text, "Agent has not finished recovery");
}

TEST(MiniAgentCallValidation, WhileTheAgentRecoversOnlySubscribeWorks) {
  AgentView agent = view();
  agent.recovering = true;
  EXPECT_EQ(judge_call(subscribe(), agent).status, 200U);
  EXPECT_EQ(judge_call(heartbeat(), agent).status, 503U);
}

TEST(MiniAgentCallValidation, AfterARestartWithoutCheckpointingTheFrameworkIsUnknown) {
  AgentView agent = view();
  agent.framework_known = false;
  const Verdict verdict = judge_call(subscribe(), agent);
  EXPECT_EQ(verdict.status, 400U);
  EXPECT_EQ(verdict.text, "Framework cannot be found");
}

TEST(MiniAgentCallValidation, ATokenIsAskedFor) {
  AgentView agent = view();
  agent.token = "secret";
  CallRequest request = heartbeat();
  EXPECT_EQ(judge_call(request, agent).status, 401U);
  EXPECT_EQ(judge_call(request, agent).header_name, "WWW-Authenticate");
  request.authorization = "Bearer wrong";
  EXPECT_EQ(judge_call(request, agent).status, 401U);
  request.authorization = "Bearer secret";
  EXPECT_EQ(judge_call(request, agent).status, 202U);
}

TEST(MiniAgentCallValidation, TheDomainSocketServesOnlyTheFullPath) {
  EXPECT_EQ(endpoint_of("/slave(1)/api/v1/executor", true), Endpoint::Executor);
  EXPECT_EQ(endpoint_of("/api/v1/executor", true), Endpoint::Forbidden);
  EXPECT_EQ(endpoint_of("/state", true), Endpoint::Forbidden);
  EXPECT_EQ(endpoint_of("/slave(1)/state", true), Endpoint::Forbidden);
}

TEST(MiniAgentCallValidation, StateIsServedOverTcp) {
  EXPECT_EQ(endpoint_of("/state", false), Endpoint::State);
  EXPECT_EQ(endpoint_of("/slave(1)/state?x=1", false), Endpoint::State);
  EXPECT_EQ(endpoint_of("/state.json", false), Endpoint::NotFound);
}

TEST(MiniAgentCallSchema, WhatProtobufWouldNotHoldIsGone) {
  const auto converted = convert_call(boost::json::parse(
      R"({"type":"UPDATE","x":1,"executor_id":{"value":"e"},"framework_id":{"value":"f"},
          "message":null,"update":{"status":{"task_id":{"value":"t"},"state":"TASK_RUNNING",
          "reason":"REASON_BOGUS","healthy":"true","timestamp":"1.5"}}})"));
  ASSERT_EQ(converted.error, "");
  const auto& status = converted.call.at("update").at("status").as_object();
  EXPECT_FALSE(converted.call.contains("x"));
  EXPECT_FALSE(converted.call.contains("message"));
  EXPECT_FALSE(status.contains("reason"));
  EXPECT_TRUE(status.at("healthy").as_bool());
  EXPECT_EQ(status.at("timestamp").as_double(), 1.5);
}

TEST(MiniAgentCallSchema, MissingFieldsOfListedTasksAreNamedWithTheirPlace) {
  const auto converted = convert_call(boost::json::parse(
      R"({"type":"SUBSCRIBE","executor_id":{"value":"e"},"framework_id":{"value":"f"},
          "subscribe":{"unacknowledged_tasks":[{"name":"n","task_id":{"value":"t"}}]}})"));
  EXPECT_EQ(converted.error, "Missing required fields: subscribe.unacknowledged_tasks[0].agent_id");
}

TEST(MiniAgentBase64, BothWays) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd"}) {
    EXPECT_EQ(decode_base64(encode_base64(text)).bytes, text);
  }
  EXPECT_EQ(encode_base64("\xff\xfe"), "//4=");
}

}  // namespace
}  // namespace mini_agent
