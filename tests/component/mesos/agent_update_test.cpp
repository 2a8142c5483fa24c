// UPDATE and ACKNOWLEDGED: late, early, twice, never, refused. No update may be lost, none may come
// out of order.
#include <algorithm>

#include "component/mesos/fake_agent.hpp"

namespace sidecar_executor::mesos {
namespace {

using States = std::vector<std::string>;

class AgentUpdateTest : public SessionTest {
 protected:
  /// Answers `status` to the first `times` UPDATEs; then as an agent should.
  void refuse_first(int times, int status, const std::string& text) {
    agent.on_update = [this, times, status, text](
                          Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
      if (agent.updates.size() <= static_cast<std::size_t>(times)) {
        co_await peer.send(answer(status, text));
        co_return;
      }
      co_await peer.send(answer(202));
      agent.acknowledge(call);
    };
  }
  [[nodiscard]] std::string uuid(std::size_t update) const {
    return std::string(FakeAgent::status_of(agent.updates.at(update)).at("uuid").as_string());
  }
};

TEST_F(AgentUpdateTest, WhatIsSentIsAnUpdate) {
  start_connected();
  StatusUpdate update;
  update.task_id = "task";
  update.state = TaskState::running;
  update.message = "container 0123 runs";
  update.healthy = true;
  update.container_status.emplace().ips.push_back({"172.17.0.2", false});
  session->report(update);
  until_all_acknowledged();
  const SeenRequest& call = agent.updates.at(0);
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.target, "/api/v1/executor");
  EXPECT_EQ(call.header("Content-Type"), "application/json");
  EXPECT_EQ(FakeAgent::text(FakeAgent::body_of(call), "framework_id"), "framework");
  EXPECT_EQ(FakeAgent::text(FakeAgent::body_of(call), "executor_id"), "executor");
  EXPECT_EQ(FakeAgent::text(FakeAgent::status_of(call), "state"), "TASK_RUNNING");
  EXPECT_EQ(uuid(0).size(), 24U) << "16 bytes in Base64";
  EXPECT_EQ(all_acknowledged, 1);
}

/// A SUBSCRIBE that carried a terminal update is followed by that alone: one from before it would
/// come after the end.
TEST_F(AgentUpdateTest, BeforeTheConnectionTheyGoWithSubscribe) {
  environment.resend_after = 30ms;
  start();
  report(TaskState::starting);
  report(TaskState::failed);
  until_all_acknowledged();
  EXPECT_EQ(agent.carried_states(0), (States{"TASK_STARTING", "TASK_FAILED"}));
  EXPECT_EQ(agent.states(), (States{"TASK_FAILED"}));
}

TEST_F(AgentUpdateTest, OneInFlightAndTheNextOnlyAfterThe202) {
  net::Signal go(loop.executor());
  int open = 0;
  int most = 0;
  agent.on_update = [&](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    most = std::max(most, ++open);
    agent.acknowledge(call);
    if (agent.updates.size() == 1) co_await go.wait();
    --open;
    co_await peer.send(answer(202));
  };
  start_connected();
  report(TaskState::starting);
  report(TaskState::running);
  report(TaskState::finished);
  loop.until([this] { return session->unacknowledged() == 2; }, "the first acknowledgement");
  loop.poll();
  EXPECT_EQ(agent.updates.size(), 1U) << "its 202 has not come";
  go.raise();
  until_all_acknowledged();
  EXPECT_EQ(agent.states(), (States{"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}));
  EXPECT_EQ(most, 1);
  EXPECT_EQ(all_acknowledged, 1);
}

TEST_F(AgentUpdateTest, AcknowledgedBeforeThe202) {
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    const std::size_t before = session->unacknowledged();
    agent.acknowledge(call);
    while (session->unacknowledged() == before) co_await asio::post(asio::use_awaitable);
    co_await peer.send(answer(202));
  };
  environment.resend_after = 30ms;
  start_connected();
  report(TaskState::starting);
  report(TaskState::running);
  until_all_acknowledged();
  EXPECT_EQ(agent.states(), (States{"TASK_STARTING", "TASK_RUNNING"}));
}

TEST_F(AgentUpdateTest, AcknowledgedLongAfterThe202) {
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    co_await peer.send(answer(202));
    co_await agent.stream->send_after(100ms, event_chunk(FakeAgent::ack_of(call)));
  };
  start_connected();
  report(TaskState::starting);
  report(TaskState::running);
  // The second does not wait for the acknowledgement of the first.
  until_updates(2);
  EXPECT_EQ(session->unacknowledged(), 2U);
  until_all_acknowledged();
  EXPECT_EQ(agent.updates.size(), 2U);
}

TEST_F(AgentUpdateTest, AcknowledgedTwice) {
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    co_await peer.send(answer(202));
    agent.bytes(event_chunk(FakeAgent::ack_of(call)) + event_chunk(FakeAgent::ack_of(call)));
  };
  start_connected();
  report(TaskState::starting);
  report(TaskState::running);
  loop.until([this] { return logged("not waiting for one") == 2; }, "both second ones");
  until_all_acknowledged();
  EXPECT_EQ(agent.updates.size(), 2U);
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

TEST_F(AgentUpdateTest, NeverAcknowledgedIsSentAgainTheSame) {
  environment.resend_after = 60ms;
  std::vector<test::Clock::time_point> times;
  agent.on_update = [&](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    times.push_back(test::Clock::now());
    co_await peer.send(answer(202));
    if (agent.updates.size() == 4) agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::running);
  until_all_acknowledged();
  ASSERT_EQ(agent.updates.size(), 4U);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(agent.updates[i].body, agent.updates[0].body);
    EXPECT_GE(times[i] - times[i - 1], 60ms);
  }
}

TEST_F(AgentUpdateTest, AcknowledgementsOfOthersMeanNothing) {
  environment.resend_after = 60ms;
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    co_await peer.send(answer(202));
    if (agent.updates.size() == 1) {
      agent.bytes(event_chunk(ack_event("task", "AAAAAAAAAAAAAAAAAAAAAA==")) +
                  event_chunk(ack_event("another task", uuid(0))));
    } else {
      agent.acknowledge(call);
    }
  };
  start_connected();
  report(TaskState::running);
  loop.until([this] { return logged("not waiting for one") == 2; }, "both");
  EXPECT_EQ(session->unacknowledged(), 1U);
  EXPECT_EQ(all_acknowledged, 0);
  until_all_acknowledged();
  EXPECT_EQ(agent.updates.size(), 2U);
}

