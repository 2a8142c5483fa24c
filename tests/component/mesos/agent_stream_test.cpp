// The event stream as networks and agents mangle it: behaviour.md 9 and 11.13.
#include "component/mesos/fake_agent.hpp"

namespace sidecar_executor::mesos {
namespace {

class AgentStreamTest : public SessionTest {
 protected:
  void until_events(std::size_t count) {
    loop.until([this, count] { return events.size() >= count; },
               "event number " + std::to_string(count));
  }
};

const std::string kill_event = R"({"type":"KILL","kill":{"task_id":{"value":"task"}}})";
const std::string shutdown_event = R"({"type":"SHUTDOWN"})";

TEST_F(AgentStreamTest, ManyRecordsInOneChunk) {
  agent.next_subscribe(
      chunked_head() + chunk(encode_record(subscribed_event) + encode_record(kill_event) +
                             encode_record(kill_event) + encode_record(shutdown_event)),
      false);
  start();
  until_events(4);
  EXPECT_TRUE(std::holds_alternative<Subscribed>(events[0]));
  EXPECT_EQ(count<Kill>(), 2U);
  EXPECT_TRUE(std::holds_alternative<Shutdown>(events[3]));
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

TEST_F(AgentStreamTest, RecordsCutAtEveryByte) {
  const std::string record = encode_record(kill_event);
  std::string bytes = chunked_head() + event_chunk(subscribed_event);
  for (std::size_t cut = 1; cut < record.size(); ++cut) {
    bytes += chunk(record.substr(0, cut)) + chunk(record.substr(cut));
  }
  agent.next_subscribe(bytes, false);
  start();
  until_events(record.size());
  EXPECT_EQ(count<Kill>(), record.size() - 1);
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

TEST_F(AgentStreamTest, OneByteAPacket) {
  agent.next_subscribe([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.drip(chunked_head() + event_chunk(subscribed_event) + event_chunk(kill_event));
    co_await peer.hang();
  });
  start();
  until_events(2);
  EXPECT_EQ(count<Kill>(), 1U);
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

TEST_F(AgentStreamTest, CutInTheMiddleOfARecordIsADisconnect) {
  const std::string record = encode_record(kill_event);
  agent.next_subscribe(chunked_head() + event_chunk(subscribed_event) +
                       chunk(record.substr(0, record.size() / 2)) + chunk(""));
  start();
  until_subscribed(2);
  EXPECT_EQ(count<Kill>(), 0U);
  EXPECT_EQ(connections, (std::vector<bool>{true, false, true}));
  EXPECT_TRUE(lost.empty());
}

TEST_F(AgentStreamTest, LastChunkIsADisconnectEvenWhenTcpStaysOpen) {
  agent.next_subscribe(chunked_head() + event_chunk(subscribed_event) + chunk(""), false);
  start();
  until_subscribed(2);
  EXPECT_EQ(logged("the agent ended the event stream"), 1U) << log_text();
}

TEST_F(AgentStreamTest, ResetIsADisconnect) {
  agent.next_subscribe([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.send(chunked_head() + event_chunk(subscribed_event));
    co_await peer.request();  // never comes; reset_all() ends it
  });
  start_connected();
  agent.server->reset_all();
  until_subscribed(2);
  EXPECT_EQ(connections, (std::vector<bool>{true, false, true}));
}

struct Broken {
  const char* name;
  std::string bytes;  ///< in a chunk, after a good KILL
  const char* logged;
};

class AgentBrokenStreamTest : public AgentStreamTest,
                              public ::testing::WithParamInterface<Broken> {};

/// What came before is delivered, what comes after is not, and there is a new stream.
TEST_P(AgentBrokenStreamTest, IsDroppedAndSubscribedAgain) {
  agent.next_subscribe(
      chunked_head() + event_chunk(subscribed_event) +
          chunk(encode_record(kill_event) + GetParam().bytes + encode_record(shutdown_event)),
      false);
  start();
  until_subscribed(2);
  EXPECT_EQ(count<Kill>(), 1U);
  EXPECT_EQ(count<Shutdown>(), 0U);
  EXPECT_EQ(logged(GetParam().logged), 1U) << log_text();
  EXPECT_TRUE(lost.empty());
  agent.event(kill_event);
  loop.until([this] { return count<Kill>() == 2; }, "an event of the new stream");
}

INSTANTIATE_TEST_SUITE_P(
    Each, AgentBrokenStreamTest,
    ::testing::Values(Broken{"NotJson", encode_record("{\"type\":"), "not JSON"},
                      Broken{"NotAnObject", encode_record("[1]"), "not a JSON object"},
                      Broken{"NoType", encode_record("{}"), "type"},
                      Broken{"KillWithoutTask", encode_record(R"({"type":"KILL","kill":{}})"),
                             "task_id"},
                      Broken{"LengthIsNoNumber", "12x4\n", "decimal length"},
                      Broken{"NegativeLength", "-5\n", "decimal length"},
                      Broken{"EndlessLength", std::string(40, '1'), "decimal length"},
                      Broken{"TooLarge", "67108865\n", "the limit is 67108864"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST_F(AgentStreamTest, UnknownEventsAreNoTrouble) {
  start_connected();
  agent.event(R"({"type":"FANCY","fancy":{"x":1},"more":[1]})");
  agent.event(R"({"type":"HEARTBEAT"})");
  agent.event(kill_event);
  until_events(4);
  EXPECT_EQ(count<UnknownEvent>(), 1U);
  EXPECT_EQ(count<Heartbeat>(), 1U);
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

TEST_F(AgentStreamTest, ShutdownMayBeTheFirstEvent) {
  agent.next_subscribe(chunked_head() + event_chunk(shutdown_event), false);
  start();
  until_events(1);
  EXPECT_EQ(count<Shutdown>(), 1U);
  EXPECT_TRUE(session->connected());
  report(TaskState::killed);
  until_updates(1);
}

TEST_F(AgentStreamTest, SilenceIsNoticed) {
  environment.heartbeat_interval = 40ms;
  environment.heartbeat_margin = 20ms;
  const auto began = test::Clock::now();
  start_connected();
  until_subscribed(2);
  EXPECT_GE(test::Clock::now() - began, 100ms);
  EXPECT_GE(logged("no event, not even a heartbeat"), 1U) << log_text();
}

TEST_F(AgentStreamTest, HeartbeatsKeepAStream) {
  // 40 heartbeats take far longer than the silence that is allowed.
  environment.heartbeat_interval = 200ms;
  environment.heartbeat_margin = 100ms;
  agent.next_subscribe([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.send(chunked_head() + event_chunk(subscribed_event));
    for (int i = 0; i < 40; ++i) {
      co_await peer.send_after(20ms, event_chunk(R"({"type":"HEARTBEAT"})"));
    }
    co_await peer.hang();
  });
  start();
  loop.until([this] { return count<Heartbeat>() == 40; }, "the heartbeats");
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

TEST_F(AgentStreamTest, BytesThatMakeNoEventAreSilence) {
  environment.heartbeat_interval = 60ms;
  environment.heartbeat_margin = 0ms;
  agent.next_subscribe([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.send(chunked_head() + event_chunk(subscribed_event) + chunk("1000000\n"));
    for (;;) co_await peer.send_after(5ms, chunk(" "));
  });
  start();
  until_subscribed(2);
  EXPECT_GE(logged("no event, not even a heartbeat"), 1U) << log_text();
}

TEST_F(AgentStreamTest, CloseFromInsideAnEventEndsTheSession) {
  on_event = [this](const Event& event) {
    if (std::holds_alternative<Shutdown>(event)) session->close();
  };
  agent.next_subscribe(
      chunked_head() + chunk(encode_record(subscribed_event) + encode_record(shutdown_event) +
                             encode_record(kill_event)),
      false);
  start();
  loop.until([this] { return count<Shutdown>() == 1; }, "SHUTDOWN");
  stop();
  EXPECT_EQ(count<Kill>(), 0U);
  EXPECT_EQ(agent.subscribes.size(), 1U);
}

}  // namespace
}  // namespace sidecar_executor::mesos
