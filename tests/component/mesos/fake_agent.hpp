#pragma once
// An agent on the test's loop, and a session that talks to it. The agent does what the protocol
// says unless the test scripts it otherwise.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json.hpp>
#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mesos/agent_session.hpp"
#include "mesos/recordio.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::mesos {

namespace json = boost::json;
using test::answer;
using test::chunk;
using test::chunked_head;
using test::Peer;
using test::SeenRequest;
using namespace std::chrono_literals;

inline const std::string subscribed_event =
    R"({"type":"SUBSCRIBED","subscribed":{"executor_info":{"executor_id":{"value":"e"}},)"
    R"("framework_info":{"user":"root","name":"f"},"agent_info":{"hostname":"h"},)"
    R"("container_id":{"value":"c"}}})";

inline std::string ack_event(const std::string& task_id, const std::string& uuid) {
  return R"({"type":"ACKNOWLEDGED","acknowledged":{"task_id":{"value":")" + task_id +
         R"("},"uuid":")" + uuid + "\"}}";
}

/// A record in a chunk of its own, as the agent sends it.
inline std::string event_chunk(const std::string& event) { return chunk(encode_record(event)); }

class FakeAgent {
 public:
  explicit FakeAgent(test::Loop& loop) : FakeAgent(loop, nullptr) {}
  /// On a unix socket.
  FakeAgent(test::Loop& loop, const std::string& path) : FakeAgent(loop, &path) {}

  /// What happens to the next SUBSCRIBE; without it the stream opens with SUBSCRIBED.
  void next_subscribe(test::Script script) { scripts_.push_back(std::move(script)); }
  /// The next SUBSCRIBE is answered by these bytes.
  void next_subscribe(std::string bytes, bool then_close = true) {
    scripts_.push_back([bytes, then_close](Peer& peer) -> asio::awaitable<void> {
      co_await peer.send(bytes);
      if (!then_close) co_await peer.hang();
    });
  }

  /// Into the open stream, as an event.
  void event(const std::string& event) { bytes(event_chunk(event)); }
  void bytes(std::string bytes) {
    ASSERT_NE(stream, nullptr) << "no stream is open";
    asio::co_spawn(loop_.context(), stream->send(std::move(bytes)), asio::detached);
  }
  void acknowledge(const SeenRequest& call) { event(ack_of(call)); }
  static std::string ack_of(const SeenRequest& call) {
    const json::object status = status_of(call);
    return ack_event(text(status, "task_id"), std::string(status.at("uuid").as_string()));
  }
  void open_stream() {
    next_subscribe([](Peer& peer) { return peer.hang(); });
  }

  static json::object body_of(const SeenRequest& call) {
    return json::parse(call.body).as_object();
  }
  static json::object status_of(const SeenRequest& call) {
    return body_of(call).at("update").at("status").as_object();
  }
  /// `key` of an object, or the value inside `{"value":...}` below it.
  static std::string text(const json::object& object, std::string_view key) {
    const auto& value = object.at(key);
    return std::string(value.is_object() ? value.at("value").as_string() : value.as_string());
  }

  /// What a SUBSCRIBE (0 = the first) carried in `list`.
  [[nodiscard]] json::array carried(std::size_t subscribe,
                                    std::string_view list = "unacknowledged_updates") const {
    return body_of(subscribes.at(subscribe)).at("subscribe").at(list).as_array();
  }
  [[nodiscard]] std::vector<std::string> carried_states(std::size_t subscribe) const {
    std::vector<std::string> out;
    for (const auto& update : carried(subscribe)) {
      out.push_back(text(update.at("status").as_object(), "state"));
    }
    return out;
  }

  /// The answer to an UPDATE; without it 202, followed by ACKNOWLEDGED.
  std::function<asio::awaitable<void>(Peer&, const SeenRequest&)> on_update;
  std::vector<SeenRequest> subscribes;
  std::vector<SeenRequest> updates;
  Peer* stream = nullptr;  ///< of the latest SUBSCRIBE
  std::optional<test::ScriptedServer> server;

  [[nodiscard]] std::vector<std::string> states() const {
    std::vector<std::string> out;
    out.reserve(updates.size());
    for (const auto& update : updates) out.push_back(text(status_of(update), "state"));
    return out;
  }

 private:
  FakeAgent(test::Loop& loop, const std::string* path) : loop_(loop) {
    if (path != nullptr) {
      server.emplace(loop.executor(), *path);
    } else {
      server.emplace(loop.executor());
    }
    server->always([this](Peer& peer) { return converse(peer); });
  }

