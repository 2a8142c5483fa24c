// One call to Vault: headers, retries, redirects, proxies, TLS, and every bad answer.
#include "vault/client.hpp"

#include <openssl/ssl.h>

#include "component/vault/vault_test.hpp"
#include "support/tls_server.hpp"

namespace sidecar_executor::vault {
namespace {

using test::Authority;
using test::CertificateOptions;
using test::TlsServer;
using test::TlsServerOptions;

constexpr const char* nothing = R"({"data":{}})";

class VaultClientTest : public VaultComponentTest {};

TEST_F(VaultClientTest, SaysWhoItIs) {
  settings.name_space = "team/a";
  settings.url.path = "/base";
  serve({{"PUT /base/v1/sys/x?y=1", answer(200, nothing)}});
  ASSERT_OK(ask({"PUT", "sys/x?y=1", {}, Secret(R"({"a":1})"), Secret("s.tok")}));
  const auto& request = server.requests().front();
  EXPECT_EQ(request.header("X-Vault-Request"), "true");
  EXPECT_EQ(request.header("X-Vault-Token"), "s.tok");
  EXPECT_EQ(request.header("X-Vault-Namespace"), "team/a");
  EXPECT_EQ(request.header("Content-Type"), "application/json");
  EXPECT_EQ(request.body, R"({"a":1})");
}

TEST_F(VaultClientTest, WhatVaultSaidIsInTheError) {
  serve({{"GET /v1/secret/x", errors(403, "1 error occurred: permission denied")}});
  const auto refused = ask();
  EXPECT_ERROR(refused, ErrorKind::unauthorized, "permission denied");
  EXPECT_EQ(refused.error().http_status, 403);
  EXPECT_ERROR(refused, ErrorKind::unauthorized, "/v1/secret/x");
}

TEST_F(VaultClientTest, WhatMayPassIsTriedAgain) {
  settings.max_retries = 2;
  for (const int status : {412, 429, 500, 502, 503}) {
    const auto before = server.requests().size();
    int left = 2;
    server.serve([&](const SeenRequest&) {
      return left-- > 0 ? errors(status, "not now") : answer(200, nothing);
    });
    ASSERT_OK(ask());
    EXPECT_EQ(server.requests().size() - before, 3u) << status;
  }
}

TEST_F(VaultClientTest, WhatWillNotPassIsNotTriedAgain) {
  settings.max_retries = 2;
  for (const int status : {400, 403, 404, 501}) {
    const auto before = server.requests().size();
    server.serve([&](const SeenRequest&) { return errors(status, "no"); });
    EXPECT_FALSE(ask());
    EXPECT_EQ(server.requests().size() - before, 1u) << status;
  }
}

TEST_F(VaultClientTest, SealedIsSaidAfterTheLastTry) {
  settings.max_retries = 1;
  server.serve([](const SeenRequest&) { return errors(503, "Vault is sealed"); });
  EXPECT_ERROR(ask(), ErrorKind::unavailable, "Vault is sealed");
  EXPECT_EQ(server.requests().size(), 2u);
}

TEST_F(VaultClientTest, ABrokenConnectionIsTriedAgain) {
  settings.max_retries = 1;
  server.next([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    peer.reset();
  });
  server.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(answer(200, nothing));
  });
  ASSERT_OK(ask());
}

