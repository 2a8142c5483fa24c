// Names: what needs no look-up, and what happens when there is nobody to ask.

#include "net/resolver.hpp"

#include "component/net/http_test.hpp"

namespace sidecar_executor::net {
namespace {

class ResolverTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { use_builtin_name_services(); }
  void TearDown() override { EXPECT_TRUE(loop.runs_out()) << "a look-up is still waiting"; }

  Result<std::vector<asio::ip::address>> look_up(const std::string& host,
                                                 Duration limit = patient) {
    return loop.run([&] { return resolve(host, limit); });
  }
  std::vector<std::string> texts(const std::string& host) {
    std::vector<std::string> out;
    const auto found = look_up(host);
    EXPECT_TRUE(found.has_value()) << host;
    if (found) {
      for (const auto& address : *found) out.push_back(address.to_string());
    }
    return out;
  }
  Loop loop;
};

using Texts = std::vector<std::string>;

TEST_F(ResolverTest, NumbersAreTheirOwnAnswer) {
  EXPECT_EQ(texts("127.0.0.1"), Texts{"127.0.0.1"});
  EXPECT_EQ(texts("10.1.2.3"), Texts{"10.1.2.3"});
  EXPECT_EQ(texts("::1"), Texts{"::1"});
  EXPECT_EQ(texts("2001:db8::7"), Texts{"2001:db8::7"});
}

TEST_F(ResolverTest, LocalhostIsLoopback) {
  EXPECT_EQ(texts("localhost"), (Texts{"127.0.0.1", "::1"}));
}

TEST_F(ResolverTest, NamesOfTheHostsFile) {
  // Not the spelling that needs no look-up; the one name that every hosts file has.
  const auto found = look_up("LocalHost", 5s);
  ASSERT_OK(found);
  EXPECT_TRUE(found->front().is_loopback()) << found->front().to_string();
}

TEST_F(ResolverTest, UnknownNameIsNamedInBoundedTime) {
  const auto began = test::Clock::now();
  const auto found = look_up("no-such-host.invalid", 2s);
  EXPECT_LT(test::Clock::now() - began, 10s);
  ASSERT_FALSE(found.has_value());
  EXPECT_NE(found.error().message.find("look up no-such-host.invalid: "), std::string::npos)
      << found.error().message;
  // No such name, nobody to ask, or nobody answers: that depends on the network.
  EXPECT_TRUE(found.error().kind == ErrorKind::not_found ||
              found.error().kind == ErrorKind::unreachable ||
              found.error().kind == ErrorKind::timeout)
      << to_string(found.error().kind);
}

TEST_F(ResolverTest, ImpossibleNames) {
  for (const std::string& name :
       {std::string("a b"), std::string(300, 'x'), std::string(".."), std::string("%00")}) {
    const auto found = look_up(name, 2s);
    EXPECT_FALSE(found.has_value()) << name;
  }
}

TEST_F(ResolverTest, TheThreadMayEndAfterTheCall) {
  // It reports to somebody who has left: no SIGPIPE, no memory of the loop.
  for (int i = 0; i < 20; ++i) {
    const auto found = look_up("no-such-host.invalid", 1ns);
    if (found.has_value()) continue;
    EXPECT_NE(found.error().kind, ErrorKind::cancelled);
  }
  look_up("no-such-host.invalid", 2s);
}

TEST_F(ResolverTest, IsCancelled) {
  Cancellation cancellation;
  auto running =
      loop.start([&] { return resolve("no-such-host.invalid", patient, &cancellation); });
  loop.poll();
  if (!running.ended()) {
    cancellation.cancel();
    EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
  }
  cancellation.cancel();
  EXPECT_ERROR(loop.run([&] { return resolve("no-such-host.invalid", patient, &cancellation); }),
               ErrorKind::cancelled, "cancelled");
}

TEST_F(ResolverTest, ConnectionIsClosedDuringTheLookUp) {
  Address address;
  address.host = "no-such-host.invalid";
  address.port = 80;
  for (const bool by_close : {false, true}) {
    Cancellation cancellation;
    HttpConnection connection(loop.executor(), address, &cancellation);
    auto running = loop.start([&] { return connection.exchange({}, patient); });
    loop.poll();
    if (running.ended()) continue;  // a name service of the fastest kind
    if (by_close) {
      connection.close();
    } else {
      cancellation.cancel();
    }
    EXPECT_ERROR(loop.finish(running, 5s), ErrorKind::cancelled, "cancelled");
  }
}

TEST_F(ResolverTest, ConnectionNamesTheHost) {
  Address address;
  address.host = "no-such-host.invalid";
  address.port = 80;
  HttpConnection connection(loop.executor(), address);
  const auto response = loop.run([&] { return connection.exchange({}, 2s); });
  ASSERT_FALSE(response.has_value());
  EXPECT_NE(response.error().message.find("no-such-host.invalid"), std::string::npos);
}

}  // namespace
}  // namespace sidecar_executor::net
