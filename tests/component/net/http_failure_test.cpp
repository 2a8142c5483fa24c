// Servers that are not there, lie, cut, reset or send too much.

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "component/net/http_test.hpp"

namespace sidecar_executor::net {
namespace {

TEST_F(HttpTest, RefusedNamesTheAddress) {
  test::RefusedPort port;
  HttpConnection connection(loop.executor(), port.address());
  EXPECT_ERROR(exchange(connection), ErrorKind::unreachable,
               port.address().display() + ": Connection refused");
}

TEST_F(HttpTest, MissingSocketNamesThePath) {
  TempDir dir;
  Address address;
  address.unix_path = dir / "nothing.sock";
  HttpConnection connection(loop.executor(), address);
  EXPECT_ERROR(exchange(connection), ErrorKind::unreachable,
               "unix://" + address.unix_path + ": No such file or directory");
}

TEST_F(HttpTest, SocketWithoutServerNamesThePath) {
  TempDir dir;
  Address address;
  address.unix_path = dir / "left.sock";
  {
    ScriptedServer gone(loop.executor(), address.unix_path);
  }
  HttpConnection connection(loop.executor(), address);
  EXPECT_ERROR(exchange(connection), ErrorKind::unreachable,
               address.unix_path + ": Connection refused");
}

TEST_F(HttpTest, TooLongPathOfASocket) {
  Address address;
  address.unix_path = "/" + std::string(200, 'x');
  HttpConnection connection(loop.executor(), address);
  EXPECT_ERROR(exchange(connection), ErrorKind::invalid, "too long");
}

TEST_F(HttpTest, ServerThatComesBackIsReached) {
  TempDir dir;
  const std::string path = dir / "docker.sock";
  Address address;
  address.unix_path = path;
  HttpConnection connection(loop.executor(), address);
  EXPECT_FALSE(exchange(connection).has_value());
  ScriptedServer back(loop.executor(), path);
  back.serve([](const SeenRequest&) { return answer(200); });
  ASSERT_OK(exchange(connection));
  back.stop();
}

// ---- cut ---------------------------------------------------------------------------------------

TEST_F(HttpTest, ClosedWithoutAWord) {
  EXPECT_ERROR(exchange_with([](Peer& peer) -> asio::awaitable<void> { co_await peer.request(); }),
               ErrorKind::unreachable, "connection closed by the other side");
}

TEST_F(HttpTest, ClosedBeforeTheRequest) {
  EXPECT_ERROR(exchange_with([](Peer&) -> asio::awaitable<void> { co_return; }),
               ErrorKind::unreachable, server.address().display());
}

TEST_F(HttpTest, CutAtEveryByte) {
  const std::string bytes = answer(200, "hello world", "X-A: b\r\n");
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    EXPECT_ERROR(exchange_with(answer_and_close(bytes.substr(0, at))), ErrorKind::unreachable,
                 "answer cut off");
  }
}

TEST_F(HttpTest, ChunkedCutAtEveryByte) {
  const std::string bytes = chunked_head() + chunk("hello ") + chunk("world") + chunk("");
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    const auto response = exchange_with(answer_and_close(bytes.substr(0, at)));
    ASSERT_FALSE(response.has_value()) << "cut at " << at << ": " << response->body;
    EXPECT_EQ(response.error().kind, ErrorKind::unreachable) << response.error().message;
  }
}

TEST_F(HttpTest, ResetBeforeTheAnswer) {
  EXPECT_ERROR(exchange_with([](Peer& peer) -> asio::awaitable<void> {
                 co_await peer.request();
                 peer.reset();
               }),
               ErrorKind::unreachable, "Connection reset by peer");
}

TEST_F(HttpTest, ResetInTheMiddle) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head() + chunk("some"));
    co_await peer.hang();
  });
  HttpConnection connection = connect();
  ASSERT_OK(loop.run([&] { return connection.open({}, patient); }));
  std::string text;
  ASSERT_OK(read_some(connection, text));
  EXPECT_EQ(text, "some");
  std::string more(100, '\0');
  auto waiting =
      loop.start([&] { return connection.read_some(more.data(), more.size(), patient); });
  loop.poll();
  EXPECT_FALSE(waiting.ended());
  server.reset_all();
  EXPECT_ERROR(loop.finish(waiting), ErrorKind::unreachable, "Connection reset by peer");
  EXPECT_FALSE(connection.is_open());
  EXPECT_ERROR(read_some(connection, text), ErrorKind::cancelled, "");
}

TEST_F(HttpTest, ResetWhileALargeRequestIsSent) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    peer.reset();
    co_return;
  });
  HttpConnection connection = connect();
  EXPECT_ERROR(exchange(connection, {.method = "POST", .body = std::string(8 << 20, 'x')}),
               ErrorKind::unreachable, server.address().display());
}

// ---- no HTTP -----------------------------------------------------------------------------------

TEST_F(HttpTest, AnotherProtocolIsNamedAtOnceOrAtItsEnd) {
  for (const std::string bytes :
       {"SSH-2.0-OpenSSH_9.2\r\n", "+OK ready\r\n\r\n", "<html>no</html>\n",
        "\x15\x03\x01\x00\x02\x02\x16", "HTTP/", "HTTPS/1.1 200 OK\r\n\r\n", "\r\n\r\n\r\n\r\n"}) {
    const auto response = exchange_with(answer_and_close(bytes));
    ASSERT_FALSE(response.has_value());
    if (bytes != "HTTP/") {
      EXPECT_ERROR(response, ErrorKind::protocol, "not an HTTP answer");
    }
  }
}