// ---- the agent cannot take it now --------------------------------------------------------------

TEST_F(AgentUpdateTest, RecoveringAgentGetsItAgainWithTheSameUuid) {
  refuse_first(4, 503, "Agent has not finished recovery");
  start_connected();
  report(TaskState::running);
  report(TaskState::finished);
  until_all_acknowledged();
  ASSERT_EQ(agent.updates.size(), 6U);
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(agent.updates[i].body, agent.updates[0].body);
  EXPECT_EQ(agent.states().back(), "TASK_FINISHED");
  EXPECT_EQ(logged("Agent has not finished recovery"), 1U) << "once, not once per attempt";
  EXPECT_EQ(logged("takes updates again"), 1U);
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

/// Who waits for an acknowledgement waits for a recovering agent as for one that is gone.
TEST_F(AgentUpdateTest, RecoveringAgentCountsAsAwayUntilItTakesAnUpdate) {
  refuse_first(2, 503, "Agent has not finished recovery");
  start_connected();
  report(TaskState::finished);
  until_all_acknowledged();
  EXPECT_EQ(connections, (std::vector<bool>{true, false, true}));
}

TEST_F(AgentUpdateTest, AnAgentThatRecoversForEverIsWaitedForNoLongerThanOneThatIsGone) {
  environment.recovery_timeout = 150ms;
  refuse_first(1'000'000, 503, "Agent has not finished recovery");
  start_connected();
  report(TaskState::finished);
  loop.until([this] { return connections.size() == 3; }, "the end of the patience");
  EXPECT_EQ(connections, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(session->unacknowledged(), 1U);
}

/// An update that got no answer and was acknowledged is over: the patience of a later one counts
/// from its own trouble.
TEST_F(AgentUpdateTest, AnAcknowledgementWithoutAnAnswerEndsTheTrouble) {
  environment.update_limit = 40ms;
  environment.recovery_timeout = 300ms;
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    if (agent.updates.size() == 1) co_return;  // converse() holds the connection
    if (agent.updates.size() < 5) {
      co_await peer.send(answer(503, "Agent has not finished recovery"));
      co_return;
    }
    co_await peer.send(answer(202));
    agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::running);
  loop.until([this] { return connections.size() == 2; }, "the missing answer");
  agent.acknowledge(agent.updates.at(0));
  until_all_acknowledged();
  EXPECT_EQ(connections, (std::vector<bool>{true, false, true}));
  net::Deadline longer(loop.executor(), 2 * environment.recovery_timeout, [] {});
  loop.until([&] { return longer.expired(); }, "time");
  report(TaskState::finished);
  loop.until([this] { return connections.size() == 4; }, "the recovery");
  EXPECT_FALSE(connections.back()) << "waited for as for one that is away";
  loop.until([this] { return all_acknowledged == 2; }, "the end");
}

TEST_F(AgentUpdateTest, ResetAndHalfAnAnswerAreTriedAgain) {
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    if (agent.updates.size() == 1) {
      peer.reset();
    } else if (agent.updates.size() == 2) {
      co_await peer.send("HTTP/1.1 202 Acc");
      peer.close();
    } else {
      co_await peer.send(answer(202));
      agent.acknowledge(call);
    }
  };
  start_connected();
  report(TaskState::finished);
  until_all_acknowledged();
  ASSERT_EQ(agent.updates.size(), 3U);
  EXPECT_EQ(uuid(2), uuid(0));
}

