// Vault over real TLS: login by certificate, and what is not tried again because it cannot pass.
#include <openssl/ssl.h>

#include "component/vault/vault_test.hpp"
#include "support/tls_server.hpp"
#include "vault/secrets.hpp"

namespace sidecar_executor::vault {
namespace {

using test::Authority;
using test::Certificate;
using test::CertificateOptions;
using test::TlsRequest;
using test::TlsServer;
using test::TlsServerOptions;
using Variables = std::vector<std::string>;

CertificateOptions of_server(const std::string& alternative = "IP:127.0.0.1") {
  CertificateOptions options;
  options.alternative_names = alternative;
  return options;
}

/// The settings are those of the variables, as the executor reads them.
class VaultOverTlsTest : public VaultComponentTest {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(dir / name) << text;
    return dir / name;
  }
  void read_variables(const TlsServer& tls) {
    variables["VAULT_ADDR"] = "https://127.0.0.1:" + std::to_string(tls.address().port);
    if (!variables.contains("VAULT_CACERT"))
      variables["VAULT_CACERT"] = file("ca.pem", authority.pem());
    auto read = read_environment(environment);
    ASSERT_TRUE(read.problems.empty()) << read.problems.front();
    settings = std::move(read.settings);
    settings.retry_wait = 1ms;
    ASSERT_GT(settings.max_retries, 0) << "else one connection shows nothing";
  }
  Result<Variables> resolve(Variables wanted) {
    Client one = client();
    Secrets secrets(one, log);
    return loop.run([&] { return secrets.resolve(std::move(wanted)); });
  }
  Authority authority;
};

// ---- login by certificate ----------------------------------------------------------------------

class VaultCertLoginTest : public VaultOverTlsTest, public ::testing::WithParamInterface<int> {
 protected:
  [[nodiscard]] TlsServerOptions demanding() const {
    TlsServerOptions options;
    options.identity = authority.issue(of_server());
    options.client_authority = authority.pem();
    options.max_version = GetParam();
    return options;
  }
  void log_in_with(const Certificate& certificate) {
    variables["VAULT_AUTH_METHOD"] = "cert";
    variables["VAULT_CLIENT_CERT"] = file("client.pem", certificate.certificate);
    variables["VAULT_CLIENT_KEY"] = file("client.key", certificate.key);
  }
  [[nodiscard]] Certificate client_certificate() const {
    CertificateOptions options;
    options.common_name = "executor of host 7";
    return authority.issue(options);
  }
  /// Knows one client by its certificate, and gives secrets for the token that it gave out.
  static std::string vault(const TlsRequest& request) {
    if (request.head.starts_with("POST /v1/auth/cert/login ")) {
      return request.client_name == "executor of host 7"
                 ? login_answer("s.cert", 87000)
                 : errors(400, "invalid certificate or no client certificate supplied");
    }
    if (request.head.find("X-Vault-Token: s.cert\r\n") == std::string::npos)
      return errors(403, "permission denied");
    if (request.head.starts_with("POST /v1/auth/token/renew-self "))
      return login_answer("s.cert", 87000);
    return request.head.starts_with("GET /v1/secret/a ") ? secret_answer("the secret")
                                                         : errors(404, "");
  }
};

TEST_P(VaultCertLoginTest, IsKnownAndReadsASecret) {
  TlsServer tls(loop.executor(), demanding(), vault);
  log_in_with(client_certificate());
  ASSERT_NO_FATAL_FAILURE(read_variables(tls));
  const auto got = resolve({"A=vault://secret/a"});
  tls.stop();
  ASSERT_OK(got);
  EXPECT_EQ(got->front(), "A=the secret");
  EXPECT_TRUE(was_logged("method=cert")) << logged();
}

TEST_P(VaultCertLoginTest, OfSomebodyElseIsSaidByVault) {
  TlsServer tls(loop.executor(), demanding(), vault);
  log_in_with(authority.issue({}));
  ASSERT_NO_FATAL_FAILURE(read_variables(tls));
  const auto got = resolve({"A=vault://secret/a"});
  tls.stop();
  EXPECT_ERROR(got, ErrorKind::refused, "log in by cert: POST https://127.0.0.1:");
  EXPECT_ERROR(got, ErrorKind::refused, "no client certificate supplied");
}

TEST_P(VaultCertLoginTest, OfAnUnknownAuthorityIsRefusedOnce) {
  TlsServer tls(loop.executor(), demanding(), vault);
  const Authority stranger("another authority");
  log_in_with(stranger.issue({}));
  ASSERT_NO_FATAL_FAILURE(read_variables(tls));
  const auto got = resolve({"A=vault://secret/a"});
  tls.stop();
  EXPECT_ERROR(got, ErrorKind::unreachable, "the server refuses the client certificate");
  EXPECT_EQ(tls.connections(), 1);
  EXPECT_EQ(tls.requests(), 0);
}

TEST_P(VaultCertLoginTest, WithoutOneTheMessageSaysWhatIsWanted) {
  TlsServer tls(loop.executor(), demanding(), vault);
  variables["VAULT_USERNAME"] = "exec";
  variables["VAULT_PASSWORD"] = "pass word/1";
  ASSERT_NO_FATAL_FAILURE(read_variables(tls));
  const auto got = resolve({"A=vault://secret/a"});
  tls.stop();
  EXPECT_ERROR(got, ErrorKind::unreachable, "the server wants a client certificate");
  EXPECT_EQ(tls.connections(), 1);
  EXPECT_EQ(tls.requests(), 0);
}

INSTANTIATE_TEST_SUITE_P(Each, VaultCertLoginTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

// ---- what is not tried again -------------------------------------------------------------------

class VaultTlsRetryTest : public VaultOverTlsTest {
 protected:
  void SetUp() override { variables["VAULT_TOKEN"] = "s.tok"; }
  /// One call; it must fail with `text` after a single connection.
  void refused_once(const CertificateOptions& options, const std::string& text, int version = 0) {
    TlsServerOptions serving;
    serving.identity = authority.issue(options);
    serving.max_version = version;
    TlsServer tls(loop.executor(), serving, R"({"data":{}})");
    ASSERT_NO_FATAL_FAILURE(read_variables(tls));
    const auto got = ask();
    tls.stop();
    EXPECT_ERROR(got, ErrorKind::unreachable, text);
    EXPECT_EQ(tls.connections(), 1) << text;
    EXPECT_EQ(tls.requests(), 0) << text;
  }
};

TEST_F(VaultTlsRetryTest, AnExpiredCertificate) {
  CertificateOptions expired = of_server();
  expired.valid_from = -7200;
  expired.valid_for = -3600;
  refused_once(expired, "certificate has expired");
}

TEST_F(VaultTlsRetryTest, ACertificateOfAnotherHost) {
  refused_once(of_server("DNS:other.example"), "IP address mismatch");
  variables["VAULT_TLS_SERVER_NAME"] = "vault.example";
  refused_once(of_server("DNS:other.example"), "hostname mismatch");
}

TEST_F(VaultTlsRetryTest, AnUnknownAuthority) {
  const Authority stranger("another authority");
  variables["VAULT_CACERT"] = file("stranger.pem", stranger.pem());
  refused_once(of_server(), "unable to get local issuer certificate");
}

TEST_F(VaultTlsRetryTest, AVersionThatIsTooOld) {
  refused_once(of_server(), "the server's TLS version is too old, 1.2 is required", TLS1_1_VERSION);
}

TEST_F(VaultTlsRetryTest, ABrokenHandshakeIsTriedAgain) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    peer.reset();
    co_return;
  });
  settings.url.address.tls = true;
  settings.max_retries = 2;
  EXPECT_FALSE(ask());
  EXPECT_EQ(server.connections(), 3);
}

}  // namespace
}  // namespace sidecar_executor::vault
