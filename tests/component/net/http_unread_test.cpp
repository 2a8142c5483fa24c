// A stream that is left alone for a while: what arrives is kept, and the connection can be closed.

#include "component/net/http_test.hpp"

namespace sidecar_executor::net {
namespace {

/// A stream of which the first chunk was read, and the rest is to come.
struct LeftUnread {
  explicit LeftUnread(Loop& the_loop, HttpConnection& to) : loop(the_loop), connection(to) {
    EXPECT_TRUE(loop.run([&] { return connection.open({}, patient); }));
    EXPECT_EQ(read(), "first");
  }
  std::string read() {
    std::string into(4096, '\0');
    const auto got = loop.run([&] { return connection.read_many(into.data(), into.size()); });
    return got ? into.substr(0, *got) : got.error().message;
  }
  Loop& loop;
  HttpConnection& connection;
};

TEST_F(HttpTest, WhatIsLeftUnreadIsReadLater) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head() + chunk("first"));
    co_await peer.send_after(5ms, chunk("second"));
    co_await peer.send_after(100ms, chunk("third") + chunk(""));
  });
  HttpConnection connection = connect();
  LeftUnread stream(loop, connection);
  Cancellation never;
  const auto began = std::chrono::steady_clock::now();
  loop.run([&] { return connection.leave_unread(20ms, never); });
  EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
  EXPECT_EQ(stream.read(), "second");
  EXPECT_EQ(stream.read(), "third");
  EXPECT_EQ(stream.read(), "");
}

TEST_F(HttpTest, ClosedWhileItIsLeftUnread) {
  server.next(answer_and_hang(chunked_head() + chunk("first")));
  HttpConnection connection = connect();
  LeftUnread stream(loop, connection);
  Cancellation cancellation;
  auto waiting = loop.start([&] { return connection.leave_unread(patient, cancellation); });
  connection.close();
  cancellation.cancel();
  loop.finish(waiting, patient);
  EXPECT_FALSE(connection.is_open());
  EXPECT_EQ(stream.read(), "cancelled");
}

TEST_F(HttpTest, AnEndedWaitLeavesTheConnectionOpen) {
  server.next(answer_and_hang(chunked_head() + chunk("first")));
  HttpConnection connection = connect();
  const LeftUnread stream(loop, connection);
  Cancellation cancellation;
  auto waiting = loop.start([&] { return connection.leave_unread(patient, cancellation); });
  cancellation.cancel();
  loop.finish(waiting, patient);
  EXPECT_TRUE(connection.is_open());
}

}  // namespace
}  // namespace sidecar_executor::net