TEST_F(AgentUpdateTest, HungCallIsTriedAgain) {
  environment.update_limit = 80ms;
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    if (agent.updates.size() == 1) co_return;  // converse() holds the connection
    co_await peer.send(answer(202));
    agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::finished);
  until_all_acknowledged();
  EXPECT_EQ(agent.updates.size(), 2U);
  EXPECT_EQ(logged("no answer within"), 1U) << log_text();
}

/// When it wakes, what waited in its queue comes on the stream that it had: acknowledgements of
/// every copy, and a KILL, which is sent once only.
TEST_F(AgentUpdateTest, AnAgentThatStallsFindsTheStreamThatItHad) {
  environment.update_limit = 40ms;
  bool awake = false;
  agent.on_update = [&](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    if (!awake) co_return;  // converse() holds the connection
    co_await peer.send(answer(202));
    agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::running);
  until_updates(3);
  ASSERT_NE(agent.stream, nullptr) << "closed: what the agent sends now is lost";
  for (const SeenRequest& copy : agent.updates) agent.acknowledge(copy);
  agent.event(R"({"type":"KILL","kill":{"task_id":{"value":"task"}}})");
  agent.event(R"({"type":"SHUTDOWN"})");
  loop.until([this] { return count<Shutdown>() == 1; }, "the events");
  EXPECT_EQ(count<Kill>(), 1U);
  EXPECT_EQ(all_acknowledged, 1);
  awake = true;
  report(TaskState::killed);
  until_all_acknowledged();
  EXPECT_EQ(agent.subscribes.size(), 1U);
  EXPECT_EQ(uuid(1), uuid(0));
  EXPECT_EQ(uuid(2), uuid(0));
  EXPECT_EQ(agent.states().back(), "TASK_KILLED");
  EXPECT_TRUE(lost.empty());
}