TEST_F(VaultClientTest, RetryAfterThatIsTooLongIsNotWaitedFor) {
  settings.max_retries = 5;
  settings.timeout = 2s;
  server.serve([](const SeenRequest&) {
    return errors(429, "request path rate limit", "Retry-After: 60\r\n");
  });
  EXPECT_ERROR(ask(), ErrorKind::refused, "rate limit");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(VaultClientTest, RetriesTogetherHaveTheTimeLimit) {
  settings.max_retries = 1000;
  settings.timeout = 200ms;
  server.serve([](const SeenRequest&) { return errors(500, "no"); });
  EXPECT_FALSE(ask());
  EXPECT_GT(server.requests().size(), 2u);
}

TEST_F(VaultClientTest, AHangIsBoundedAndCancelledAtOnce) {
  server.always([](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  settings.timeout = 60ms;
  EXPECT_ERROR(ask(), ErrorKind::timeout, "no answer within");
  settings.timeout = 60s;
  Client one = client();
  auto started = loop.start([&] { return one.ask({"GET", "secret/x"}); });
  loop.until([&] { return server.open() > 0; }, "the connection");
  cancellation.cancel();
  EXPECT_ERROR(loop.finish(started), ErrorKind::cancelled, "cancelled");
}

struct BadAnswer {
  const char* name;
  std::string bytes;
  ErrorKind kind;
  const char* text;
};

class VaultBadAnswerTest : public VaultClientTest,
                           public ::testing::WithParamInterface<BadAnswer> {};

TEST_P(VaultBadAnswerTest, IsSaidAndNotShown) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    co_await peer.request();
    co_await peer.send(GetParam().bytes);
  });
  const auto got = ask();
  EXPECT_ERROR(got, GetParam().kind, GetParam().text);
  EXPECT_EQ(got.error().message.find("s3cr3t"), std::string::npos) << got.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    All, VaultBadAnswerTest,
    ::testing::Values(
        BadAnswer{"CutOff",
                  "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"data\":{\"v\":\"s3cr3t",
                  ErrorKind::unreachable, "cut off"},
        BadAnswer{"Garbage", answer(200, "s3cr3t s3cr3t"), ErrorKind::protocol, "no JSON object"},
        BadAnswer{"AList", answer(200, R"(["s3cr3t"])"), ErrorKind::protocol, "no JSON object"},
        BadAnswer{"Html", answer(502, "<html>s3cr3t</html>"), ErrorKind::unavailable,
                  "without a reason of Vault's"},
        BadAnswer{"NoHttp", "SSH-2.0-s3cr3t\r\n", ErrorKind::protocol, "not an HTTP answer"},
        BadAnswer{"Huge", answer(200, "{\"a\":\"" + std::string(5UL << 20, 'x') + "\"}"),
                  ErrorKind::too_large, "larger than"}),
    [](const auto& info) { return info.param.name; });

// ---- redirects ---------------------------------------------------------------------------------

TEST_F(VaultClientTest, AStandbyIsFollowedWithTheTokenAndTheBody) {
  test::ScriptedServer active(loop.executor());
  active.serve([](const SeenRequest&) { return answer(200, nothing); });
  for (const int status : {301, 302, 307}) {
    server.serve([&](const SeenRequest& request) {
      return answer(status, "",
                    "Location: " + active.address().display() + request.target + "\r\n");
    });
    ASSERT_OK(ask({"PUT", "sys/x", {}, Secret("{}"), Secret("s.tok")}));
    EXPECT_EQ(active.requests().back().method, "PUT");
    EXPECT_EQ(active.requests().back().body, "{}");
    EXPECT_EQ(active.requests().back().header("X-Vault-Token"), "s.tok");
  }
  active.stop();
}

TEST_F(VaultClientTest, ARelativeRedirectStaysOnTheServer) {
  serve({{"GET /v1/secret/x", answer(307, "", "Location: /v1/secret/y\r\n")},
         {"GET /v1/secret/y", answer(200, nothing)}});
  ASSERT_OK(ask());
}

TEST_F(VaultClientTest, TwoServersThatSendUsRoundEndSomewhere) {
  test::ScriptedServer other(loop.executor());
  const std::string there = "Location: " + other.address().display() + "/v1/secret/x\r\n";
  const std::string back = "Location: " + server.address().display() + "/v1/secret/x\r\n";
  server.serve([&](const SeenRequest&) { return answer(307, "", there); });
  other.serve([&](const SeenRequest&) { return answer(307, "", back); });
  EXPECT_ERROR(ask(), ErrorKind::refused, "redirected too often");
  EXPECT_EQ(server.requests().size(), 1u);
  other.stop();
}

TEST_F(VaultClientTest, ALoopOnOneServerEnds) {
  server.serve([](const SeenRequest&) { return answer(302, "", "Location: /v1/secret/x\r\n"); });
  EXPECT_ERROR(ask(), ErrorKind::refused, "redirected too often");
}

