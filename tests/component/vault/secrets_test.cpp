// vault:// values against a scripted Vault.
#include "vault/secrets.hpp"

#include "component/vault/vault_test.hpp"

namespace sidecar_executor::vault {
namespace {

using Variables = std::vector<std::string>;

class VaultSecretsTest : public VaultComponentTest {
 protected:
  void SetUp() override { settings.token = Secret("s.tok"); }
  Result<Variables> resolve(Variables variables) {
    Client one = client();
    Secrets secrets(one, log);
    return loop.run([&] { return secrets.resolve(std::move(variables)); });
  }
};

TEST_F(VaultSecretsTest, EachPathOnceAndTheOrderIsKept) {
  serve({{"GET /v1/secret/a", answer(200, R"({"data":{"value":"A","user":"U"}})")},
         {"GET /v1/secret/b", secret_answer("B")}});
  const auto got = resolve({"PLAIN=x", "A=vault://secret/a", "NONE", "B=vault://secret/b",
                            "U=vault://secret/a?key=user", "URL=http://vault://x"});
  ASSERT_OK(got);
  EXPECT_EQ(*got, (Variables{"PLAIN=x", "A=A", "NONE", "B=B", "U=U", "URL=http://vault://x"}));
  EXPECT_EQ(count("GET /v1/secret/a"), 1);
  EXPECT_EQ(server.requests().size(), 4u) << "mount and secret for each path";
  EXPECT_TRUE(was_logged("variable=U path=secret/a key=user"));
}

TEST_F(VaultSecretsTest, AMountThatCannotBeAskedForIsVersionOne) {
  for (const int status : {403, 404}) {
    server.serve([status](const SeenRequest& request) {
      return request.target.find("/mounts/") != std::string::npos ? errors(status, "no")
                                                                  : secret_answer("A");
    });
    const auto got = resolve({"A=vault://secret/a"});
    ASSERT_OK(got);
    EXPECT_EQ(got->front(), "A=A");
  }
}

TEST_F(VaultSecretsTest, VersionTwoIsReadWhereItIs) {
  serve({{"GET /v1/sys/internal/ui/mounts/kv/team/app",
          answer(200, R"({"data":{"path":"kv/team/","type":"kv","options":{"version":"2"}}})")},
         {"GET /v1/kv/team/data/app?version=2",
          answer(200, R"({"data":{"data":{"value":"two"},"metadata":{"version":2}}})")}});
  const auto got = resolve({"A=vault://kv/team/app?version=2"});
  ASSERT_OK(got);
  EXPECT_EQ(got->front(), "A=two");
}

TEST_F(VaultSecretsTest, AMountThatIsKnownIsNotAskedForAgain) {
  server.serve([](const SeenRequest& request) {
    return request.target.find("/mounts/") != std::string::npos
               ? answer(200, R"({"data":{"path":"kv/","type":"kv","options":{"version":"2"}}})")
               : answer(200, R"({"data":{"data":{"value":"two"},"metadata":{"version":2}}})");
  });
  Variables variables;
  Variables expected;
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    variables.push_back("V" + number);
    variables.back().append("=vault://kv/app").append(number);
    expected.push_back("V" + number + "=two");
  }
  const auto got = resolve(variables);
  ASSERT_OK(got);
  EXPECT_EQ(*got, expected);
  EXPECT_LE(server.requests().size(), 20U + 4U) << "4 are read at once";
}

TEST_F(VaultSecretsTest, ManyPathsAFewAtATime) {
  int open = 0;
  int most = 0;
  server.always([&](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await peer.request();
      most = std::max(most, ++open);
      co_await peer.send_after(2ms, request.target.find("/mounts/") != std::string::npos
                                        ? errors(404, "")
                                        : secret_answer(request.target));
      --open;
    }
  });
  Variables variables;
  for (int i = 0; i < 30; ++i)
    variables.push_back("V" + std::to_string(i) + "=vault://secret/p" + std::to_string(i));
  const auto got = resolve(variables);
  ASSERT_OK(got);
  EXPECT_EQ(got->back(), "V29=/v1/secret/p29");
  EXPECT_GT(most, 1) << "at the same time";
  EXPECT_LE(most, 4) << "but not all at once";
  EXPECT_LE(server.connections(), 4);
}

TEST_F(VaultSecretsTest, TheFirstFailureEndsTheOthers) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    const auto request = co_await peer.request();
    if (request.target.find("/hangs") != std::string::npos) co_await peer.hang();
    co_await peer.send(errors(400, "bad request"));
  });
  EXPECT_ERROR(resolve({"H=vault://secret/hangs", "B=vault://secret/bad"}), ErrorKind::refused,
               "variable B: GET http://");
}

TEST_F(VaultSecretsTest, ErrorsNameVariableAndPath) {
  serve({{"GET /v1/secret/a", answer(200, R"({"data":{"user":"s3cr3t"}})")}});
  EXPECT_ERROR(resolve({"DB=vault://secret/a"}), ErrorKind::not_found,
               "variable DB: secret secret/a has no key value; it has: user");
  EXPECT_ERROR(resolve({"DB=vault://secret/none"}), ErrorKind::not_found,
               "Vault has no secret secret/none");
  EXPECT_ERROR(resolve({"DB=vault://secret/%"}), ErrorKind::invalid, "variable DB: vault://");
  EXPECT_ERROR(resolve({"=vault://secret/a"}), ErrorKind::invalid, "has no name");
}

class VaultDeniedTest : public VaultSecretsTest {
 protected:
  /// Every read is denied to any token but s.new; `alive` says what a look-up finds.
  void deny(bool alive) {
    with_login();
    server.serve([alive](const SeenRequest& request) {
      const bool fresh = request.header("X-Vault-Token") == "s.new";
      if (request.target.find("/login/") != std::string::npos) return login_answer("s.new");
      if (request.target.find("renew-self") != std::string::npos) return login_answer("s.new");
      if (request.target.find("lookup-self") != std::string::npos)
        return alive ? lookup_answer() : errors(403, "bad token");
      return fresh ? secret_answer("A") : errors(403, "permission denied");
    });
  }
};

TEST_F(VaultDeniedTest, ADeadTokenIsReplacedByOneLogin) {
  deny(false);
  const auto got = resolve({"A=vault://secret/a", "B=vault://secret/b"});
  ASSERT_OK(got);
  EXPECT_EQ(got->front(), "A=A");
  EXPECT_EQ(count("POST /v1/auth/userpass/login/exec"), 1);
}

TEST_F(VaultDeniedTest, APolicyThatSaysNoIsNotALogin) {
  deny(true);
  EXPECT_ERROR(resolve({"A=vault://secret/a"}), ErrorKind::unauthorized, "permission denied");
  EXPECT_EQ(count("POST /v1/auth/userpass/login/exec"), 0);
}

TEST_F(VaultSecretsTest, CancelledAtOnce) {
  server.always([](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  Client one = client();
  Secrets secrets(one, log);
  auto started =
      loop.start([&] { return secrets.resolve({"A=vault://secret/a", "B=vault://secret/b"}); });
  loop.until([&] { return server.open() == 2; }, "two connections");
  cancellation.cancel();
  EXPECT_ERROR(loop.finish(started), ErrorKind::cancelled, "cancelled");
}

}  // namespace
}  // namespace sidecar_executor::vault