/// Or the executor would not wait for the acknowledgement of its last update as long as it may.
TEST_F(AgentUpdateTest, AnAgentThatDoesNotAnswerCountsAsAwayUntilItDoes) {
  environment.update_limit = 40ms;
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    if (agent.updates.size() < 3) co_return;
    co_await peer.send(answer(202));
    agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::finished);
  until_all_acknowledged();
  loop.until([this] { return connections.size() == 3; }, "the answer");
  EXPECT_EQ(connections, (std::vector<bool>{true, false, true}));
}

/// One that is there and refuses is not waited for as if it were away.
TEST_F(AgentUpdateTest, AnAgentThatRefusesAfterASilenceIsThere) {
  environment.update_limit = 40ms;
  agent.on_update = [this](Peer& peer, const SeenRequest&) -> asio::awaitable<void> {
    if (agent.updates.size() > 1) co_await peer.send(answer(400, "No"));
  };
  start_connected();
  report(TaskState::finished);
  until_updates(2);
  loop.until([this] { return connections.size() == 3; }, "the answer");
  EXPECT_EQ(connections, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(session->unacknowledged(), 1U);
}

/// Every copy waits in the agent's queue.
TEST_F(AgentUpdateTest, AnAgentThatStallsIsSentFewerAndFewerCopies) {
  environment.update_limit = 20ms;
  environment.longest_update_limit = 80ms;
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    if (agent.updates.size() < 5) co_return;
    co_await peer.send(answer(202));
    agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::running);
  until_all_acknowledged();
  for (const char* limit : {"20 ms", "40 ms", "80 ms"}) {
    EXPECT_EQ(logged(std::string("no answer within ") + limit), 1U) << limit << "\n" << log_text();
  }
  EXPECT_EQ(logged("no answer within"), 3U) << log_text();
}

/// The call of the old connection must not hold up those of the new one.
TEST_F(AgentUpdateTest, HungCallEndsWithItsSubscription) {
  environment.update_limit = 10min;
  environment.resend_after = 30ms;
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    if (agent.updates.size() == 1) co_return;
    co_await peer.send(answer(202));
    agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::running);
  until_updates(1);
  agent.stream->close();
  until_subscribed(2);
  const json::array carried = agent.carried(1);
  ASSERT_EQ(carried.size(), 1U);
  EXPECT_EQ(carried[0].at("status").at("uuid").as_string(), uuid(0));
  report(TaskState::finished);
  until_all_acknowledged();
  EXPECT_EQ(agent.states().back(), "TASK_FINISHED");
}

TEST_F(AgentUpdateTest, NotSubscribedMeansSubscribeAgain) {
  environment.resend_after = 30ms;
  refuse_first(1, 403, "Executor is not subscribed");
  start_connected();
  report(TaskState::running);
  until_subscribed(2);
  until_all_acknowledged();
  EXPECT_EQ(uuid(1), uuid(0));
  EXPECT_TRUE(lost.empty());
}

TEST_F(AgentUpdateTest, LostWhileTheAgentIsAwayIsImpossible) {
  environment.resend_after = 30ms;
  start_connected();
  for (int i = 0; i < 3; ++i) agent.next_subscribe(answer(503, "later"));
  agent.stream->close();
  loop.until([this] { return !session->connected(); }, "the disconnect");
  report(TaskState::running);
  report(TaskState::finished);
  until_all_acknowledged();
  ASSERT_EQ(agent.subscribes.size(), 5U);
  EXPECT_EQ(agent.carried_states(4), (States{"TASK_RUNNING", "TASK_FINISHED"}));
  EXPECT_EQ(agent.states(), (States{"TASK_FINISHED"}));
}