TEST_F(VaultClientTest, RedirectTargets) {
  const auto https = *net::parse_url("https://vault:8200");
  EXPECT_EQ(redirect_target(https, "https://b:1/v1/x?y=1")->path, "/v1/x?y=1");
  EXPECT_ERROR(redirect_target(https, "http://b:1/v1/x?token=s3cr3t"), ErrorKind::refused,
               "from https to http");
  EXPECT_ERROR(redirect_target(https, ""), ErrorKind::refused, "no way to a Vault");
  EXPECT_ERROR(redirect_target(https, "//b/v1"), ErrorKind::refused, "no way to a Vault");
  EXPECT_ERROR(redirect_target(https, "unix:///run/x"), ErrorKind::refused, "no way to a Vault");
}

// ---- unix sockets and proxies ------------------------------------------------------------------

TEST_F(VaultClientTest, AgentOnAUnixSocket) {
  test::ScriptedServer agent(loop.executor(), dir / "agent.sock");
  agent.serve([](const SeenRequest&) { return answer(200, nothing); });
  settings.url = *net::parse_url("unix://" + (dir / "agent.sock"));
  settings.url.path = "";
  ASSERT_OK(ask());
  EXPECT_EQ(agent.requests().front().target, "/v1/secret/x");
  agent.stop();
}

class VaultProxyTest : public VaultClientTest {
 protected:
  void SetUp() override {
    settings.url = *net::parse_url("http://vault.example:8200");
    settings.url.path = "";
    net::Proxy proxy;
    proxy.address = server.address();
    proxy.authorization = "Basic bWU6cHc=";
    settings.proxy = proxy;
  }
  /// The proxy's answer to CONNECT, then Vault's behind it.
  void proxy_says(std::string bytes) {
    server.always([bytes = std::move(bytes)](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(bytes);
      co_await peer.request();
      co_await peer.send(answer(200, nothing));
      co_await peer.hang();
    });
  }
};

TEST_F(VaultProxyTest, IsAskedToConnect) {
  proxy_says("HTTP/1.1 200 Connection established\r\n\r\n");
  Client one = client();
  ASSERT_OK(loop.run([&] { return one.ask({"GET", "secret/x"}); }));
  const auto& requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].method, "CONNECT");
  EXPECT_EQ(requests[0].target, "vault.example:8200");
  EXPECT_EQ(requests[0].header("Proxy-Authorization"), "Basic bWU6cHc=");
  EXPECT_EQ(requests[1].target, "/v1/secret/x");
  EXPECT_EQ(requests[1].header("Host"), "vault.example:8200");
  EXPECT_EQ(requests[1].header("Proxy-Authorization"), "") << "not for Vault";
}

TEST_F(VaultProxyTest, BadAnswersNameTheProxy) {
  // Real ones send a page with it.
  const std::string page =
      "HTTP/1.1 407 No\r\nContent-Length: 3000\r\n\r\n" + std::string(3000, 'x');
  const std::pair<std::string, const char*> table[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "wants user and password"},
      {page, "wants user and password"},
      {"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nforbidden",
       "does not let us through: 403 Forbidden"},
      {"HTTP/1.1 200 OK\r\n\r\nand more", "not an HTTP answer"},
      {"HTTP/1.1 403 Forbidden\r\n\r\n", "does not let us through: 403 Forbidden"},
      {"hello\r\n\r\n", "not an HTTP answer"},
  };
  for (const auto& [bytes, text] : table) {
    proxy_says(bytes);
    const auto got = ask();
    ASSERT_FALSE(got);
    EXPECT_NE(got.error().message.find(text), std::string::npos) << got.error().message;
    EXPECT_NE(got.error().message.find("proxy http://127.0.0.1:"), std::string::npos)
        << got.error().message;
  }
}