  asio::awaitable<void> converse(Peer& peer) {
    const SeenRequest call = co_await peer.request();
    const std::string type = text(body_of(call), "type");
    if (type == "UPDATE") {
      updates.push_back(call);
      if (on_update) {
        co_await on_update(peer, call);
      } else {
        co_await peer.send(answer(202));
        if (stream != nullptr) co_await stream->send(event_chunk(ack_of(call)));
      }
      co_await peer.hang();
      co_return;
    }
    EXPECT_EQ(type, "SUBSCRIBE");
    subscribes.push_back(call);
    // Only the latest stream is one.
    struct Here {
      Here(FakeAgent& a, Peer& p) : agent(a), mine(&p) { agent.stream = mine; }
      ~Here() {
        if (agent.stream == mine) agent.stream = nullptr;
      }
      Here(const Here&) = delete;
      Here& operator=(const Here&) = delete;
      FakeAgent& agent;
      Peer* mine;
    } here(*this, peer);
    if (!scripts_.empty()) {
      const auto script = std::move(scripts_.front());
      scripts_.pop_front();
      co_await script(peer);
      co_return;
    }
    co_await peer.send(chunked_head() + event_chunk(subscribed_event));
    co_await peer.hang();
  }

  test::Loop& loop_;
  std::deque<test::Script> scripts_;
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    log_fd_ = ::open((dir / "log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    out_.emplace(log_fd_);
    log_.emplace(*out_);
    log_->set_debug(true);
    environment.agent = agent.server->address();
    environment.identity = {"framework", "executor"};
    environment.checkpoint = true;
    environment.recovery_timeout = 60s;
  }

  void TearDown() override {
    stop();
    agent.server->stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
    ::close(log_fd_);
  }

  void start() {
    AgentSession::Handlers handlers;
    handlers.on_event = [this](const Event& event) {
      events.push_back(event);
      if (on_event) on_event(event);
    };
    handlers.on_connection = [this](bool up) { connections.push_back(up); };
    handlers.on_all_acknowledged = [this] { ++all_acknowledged; };
    handlers.on_lost = [this](const std::string& why) { lost.push_back(why); };
    session.emplace(loop.executor(), environment, *log_, std::move(handlers));
    running_.emplace(loop.start([this] { return session->run(); }));
  }

  void stop() {
    if (!session) return;
    session->close();
    loop.finish(*running_);
    session.reset();
  }

  void start_connected() {
    start();
    until_connected();
  }
  void until_connected() {
    loop.until([this] { return session->connected(); }, "the session to be connected");
  }
  /// `count` SUBSCRIBE calls in all, the last of them successful.
  void until_subscribed(std::size_t count) {
    loop.until([this, count] { return agent.subscribes.size() >= count && session->connected(); },
               "SUBSCRIBE number " + std::to_string(count));
  }
  void until_updates(std::size_t count) {
    loop.until([this, count] { return agent.updates.size() >= count; },
               "UPDATE number " + std::to_string(count));
  }
  void until_all_acknowledged() {
    loop.until([this] { return session->unacknowledged() == 0; }, "all to be acknowledged");
  }

  void report(TaskState state, const std::string& message = "m") {
    StatusUpdate update;
    update.task_id = "task";
    update.state = state;
    update.message = message;
    session->report(update);
  }

  template <class E>
  [[nodiscard]] std::size_t count() const {
    std::size_t n = 0;
    for (const auto& event : events) n += std::holds_alternative<E>(event) ? 1U : 0U;
    return n;
  }

  [[nodiscard]] std::string log_text() const {
    std::ifstream file(dir / "log");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  [[nodiscard]] std::size_t logged(const std::string& text) const {
    const std::string all = log_text();
    std::size_t n = 0;
    for (auto at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++n;
    return n;
  }

  test::TempDir dir;
  test::Loop loop;
  FakeAgent agent{loop};
  AgentEnvironment environment;
  std::optional<AgentSession> session;
  std::vector<Event> events;
  std::vector<bool> connections;
  std::vector<std::string> lost;
  int all_acknowledged = 0;
  std::function<void(const Event&)> on_event;

 private:
  int log_fd_ = -1;
  std::optional<OutputBuffer> out_;
  std::optional<Log> log_;
  std::optional<test::Started<test::Nothing>> running_;
};

}  // namespace sidecar_executor::mesos