/// What SUBSCRIBE carried may be acknowledged without any UPDATE.
TEST_F(AgentUpdateTest, AcknowledgedFromSubscribe) {
  start_connected();
  agent.next_subscribe([this](Peer& peer) -> asio::awaitable<void> {
    const json::array carried = agent.carried(agent.subscribes.size() - 1);
    std::string bytes = chunked_head() + event_chunk(subscribed_event);
    for (const auto& update : carried) {
      bytes +=
          event_chunk(ack_event("task", std::string(update.at("status").at("uuid").as_string())));
    }
    co_await peer.send(bytes);
    co_await peer.hang();
  });
  agent.stream->close();
  loop.until([this] { return !session->connected(); }, "the disconnect");
  report(TaskState::running);
  report(TaskState::finished);
  until_all_acknowledged();
  EXPECT_EQ(agent.updates.size(), 0U);
  EXPECT_EQ(all_acknowledged, 1);
}

// ---- the agent refuses it ----------------------------------------------------------------------

TEST_F(AgentUpdateTest, RefusedOnceItGoesAgainWithLess) {
  refuse_first(1, 400, "Failed to validate Executor::Call");
  start_connected();
  StatusUpdate update;
  update.task_id = "task";
  update.state = TaskState::running;
  update.message = std::string(4000, 'm');
  update.data = "data";
  update.container_status.emplace().ips.push_back({"172.17.0.2", false});
  session->report(update);
  until_all_acknowledged();
  ASSERT_EQ(agent.updates.size(), 2U);
  const auto full = FakeAgent::status_of(agent.updates[0]);
  const auto less = FakeAgent::status_of(agent.updates[1]);
  EXPECT_TRUE(full.contains("data"));
  EXPECT_FALSE(less.contains("data"));
  EXPECT_FALSE(less.contains("container_status"));
  EXPECT_LE(less.at("message").as_string().size(), 256U);
  for (const char* same : {"uuid", "state", "task_id", "executor_id", "source"}) {
    EXPECT_EQ(full.at(same), less.at(same)) << same;
  }
  EXPECT_NEAR(full.at("timestamp").to_number<double>(), less.at("timestamp").to_number<double>(),
              0.001);
  EXPECT_EQ(logged("with less in it"), 1U) << log_text();
}

/// Refused for good, a RUNNING must not hold up the end of its task, nor come after it.
TEST_F(AgentUpdateTest, RefusedForGoodGivesWayToALaterOne) {
  environment.resend_after = 30ms;
  agent.on_update = [this](Peer& peer, const SeenRequest& call) -> asio::awaitable<void> {
    const auto status = FakeAgent::status_of(call);
    if (FakeAgent::text(status, "state") == "TASK_RUNNING") {
      co_await peer.send(answer(400, "No"));
      co_return;
    }
    co_await peer.send(answer(202));
    agent.acknowledge(call);
  };
  start_connected();
  report(TaskState::starting);
  report(TaskState::running);
  // Full, with less, and a few times more with growing pauses: 100, 200, 400 ms.
  const auto began = test::Clock::now();
  until_updates(6);
  EXPECT_GE(test::Clock::now() - began, 700ms) << "no hot loop";
  EXPECT_EQ(session->unacknowledged(), 1U);
  EXPECT_EQ(logged("refuses an update"), 2U) << log_text();
  report(TaskState::finished);
  until_all_acknowledged();
  EXPECT_EQ(agent.states().back(), "TASK_FINISHED");
  EXPECT_EQ(all_acknowledged, 1);
}

TEST_F(AgentUpdateTest, NothingFollowsATerminalOne) {
  start_connected();
  report(TaskState::finished);
  report(TaskState::running);
  until_all_acknowledged();
  EXPECT_EQ(agent.states(), (States{"TASK_FINISHED"}));
  EXPECT_EQ(logged("Update after the terminal one"), 1U) << log_text();
}

}  // namespace
}  // namespace sidecar_executor::mesos
