#pragma once
// An Engine and a daemon that does what a script says.

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>

#include "component/net/http_test.hpp"
#include "docker/engine.hpp"

namespace sidecar_executor::docker {

using test::answer;
using test::chunk;
using test::chunked_head;
using test::Peer;
using test::ScriptedServer;
using test::SeenRequest;
using namespace std::chrono_literals;

class EngineTest : public ::testing::Test {
 protected:
  /// As Docker words it.
  static std::string refusal(int status, const std::string& message) {
    return answer(status, "{\"message\":\"" + message + "\"}\n",
                  "Content-Type: application/json\r\n");
  }

  void SetUp() override { make_engine({}); }

  void make_engine(Engine::Limits limits, std::string api_version = {}) {
    engine = std::make_unique<Engine>(
        loop.executor(), EngineAddress{server.address(), std::move(api_version)}, limits);
  }
  /// Every limit is short: for daemons that hang.
  void make_impatient_engine() {
    make_engine({.call = 60ms,
                 .events = 60ms,
                 .create = 60ms,
                 .start = 60ms,
                 .stop_extra = 60ms,
                 .pull_idle = 60ms});
  }

  void TearDown() override {
    engine.reset();
    server.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }

  /// The daemon answers everything with these bytes.
  void always(std::string bytes) {
    server.serve([bytes = std::move(bytes)](const SeenRequest&) { return bytes; });
  }
  void always_then_close(std::string bytes) {
    server.always([bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
    });
  }
  void always_hang(std::string first = {}) {
    server.always([first = std::move(first)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(first);
      co_await peer.hang();
    });
  }

  const SeenRequest& last() { return server.requests().back(); }

  test::Loop loop;
  ScriptedServer server{loop.executor()};
  std::unique_ptr<Engine> engine;
  net::Cancellation cancellation;
};

}  // namespace sidecar_executor::docker