TEST_F(HttpTest, AnotherProtocolThatWaitsForUs) {
  EXPECT_ERROR(exchange_with(answer_and_hang("SSH-2.0-OpenSSH_9.2\r\n"), brief),
               ErrorKind::protocol, "not an HTTP answer");
}

TEST_F(HttpTest, BadHttp) {
  for (const std::string bytes : {
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 abc OK\r\n\r\n",
           "HTTP/3.7 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nNo colon here\r\n\r\n",
           "HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nab",
       }) {
    const auto response = exchange_with(answer_and_close(bytes));
    ASSERT_FALSE(response.has_value()) << bytes;
    EXPECT_EQ(to_string(response.error().kind), to_string(ErrorKind::protocol))
        << bytes << "\n-> " << response.error().message;
  }
}

// ---- too much ----------------------------------------------------------------------------------

TEST_F(HttpTest, HeaderTooLarge) {
  EXPECT_ERROR(exchange_with(answer_and_hang("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'))),
               ErrorKind::too_large, "larger than the limit");
}

TEST_F(HttpTest, HeaderOf60KiBIsTaken) {
  const auto response = exchange_with(
      answer_and_hang(answer(200, "ok", "X: " + std::string(60 * 1024, 'x') + "\r\n")));
  ASSERT_OK(response);
  EXPECT_EQ(response->header("X").size(), 60u * 1024);
}

TEST_F(HttpTest, EndlessChunkExtension) {
  const std::string bytes = chunked_head() + "5;" + std::string(1 << 20, 'x');
  EXPECT_ERROR(exchange_with(answer_and_hang(bytes)), ErrorKind::too_large,
               "larger than the limit");
}

TEST_F(HttpTest, EndlessTrailer) {
  const std::string bytes = chunked_head() + "0\r\nX: " + std::string(1 << 20, 'x');
  EXPECT_ERROR(exchange_with(answer_and_hang(bytes)), ErrorKind::too_large,
               "larger than the limit");
}

TEST_F(HttpTest, BodyOverTheLimit) {
  const std::string limit_text = "larger than 1000 bytes";
  for (const std::string& bytes :
       {answer(200, std::string(1001, 'x')),
        chunked_head() + chunk(std::string(600, 'x')) + chunk(std::string(600, 'x')),
        "HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x')}) {
    server.next(answer_and_hang(bytes));
    HttpConnection connection = connect();
    EXPECT_ERROR(exchange(connection, {}, patient, 1000), ErrorKind::too_large, limit_text);
    EXPECT_FALSE(connection.is_open());
  }
}

TEST_F(HttpTest, BodyAtTheLimitIsTaken) {
  server.next(answer_and_close(answer(200, std::string(1000, 'x'))));
  HttpConnection connection = connect();
  EXPECT_TRUE(exchange(connection, {}, patient, 1000).has_value());
}

TEST_F(HttpTest, EndlessBodyEndsAtTheLimit) {
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(chunked_head());
    for (;;) co_await peer.send(chunk(std::string(64 * 1024, 'x')));
  });
  HttpConnection connection = connect();
  EXPECT_ERROR(exchange(connection, {}, patient, 1 << 20), ErrorKind::too_large, "1048576 bytes");
}

// ---- random bytes ------------------------------------------------------------------------------

/// An answer with some bytes changed, removed or put in.
std::string damaged(std::string bytes, std::mt19937& random) {
  const auto below = [&random](std::size_t n) { return random() % n; };
  for (auto times = 1 + below(4); times > 0 && !bytes.empty(); --times) {
    const auto at = below(bytes.size());
    switch (below(4)) {
      case 0:
        bytes[at] = static_cast<char>(below(256));
        break;
      case 1:
        bytes.erase(at, 1 + below(8));
        break;
      case 2:
        bytes.insert(at, 1 + below(8), static_cast<char>(below(256)));
        break;
      default:
        bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(20)));
    }
  }
  return bytes;
}

TEST_F(HttpTest, DamagedAnswersAreAnswersOrErrors) {
  std::mt19937 random(20240607);  // NOLINT: the same bytes in every run
  const std::string plain = answer(200, R"({"StatusCode":0})", "Content-Type: a/b\r\n");
  const std::string chunks = chunked_head() + chunk("hello ") + chunk("world") + chunk("");
  for (int round = 0; round < 400; ++round) {
    std::string bytes = damaged(round % 2 == 0 ? plain : chunks, random);
    if (round % 5 == 4) {
      bytes.assign(random() % 300, '\0');
      for (char& byte : bytes) byte = static_cast<char>(random() % 256);
    }
    SCOPED_TRACE("round " + std::to_string(round));
    const auto response = exchange_with(answer_and_close(bytes));
    if (response) {
      EXPECT_GE(response->status, 0);
      EXPECT_LE(response->body.size(), bytes.size());
    } else {
      EXPECT_FALSE(response.error().message.empty());
      EXPECT_NE(response.error().kind, ErrorKind::cancelled);
      EXPECT_NE(response.error().kind, ErrorKind::timeout) << response.error().message;
    }
  }
}

}  // namespace
}  // namespace sidecar_executor::net
