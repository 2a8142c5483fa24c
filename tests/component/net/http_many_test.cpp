// read_many(), for streams without a limit: over each framing that a body can have, and over TLS.

#include "component/net/http_test.hpp"
#include "net/tls.hpp"
#include "support/tls_server.hpp"

namespace sidecar_executor::net {
namespace {

/// The body to its end; ` | ` and the error where it ends by one.
std::string body_of(Loop& loop, HttpConnection& connection) {
  std::string all;
  const auto head = loop.run([&] { return connection.open({}, patient); });
  if (!head) return head.error().message;
  for (std::string into(4096, '\0');;) {
    const auto got = loop.run([&] { return connection.read_many(into.data(), into.size()); });
    if (!got) return all + " | " + got.error().message;
    if (*got == 0) return all;
    all += into.substr(0, *got);
  }
}

TEST_F(HttpTest, ManyOfABodyWithALength) {
  server.next(answer_and_hang(answer(200, "hello") + "what nobody asked for"));
  HttpConnection connection = connect();
  EXPECT_EQ(body_of(loop, connection), "hello");
  connection.close();
}

TEST_F(HttpTest, ManyOfABodyThatEndsWithItsConnection) {
  server.next(answer_and_close("HTTP/1.1 200 OK\r\n\r\nhello"));
  HttpConnection connection = connect();
  EXPECT_EQ(body_of(loop, connection), "hello");
  connection.close();
}

TEST_F(HttpTest, ManyOfABodyThatIsCutOff) {
  for (const auto& bytes : {chunked_head() + chunk("hello"), answer(200, "hello", "X: y\r\n")}) {
    const bool chunked = bytes.find("chunked") != std::string::npos;
    server.next(answer_and_close(chunked ? bytes : bytes.substr(0, bytes.size() - 2)));
    HttpConnection connection = connect();
    const auto seen = body_of(loop, connection);
    EXPECT_TRUE(seen.starts_with(chunked ? "hello | " : "hel | ")) << seen;
    EXPECT_FALSE(connection.is_open());
  }
}

TEST_F(HttpTest, ManyOfWhatIsNotChunked) {
  server.next(answer_and_hang(chunked_head() + chunk("hello") + "no size\r\n"));
  HttpConnection connection = connect();
  const auto seen = body_of(loop, connection);
  EXPECT_TRUE(seen.ends_with(": not a chunked body")) << seen;
  EXPECT_FALSE(connection.is_open());
}

TEST_F(HttpTest, ManyOverTls) {
  const test::Authority authority;
  test::TlsServerOptions options;
  options.identity = authority.issue({.alternative_names = "IP:127.0.0.1"});
  const std::string large(100'000, 'x');
  test::TlsServer secure(loop.executor(), options, [&large](const test::TlsRequest&) {
    return chunked_head() + chunk("one") + chunk(large) + chunk("two") + chunk("");
  });
  TlsSettings trusting;
  trusting.ca_pem = authority.pem();
  const auto context = TlsContext::make(trusting);
  ASSERT_OK(context);
  Address address = secure.address();
  address.tls = true;
  address.tls_context = *context;
  HttpConnection connection(loop.executor(), address);
  EXPECT_EQ(body_of(loop, connection), "one" + large + "two");
  connection.close();
  secure.stop();
}

}  // namespace
}  // namespace sidecar_executor::net
