// What the summary says to look at, for what src/vault really says of a Vault that is away, that
// denies, or that has no such secret.
#include "component/vault/vault_test.hpp"
#include "net/proxy.hpp"
#include "support/tls_server.hpp"
#include "task/launch_hint.hpp"
#include "vault/secrets.hpp"

namespace sidecar_executor::vault {
namespace {

class VaultHintTest : public VaultComponentTest {
 protected:
  /// Of a task whose variable X is `value`, with the message in front, for a test's failure.
  std::string hint(const std::string& value = "vault://secret/a") {
    Client one = client();
    Secrets secrets(one, log);
    const auto got = loop.run([&] { return secrets.resolve({"X=" + value}); });
    if (got) return "it was read";
    const std::string message = got.error().during("Vault").message;
    return message + "\n -> " + task::launch_hint(message);
  }
  /// Of `said` for every request below `path`; the mounts are those of version 2.
  void answers(const std::string& path, const std::string& said) {
    server.serve([path, said](const SeenRequest& request) {
      if (request.target.find(path) != std::string::npos) return said;
      if (request.target.find("/mounts/") == std::string::npos) return login_answer("s.new");
      return answer(200, R"({"data":{"path":"kv/","type":"kv","options":{"version":"2"}}})");
    });
  }
  void with_token() { settings.token = Secret("s.tok"); }
};

#define EXPECT_HINT(text, part) \
  EXPECT_NE(std::string(text).find(std::string("\n -> ") + (part)), std::string::npos) << (text)

TEST_F(VaultHintTest, TheSecret) {
  with_token();
  answers("/v1/secret/a", errors(404, ""));
  EXPECT_HINT(hint(), "nothing is at this path");
  answers("/v1/secret/a", answer(200, R"({"data":{"user":"u"}})"));
  EXPECT_HINT(hint(), "the secret has no such key");
  answers("/v1/kv/data/a",
          answer(404, R"({"data":{"data":null,"metadata":{"version":3,)"
                      R"("deletion_time":"2026-01-02T15:04:05Z","destroyed":false}}})"));
  EXPECT_HINT(hint("vault://kv/a"), "this version of the secret is gone: ");
  answers("/v1/kv/data/a",
          answer(404, R"({"data":{"data":null,"metadata":{"version":3,"destroyed":true}}})"));
  EXPECT_HINT(hint("vault://kv/a"), "this version of the secret is gone for good");
}

TEST_F(VaultHintTest, VaultSaysNo) {
  with_token();
  answers("/v1/secret/a", errors(403, "1 error occurred:\\n\\t* permission denied\\n\\n"));
  EXPECT_HINT(hint(), "Vault does not let this token read the path");
  server.serve([](const SeenRequest&) { return errors(403, "permission denied"); });
  EXPECT_HINT(hint(), "the token has ended, was revoked");
  server.serve([](const SeenRequest&) { return errors(503, "Vault is sealed"); });
  EXPECT_HINT(hint(), "Vault is sealed");
}

TEST_F(VaultHintTest, TheLoginIsAnsweredWithANo) {
  for (const Method method : {Method::userpass, Method::approle, Method::cert}) {
    with_login();
    settings.method = method;
    for (const int status : {400, 403}) {
      server.serve([status](const SeenRequest&) { return errors(status, "permission denied"); });
      EXPECT_HINT(hint(), "Vault refused the login");
    }
    server.serve([](const SeenRequest&) { return errors(503, "Vault is sealed"); });
    EXPECT_HINT(hint(), "Vault is sealed");
    server.serve([](const SeenRequest&) { return errors(500, "dial: connection refused"); });
    EXPECT_HINT(hint(), "Vault, or a proxy before it, failed");
    server.serve([](const SeenRequest&) { return answer(400, "Client sent an HTTP request"); });
    EXPECT_HINT(hint(), "something else than Vault answers, or it wants https");
  }
}

TEST_F(VaultHintTest, TheLoginIsNotAnswered) {
  with_login();
  server.always([](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  settings.timeout = 60ms;
  EXPECT_HINT(hint(), "Vault is slow");
  const test::RefusedPort nobody;
  settings.url.address = nobody.address();
  EXPECT_HINT(hint(), "Vault is down");
  settings.timeout = 30s;
  settings.url.address.unix_path = "/no/such/vault.sock";
  EXPECT_HINT(hint(), "Vault is down");
  settings.url.address = nobody.address();
  settings.proxy = net::Proxy{nobody.address(), ""};
  EXPECT_HINT(hint(), "the HTTP proxy before Vault");
}

TEST_F(VaultHintTest, TheNameCannotBeLookedUp) {
  with_login();
  settings.timeout = 5s;
  settings.url.address.host = "no-such-vault.invalid";
  EXPECT_HINT(hint(), "this host cannot look up the name");
}

TEST_F(VaultHintTest, TheCertificates) {
  const test::Authority authority;
  test::CertificateOptions names;
  names.alternative_names = "IP:127.0.0.1";
  test::TlsServerOptions options;
  options.identity = authority.issue(names);
  options.client_authority = authority.pem();
  test::TlsServer tls(loop.executor(), options, [](const auto&) { return answer(404, ""); });
  with_login();
  settings.url.address = tls.address();
  settings.url.address.tls = true;
  settings.tls.ca_pem = test::Authority("another authority").pem();
  EXPECT_HINT(hint(), "Vault's certificate is not trusted here");
  settings.tls.ca_pem = authority.pem();
  EXPECT_HINT(hint(), "Vault wants another client certificate");
  settings.tls.certificate_file = "/no/such.pem";
  EXPECT_HINT(hint(), "the file that the VAULT_ variable names");
  tls.stop();
}

}  // namespace
}  // namespace sidecar_executor::vault
