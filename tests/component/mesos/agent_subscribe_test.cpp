// SUBSCRIBE: what is sent, which answers are final, how long and how often it is tried.
#include "component/mesos/fake_agent.hpp"

namespace sidecar_executor::mesos {
namespace {

class AgentSubscribeTest : public SessionTest {
 protected:
  void until_lost() {
    loop.until([this] { return !lost.empty(); }, "the agent to be given up");
  }
  /// SUBSCRIBED, and then the end of the stream.
  static std::string short_stream() {
    return chunked_head() + event_chunk(subscribed_event) + chunk("");
  }
};

// ---- what is sent ------------------------------------------------------------------------------

TEST_F(AgentSubscribeTest, HeadersAndBody) {
  start_connected();
  const SeenRequest& call = agent.subscribes.at(0);
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/api/v1/executor");
  EXPECT_EQ(call.header("Content-Type"), "application/json");
  EXPECT_EQ(call.header("Accept"), "application/json");
  EXPECT_EQ(call.header("Authorization"), "");
  EXPECT_EQ(json::parse(call.body),
            json::parse(R"({"type":"SUBSCRIBE","framework_id":{"value":"framework"},
              "executor_id":{"value":"executor"},
              "subscribe":{"unacknowledged_tasks":[],"unacknowledged_updates":[]}})"));
}

TEST_F(AgentSubscribeTest, TokenGoesWithEveryCallAndNeverIntoTheLog) {
  environment.authentication_token = "s3cr3t-t0ken";
  agent.next_subscribe(answer(503, "Agent has not finished recovery"));
  start_connected();
  report(TaskState::running);
  until_all_acknowledged();
  ASSERT_EQ(agent.subscribes.size(), 2U);
  EXPECT_EQ(agent.subscribes[0].header("Authorization"), "Bearer s3cr3t-t0ken");
  EXPECT_EQ(agent.subscribes[1].header("Authorization"), "Bearer s3cr3t-t0ken");
  EXPECT_EQ(agent.updates.at(0).header("Authorization"), "Bearer s3cr3t-t0ken");
  EXPECT_NE(log_text(), "");
  EXPECT_EQ(logged("s3cr3t"), 0U) << log_text();
}

TEST_F(AgentSubscribeTest, RefusedTokenIsNotInTheLogEither) {
  environment.authentication_token = "s3cr3t-t0ken";
  agent.next_subscribe(answer(401, "Unauthorized"));
  start();
  until_lost();
  EXPECT_EQ(logged("s3cr3t"), 0U) << log_text();
  EXPECT_EQ(lost.at(0).find("s3cr3t"), std::string::npos) << lost.at(0);
}

TEST_F(AgentSubscribeTest, DomainSocketWithTheAgentsIdInThePath) {
  const std::string path = dir / "agent.sock";
  FakeAgent local(loop, path);
  const std::map<std::string, std::string> variables{{"MESOS_AGENT_ENDPOINT", "127.0.0.1:1"},
                                                     {"MESOS_FRAMEWORK_ID", "f"},
                                                     {"MESOS_EXECUTOR_ID", "e"},
                                                     {"MESOS_SLAVE_PID", "slave(1)@127.0.0.1:1"},
                                                     {"MESOS_CHECKPOINT", "1"},
                                                     {"MESOS_RECOVERY_TIMEOUT", "1mins"},
                                                     {"MESOS_DOMAIN_SOCKET", path}};
  const auto loaded = load_agent_environment([&](std::string_view name) {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
  ASSERT_TRUE(loaded.reachable);
  environment = loaded.environment;
  start_connected();
  report(TaskState::running);
  until_all_acknowledged();
  EXPECT_EQ(local.subscribes.at(0).target, "/slave(1)/api/v1/executor");
  EXPECT_EQ(local.updates.at(0).target, "/slave(1)/api/v1/executor");
  EXPECT_EQ(agent.server->connections(), 0);
  stop();
  local.server->stop();
  agent.server->stop();
  EXPECT_TRUE(loop.runs_out());
}

TEST_F(AgentSubscribeTest, CarriesWhatIsNotAcknowledged) {
  agent.on_update = [](Peer& peer, const SeenRequest&) { return peer.send(answer(202)); };
  start_connected();
  session->task_launched("task", R"({"task_id":{"value":"task"},"name":"first"})");
  session->task_launched("other", R"({"task_id":{"value":"other"},"name":"second"})");
  report(TaskState::starting);
  report(TaskState::running);
  until_updates(2);
  agent.stream->close();
  until_subscribed(2);
  const json::array tasks = agent.carried(1, "unacknowledged_tasks");
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].at("name").as_string(), "second");
  EXPECT_EQ(tasks[1].at("name").as_string(), "first");
  const json::array updates = agent.carried(1);
  ASSERT_EQ(updates.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(updates[i].at("status").as_object(), FakeAgent::status_of(agent.updates[i]));
  }
  // Its first update acknowledged, a task is not in the next one.
  agent.acknowledge(agent.updates[0]);
  loop.until([this] { return session->unacknowledged() == 1; }, "the acknowledgement");
  agent.stream->close();
  until_subscribed(3);
  EXPECT_EQ(agent.carried(2, "unacknowledged_tasks").size(), 1U);
  EXPECT_EQ(agent.carried(2).size(), 1U);
}

// ---- answers -----------------------------------------------------------------------------------

class AgentNotReadyTest : public AgentSubscribeTest, public ::testing::WithParamInterface<int> {};

TEST_P(AgentNotReadyTest, IsTriedAgainAndSaidOnce) {
  for (int i = 0; i < 4; ++i) agent.next_subscribe(answer(GetParam(), "not now, please"));
  start_connected();
  EXPECT_EQ(agent.subscribes.size(), 5U);
  EXPECT_TRUE(lost.empty());
  EXPECT_EQ(logged("not now, please"), 1U) << log_text();
  EXPECT_EQ(connections, (std::vector<bool>{true}));
}

INSTANTIATE_TEST_SUITE_P(Each, AgentNotReadyTest, ::testing::Values(404, 429, 500, 502, 503, 504));

class AgentFinalNoTest : public AgentSubscribeTest, public ::testing::WithParamInterface<int> {};

TEST_P(AgentFinalNoTest, IsNotTriedAgain) {
  agent.next_subscribe(answer(GetParam(), "Framework cannot be found"));
  start();
  until_lost();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_NE(lost[0].find("HTTP " + std::to_string(GetParam())), std::string::npos) << lost[0];
  EXPECT_NE(lost[0].find("Framework cannot be found"), std::string::npos) << lost[0];
  stop();
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

TEST_P(AgentFinalNoTest, IsFinalForASessionThatWasConnectedToo) {
  agent.next_subscribe(short_stream());
  agent.next_subscribe(answer(GetParam(), "no"));
  start();
  until_lost();
  EXPECT_EQ(agent.subscribes.size(), 2U);
  EXPECT_EQ(connections, (std::vector<bool>{true, false}));
}

INSTANTIATE_TEST_SUITE_P(Each, AgentFinalNoTest, ::testing::Values(400, 401, 403));

TEST_F(AgentSubscribeTest, AnAgentThatAcceptsAndSaysNothingIsTriedAgain) {
  environment.call_limit = 50ms;
  agent.open_stream();
  start();
  until_connected();
  EXPECT_EQ(agent.subscribes.size(), 2U);
  EXPECT_EQ(logged("Cannot subscribe to the agent"), 1U) << log_text();
}

TEST_F(AgentSubscribeTest, SomethingThatIsNoAgentIsTriedAgain) {
  agent.next_subscribe("SSH-2.0-OpenSSH_9.2\r\n");
  start_connected();
  EXPECT_EQ(agent.subscribes.size(), 2U);
}

// ---- patience ----------------------------------------------------------------------------------

TEST_F(AgentSubscribeTest, NeverReachedIsGivenUpAfterTheRecoveryTimeout) {
  const test::RefusedPort nobody;
  environment.agent = nobody.address();
  environment.recovery_timeout = 300ms;
  const auto began = test::Clock::now();
  start();
  until_lost();
  EXPECT_GE(test::Clock::now() - began, 300ms);
  EXPECT_NE(lost[0].find("could not be reached within 300ms"), std::string::npos) << lost[0];
  EXPECT_TRUE(connections.empty());
}

TEST_F(AgentSubscribeTest, GoneForTheRecoveryTimeoutIsLost) {
  environment.recovery_timeout = 300ms;
  start_connected();
  const auto began = test::Clock::now();
  agent.server->stop();
  until_lost();
  EXPECT_GE(test::Clock::now() - began, 300ms);
  EXPECT_NE(lost[0].find("did not come back within 300ms"), std::string::npos) << lost[0];
  EXPECT_EQ(connections, (std::vector<bool>{true, false}));
}

TEST_F(AgentSubscribeTest, TheTimeoutBeginsAnewWithEachLoss) {
  environment.subscription_backoff_max = 200ms;  // attempts 50 to 100 ms apart, soon
  environment.recovery_timeout = 1500ms;
  // Away for a third of it, seven times: more than the whole.
  for (int i = 0; i < 7; ++i) {
    agent.next_subscribe(short_stream());
    for (int j = 0; j < 4; ++j) agent.next_subscribe(answer(503, "later"));
  }
  start();
  until_subscribed(36);
  EXPECT_TRUE(lost.empty());
}

TEST_F(AgentSubscribeTest, WithoutCheckpointingOneFailedAttemptIsEnough) {
  environment.checkpoint = false;
  agent.next_subscribe(short_stream());
  agent.next_subscribe(answer(503, "Agent has not finished recovery"));
  start();
  until_lost();
  EXPECT_EQ(agent.subscribes.size(), 2U);
}

TEST_F(AgentSubscribeTest, WithoutCheckpointingABrokenConnectionIsRepaired) {
  environment.checkpoint = false;
  agent.next_subscribe(short_stream());
  start();
  until_subscribed(2);
  EXPECT_TRUE(lost.empty());
}

TEST_F(AgentSubscribeTest, BackOffGrowsToHalfOfWhatTheAgentAllows) {
  environment.subscription_backoff_max = 400ms;
  std::vector<test::Clock::time_point> times;
  constexpr std::size_t attempts = 12;
  for (std::size_t i = 0; i < attempts; ++i) {
    agent.next_subscribe([&times](Peer& peer) -> asio::awaitable<void> {
      times.push_back(test::Clock::now());
      co_await peer.send(answer(503, "later"));
    });
  }
  start_connected();
  ASSERT_EQ(times.size(), attempts);
  // From below for certain, from above as far as a busy machine allows.
  EXPECT_GE(times[1] - times[0], 25ms);
  EXPECT_GE(times[11] - times[10], 100ms);
  for (std::size_t i = 1; i < attempts; ++i) EXPECT_LT(times[i] - times[i - 1], 1200ms) << i;
}

TEST_F(AgentSubscribeTest, AStreamThatAlwaysBreaksIsNoHotLoop) {
  for (int i = 0; i < 5; ++i) agent.next_subscribe(short_stream());
  const auto began = test::Clock::now();
  start();
  until_subscribed(6);
  EXPECT_GE(test::Clock::now() - began, 25ms + 50ms + 100ms + 200ms + 400ms);
}

TEST_F(AgentSubscribeTest, CloseEndsEveryWait) {
  const test::DeafServer deaf;
  environment.agent = deaf.address();
  start();
  loop.poll();
  const auto began = test::Clock::now();
  stop();
  EXPECT_LT(test::Clock::now() - began, 5s);
  EXPECT_TRUE(lost.empty());
}

}  // namespace
}  // namespace sidecar_executor::mesos
