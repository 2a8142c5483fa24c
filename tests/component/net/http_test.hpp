#pragma once
// What the tests of the HTTP client share.

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <string>
#include <utility>

#include "net/http_client.hpp"
#include "support/run.hpp"
#include "support/scripted_server.hpp"

namespace sidecar_executor::net {

using test::answer;
using test::chunk;
using test::chunked_head;
using test::Loop;
using test::Peer;
using test::ScriptedServer;
using test::SeenRequest;
using test::TempDir;
using namespace std::chrono_literals;

/// Long enough that only a bug reaches it.
inline constexpr auto patient = 20s;
/// Short enough to wait for.
inline constexpr auto brief = 60ms;

class HttpTest : public ::testing::Test {
 protected:
  /// Nothing may be left on the loop: every operation ended, every timer is gone.
  void TearDown() override {
    server.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
    EXPECT_EQ(server.open(), 0);
  }

  HttpConnection connect(Cancellation* cancellation = nullptr) {
    return {loop.executor(), server.address(), cancellation};
  }

  Result<HttpResponse> exchange(HttpConnection& connection, HttpRequest request = {},
                                Duration limit = patient,
                                std::size_t body_limit = HttpConnection::default_body_limit) {
    return loop.run([&] { return connection.exchange(std::move(request), limit, body_limit); });
  }

  /// One exchange with a server whose next connection runs `script`.
  Result<HttpResponse> exchange_with(test::Script script, Duration limit = patient) {
    server.next(std::move(script));
    HttpConnection connection = connect();
    auto response = exchange(connection, {}, limit);
    if (!response) {
      EXPECT_FALSE(connection.is_open()) << "closed after an error";
    }
    return response;
  }

  Result<std::size_t> read_some(HttpConnection& connection, std::string& into,
                                Duration idle = patient) {
    into.assign(4096, '\0');
    auto got = loop.run([&] { return connection.read_some(into.data(), into.size(), idle); });
    if (got) into.resize(*got);
    return got;
  }

  /// An answer to any request, sent as `bytes`, then the end of the connection.
  static test::Script answer_and_close(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
    };
  }

  /// The same, but the connection stays open.
  static test::Script answer_and_hang(std::string bytes) {
    return [bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
      co_await peer.hang();
    };
  }

  Loop loop;
  ScriptedServer server{loop.executor()};
};

#define EXPECT_ERROR(result, expected_kind, text)                              \
  do {                                                                         \
    const auto& sx_result = (result);                                          \
    ASSERT_FALSE(sx_result.has_value());                                       \
    EXPECT_EQ(to_string(sx_result.error().kind), to_string(expected_kind))     \
        << sx_result.error().message;                                          \
    EXPECT_NE(sx_result.error().message.find(text), std::string::npos)         \
        << "message: " << sx_result.error().message << "\nwanted: " << (text); \
  } while (false)

#define ASSERT_OK(result) \
  ASSERT_TRUE((result).has_value()) << ((result).has_value() ? "" : (result).error().message)

}  // namespace sidecar_executor::net
