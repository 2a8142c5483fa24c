// The server over real sockets: framing of event streams, keep-alive, ends.
#include "http_server.hpp"

#include <gtest/gtest.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <optional>
#include <thread>

#include "recordio.hpp"

namespace mini_agent {
namespace {

namespace asio = boost::asio;

// A server in its own thread; the test is the client.
class MiniAgentHttpServer : public ::testing::Test {
 protected:
  void serve(HttpServer::Handler handler) {
    server_.emplace(io_, std::move(handler));
    port_ = server_->listen(0);
    thread_ = std::thread([this] { io_.run(); });
  }

  void TearDown() override {
    asio::post(io_, [this] { server_.reset(); });
    thread_.join();
  }

  asio::ip::tcp::socket connect() {
    asio::ip::tcp::socket socket(client_);
    socket.connect({asio::ip::address_v4::loopback(), port_});
    return socket;
  }

  std::string talk(asio::ip::tcp::socket& socket, const std::string& text) {
    asio::write(socket, asio::buffer(text));
    return read_to_end(socket);
  }

  static std::string read_to_end(asio::ip::tcp::socket& socket) {
    std::string all;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(all), error);
    return all;
  }

  static std::string body_of(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  HttpServer::Handler streaming(StreamStyle style,
                                std::function<void(std::shared_ptr<EventStream>)> use) {
    return [style, use](const CallRequest&) {
      HttpAnswer answer;
      answer.style = style;
      answer.stream = use;
      return answer;
    };
  }

  asio::io_context io_, client_;
  std::optional<HttpServer> server_;
  std::thread thread_;
  unsigned short port_ = 0;
};

const std::string kGet = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";

TEST_F(MiniAgentHttpServer, AnswersPipelinedRequestsInOrder) {
  serve([](const CallRequest& request) {
    HttpAnswer answer;
    answer.body = request.target;
    return answer;
  });
  auto socket = connect();
  const std::string all = talk(socket,
                               "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\nConnection: "
                               "close\r\n\r\n");
  EXPECT_LT(all.find("\r\n\r\n/a"), all.find("\r\n\r\n/b"));
  EXPECT_NE(all.find("\r\n\r\n/b"), std::string::npos);
}

TEST_F(MiniAgentHttpServer, WhatIsNoHttpGetsNoAnswer) {
  serve([](const CallRequest&) { return HttpAnswer{}; });
  auto socket = connect();
  EXPECT_EQ(talk(socket, "FOO\r\n\r\n"), "");
}

TEST_F(MiniAgentHttpServer, ACutAnswerEndsTheConnection) {
  serve([](const CallRequest& request) {
    HttpAnswer answer;
    answer.body = "0123" + request.headers.at("x-some");
    answer.cut = true;
    return answer;
  });
  auto socket = connect();
  const std::string all = talk(socket, "GET /a HTTP/1.1\r\nX-Some: 4567\r\n\r\n");
  EXPECT_NE(all.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_EQ(body_of(all), "0123");
}

TEST_F(MiniAgentHttpServer, AStreamIsOneChunkARecordAndEndsWithAZeroChunk) {
  serve(streaming({}, [](const std::shared_ptr<EventStream>& stream) {
    stream->send(record("one"));
    stream->send(record("three"));
    stream->finish();
  }));
  auto socket = connect();
  EXPECT_EQ(body_of(talk(socket, kGet)), "5\r\n3\none\r\n7\r\n5\nthree\r\n0\r\n\r\n");
}

TEST_F(MiniAgentHttpServer, MergedRecordsAreOneChunk) {
  serve(streaming({.merge = true}, [](const std::shared_ptr<EventStream>& stream) {
    stream->send(record("one"));
    stream->send(record("two"));
    stream->finish();
  }));
  auto socket = connect();
  EXPECT_EQ(body_of(talk(socket, kGet)), "a\r\n3\none3\ntwo\r\n0\r\n\r\n");
}

TEST_F(MiniAgentHttpServer, DrippedBytesAreChunksOfOne) {
  serve(streaming({.drip = true}, [](const std::shared_ptr<EventStream>& stream) {
    stream->send("ab");
    stream->finish();
  }));
  auto socket = connect();
  EXPECT_EQ(body_of(talk(socket, kGet)), "1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
}

TEST_F(MiniAgentHttpServer, ACutRecordEndsInTheMiddle) {
  serve(streaming({}, [](const std::shared_ptr<EventStream>& stream) {
    stream->send("whole");
    stream->send_half_and_abort("0123456789");
  }));
  auto socket = connect();
  EXPECT_EQ(body_of(talk(socket, kGet)), "5\r\nwhole\r\na\r\n0123");
}

TEST_F(MiniAgentHttpServer, TheStreamNoticesThatTheExecutorLeft) {
  std::promise<std::string> why;
  serve(streaming({}, [&why](const std::shared_ptr<EventStream>& stream) {
    stream->on_end = [&why](const std::string& text) { why.set_value(text); };
  }));
  {
    auto socket = connect();
    asio::write(socket, asio::buffer(kGet));
    char byte = 0;
    asio::read(socket, asio::buffer(&byte, 1));
  }
  auto future = why.get_future();
  ASSERT_EQ(future.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(future.get(), "closed by the executor");
}

TEST_F(MiniAgentHttpServer, DroppedConnectionsEndAndThePortCanBeUsedAgain) {
  serve(streaming({}, [](const std::shared_ptr<EventStream>&) {}));
  auto socket = connect();
  asio::write(socket, asio::buffer(kGet));
  char byte = 0;
  asio::read(socket, asio::buffer(&byte, 1));
  asio::post(io_, [this] {
    server_->close_listeners();
    server_->listen(port_);
    server_->drop_connections();
  });
  read_to_end(socket);
  auto again = connect();
  asio::write(again, asio::buffer(kGet));
  asio::read(again, asio::buffer(&byte, 1));
  EXPECT_EQ(byte, 'H');
}

}  // namespace
}  // namespace mini_agent