TEST_F(VaultProxyTest, ThatHangsOrIsGoneIsBounded) {
  server.always([](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  settings.timeout = 60ms;
  EXPECT_ERROR(ask(), ErrorKind::timeout, "no answer within");
  const test::RefusedPort nobody;
  settings.proxy->address = nobody.address();
  EXPECT_ERROR(ask(), ErrorKind::unreachable, "proxy http://127.0.0.1:");
}

TEST_F(VaultProxyTest, OfTheEnvironment) {
  proxy_says("HTTP/1.0 200 OK\r\n\r\n");
  settings.proxy.reset();
  variables["HTTP_PROXY"] = server.address().display();
  ASSERT_OK(ask());
  EXPECT_EQ(server.requests().front().method, "CONNECT");
}

// ---- TLS ---------------------------------------------------------------------------------------

class VaultTlsTest : public VaultClientTest {
 protected:
  /// One call to a server with a certificate of `options`.
  Result<Answer> ask_tls(const CertificateOptions& options, int max_version = 0) {
    TlsServerOptions serving;
    serving.identity = authority.issue(options);
    serving.max_version = max_version;
    TlsServer tls(loop.executor(), serving, nothing);
    settings.url.address = tls.address();
    settings.url.address.tls = true;
    auto got = ask();
    tls.stop();
    return got;
  }
  static CertificateOptions names(const std::string& alternative) {
    CertificateOptions options;
    options.alternative_names = alternative;
    return options;
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(dir / name) << text;
    return dir / name;
  }
  Authority authority;
};

TEST_F(VaultTlsTest, TrustedByBytesFileAndFolder) {
  settings.tls.ca_pem = authority.pem();
  ASSERT_OK(ask_tls(names("IP:127.0.0.1")));
  settings.tls.ca_pem.clear();
  settings.tls.ca_file = file("ca.pem", authority.pem());
  ASSERT_OK(ask_tls(names("IP:127.0.0.1")));
  settings.tls.ca_file.clear();
  std::filesystem::create_directory(dir / "folder");
  file("folder/any-name.crt", authority.pem());
  settings.ca_folder = dir / "folder";
  ASSERT_OK(ask_tls(names("IP:127.0.0.1")));
}

TEST_F(VaultTlsTest, RefusedWithTheReason) {
  settings.tls.ca_pem = authority.pem();
  CertificateOptions expired = names("IP:127.0.0.1");
  expired.valid_from = -7200;
  expired.valid_for = -3600;
  EXPECT_ERROR(ask_tls(expired), ErrorKind::unreachable, "certificate has expired");
  EXPECT_ERROR(ask_tls(names("DNS:other.example")), ErrorKind::unreachable, "mismatch");
  EXPECT_ERROR(ask_tls(names("IP:127.0.0.1"), TLS1_1_VERSION), ErrorKind::unreachable,
               "the server's TLS version is too old, 1.2 is required");
  const Authority stranger("another authority");
  settings.tls.ca_pem = stranger.pem();
  EXPECT_ERROR(ask_tls(names("IP:127.0.0.1")), ErrorKind::unreachable,
               "unable to get local issuer certificate");
}

TEST_F(VaultTlsTest, ServerNameAndSkipVerify) {
  settings.tls.ca_pem = authority.pem();
  settings.tls.server_name = "vault.service";
  ASSERT_OK(ask_tls(names("DNS:vault.service")));
  settings.tls = {};
  settings.tls.verify = false;
  ASSERT_OK(ask_tls(names("DNS:whoever")));
}

TEST_F(VaultTlsTest, FilesThatCannotBeUsedAreNamedByTheirVariable) {
  const auto said = [this](const std::string& text) {
    const auto made = make_tls(settings);
    ASSERT_FALSE(made) << text;
    EXPECT_TRUE(made.error().message.starts_with(text)) << made.error().message;
    settings.tls = {};
    settings.ca_folder.clear();
  };
  settings.tls.ca_file = dir / "none";
  said("VAULT_CACERT: ");
  settings.tls.ca_pem = "no certificate";
  said("VAULT_CACERT_BYTES: ");
  settings.ca_folder = dir / "none";
  said("VAULT_CAPATH: ");
  std::filesystem::create_directory(dir / "empty");
  settings.ca_folder = dir / "empty";
  said("VAULT_CAPATH: no PEM certificate in");
  settings.tls.certificate_file = dir / "none";
  said("VAULT_CLIENT_CERT: ");
  settings.tls.certificate_file = file("client.pem", authority.issue({}).certificate);
  settings.tls.key_file = dir / "none";
  said("VAULT_CLIENT_KEY: ");
}

}  // namespace
}  // namespace sidecar_executor::vault
