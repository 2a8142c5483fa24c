// https: which servers are believed, and that the message says why one is not.
#include "net/tls.hpp"

#include <openssl/ssl.h>

#include <fstream>

#include "component/net/http_test.hpp"
#include "mesos/agent_session.hpp"
#include "support/tls_server.hpp"

namespace sidecar_executor::net {
namespace {

using test::Authority;
using test::Certificate;
using test::CertificateOptions;
using test::TlsServer;
using test::TlsServerOptions;

class TlsTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(loop.runs_out()) << "something is left on the loop"; }

  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    const std::string path = dir / name;
    std::ofstream(path) << text;
    return path;
  }

  static CertificateOptions names(const std::string& alternative) {
    CertificateOptions options;
    options.alternative_names = alternative;
    return options;
  }

  [[nodiscard]] TlsServerOptions serving(const CertificateOptions& options) const {
    TlsServerOptions server;
    server.identity = authority.issue(options);
    return server;
  }

  [[nodiscard]] TlsSettings trusting() const {
    TlsSettings settings;
    settings.ca_pem = authority.pem();
    return settings;
  }

  /// One request to `server`, as `host` when it is given.
  Result<HttpResponse> get(TlsServer& server, const TlsSettings& settings,
                           const std::string& host = {}) {
    auto context = TlsContext::make(settings);
    if (!context) return context.error();
    Address address = server.address();
    if (!host.empty()) address.host = host;
    address.tls = true;
    address.tls_context = *context;
    HttpConnection connection(loop.executor(), address);
    auto answer = loop.run([&] { return connection.exchange({}, patient); });
    connection.close();
    server.stop();
    return answer;
  }

  Result<HttpResponse> get(const TlsServerOptions& options, const TlsSettings& settings,
                           const std::string& host = {}) {
    TlsServer server(loop.executor(), options, "hello");
    return get(server, settings, host);
  }

  TempDir dir;
  Loop loop;
  Authority authority;
};

TEST_F(TlsTest, KnownAuthorityByText) {
  const auto answer = get(serving(names("IP:127.0.0.1")), trusting());
  ASSERT_OK(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "hello");
}

TEST_F(TlsTest, KnownAuthorityByFile) {
  TlsSettings settings;
  settings.ca_file = file("ca.pem", authority.pem());
  ASSERT_OK(get(serving(names("IP:127.0.0.1")), settings));
}

TEST_F(TlsTest, NameInTheCertificate) {
  ASSERT_OK(get(serving(names("DNS:localhost")), trusting(), "localhost"));
}

TEST_F(TlsTest, ServerNameOfTheSettingsGoesBeforeTheAddress) {
  TlsSettings settings = trusting();
  settings.server_name = "agent.example";
  ASSERT_OK(get(serving(names("DNS:agent.example")), settings));
  EXPECT_ERROR(get(serving(names("DNS:localhost")), settings, "localhost"), ErrorKind::unreachable,
               "certificate refused: hostname mismatch");
}

TEST_F(TlsTest, UnknownAuthority) {
  const Authority other("another authority");
  TlsSettings settings;
  settings.ca_pem = other.pem();
  EXPECT_ERROR(get(serving(names("IP:127.0.0.1")), settings), ErrorKind::unreachable,
               "certificate refused: unable to get local issuer certificate");
}

TEST_F(TlsTest, SystemAuthoritiesDoNotKnowIt) {
  EXPECT_ERROR(get(serving(names("IP:127.0.0.1")), {}), ErrorKind::unreachable,
               "certificate refused");
}

TEST_F(TlsTest, Expired) {
  CertificateOptions old = names("IP:127.0.0.1");
  old.valid_from = -7200;
  old.valid_for = -3600;
  EXPECT_ERROR(get(serving(old), trusting()), ErrorKind::unreachable,
               "certificate refused: certificate has expired");
}

TEST_F(TlsTest, NotYetValid) {
  CertificateOptions future = names("IP:127.0.0.1");
  future.valid_from = 3600;
  future.valid_for = 7200;
  EXPECT_ERROR(get(serving(future), trusting()), ErrorKind::unreachable,
               "certificate refused: certificate is not yet valid");
}

TEST_F(TlsTest, WrongAddress) {
  EXPECT_ERROR(get(serving(names("IP:127.0.0.2")), trusting()), ErrorKind::unreachable,
               "certificate refused: IP address mismatch");
}

TEST_F(TlsTest, AnAddressIsNoName) {
  // A DNS entry that looks like an address does not stand for one.
  EXPECT_ERROR(get(serving(names("DNS:127.0.0.1")), trusting()), ErrorKind::unreachable,
               "certificate refused: IP address mismatch");
}

TEST_F(TlsTest, WrongName) {
  EXPECT_ERROR(get(serving(names("DNS:other.example")), trusting(), "localhost"),
               ErrorKind::unreachable, "certificate refused: hostname mismatch");
}

TEST_F(TlsTest, WithoutVerificationAnyCertificateDoes) {
  CertificateOptions old = names("DNS:other.example");
  old.valid_from = -7200;
  old.valid_for = -3600;
  TlsSettings settings;
  settings.verify = false;
  ASSERT_OK(get(serving(old), settings));
}

class OldTlsTest : public TlsTest, public ::testing::WithParamInterface<int> {};

TEST_P(OldTlsTest, IsRefused) {
  const std::string too_old = "the server's TLS version is too old, 1.2 is required";
  TlsServerOptions options = serving(names("IP:127.0.0.1"));
  options.max_version = GetParam();
  EXPECT_ERROR(get(options, trusting()), ErrorKind::unreachable, too_old);
  TlsSettings unverified;
  unverified.verify = false;
  EXPECT_ERROR(get(options, unverified), ErrorKind::unreachable, too_old);
}

INSTANTIATE_TEST_SUITE_P(Each, OldTlsTest, ::testing::Values(TLS1_VERSION, TLS1_1_VERSION));

TEST_F(TlsTest, Tls12IsTaken) {
  TlsServerOptions options = serving(names("IP:127.0.0.1"));
  options.max_version = TLS1_2_VERSION;
  ASSERT_OK(get(options, trusting()));
}

class ClientCertificateTest : public TlsTest, public ::testing::WithParamInterface<int> {
 protected:
  [[nodiscard]] TlsServerOptions demanding() const {
    TlsServerOptions options = serving(names("IP:127.0.0.1"));
    options.client_authority = authority.pem();
    options.max_version = GetParam();
    return options;
  }
  [[nodiscard]] TlsSettings with(const Certificate& client) const {
    TlsSettings settings = trusting();
    settings.certificate_file = file("client.pem", client.certificate);
    settings.key_file = file("client.key", client.key);
    return settings;
  }
};

TEST_P(ClientCertificateTest, MissingIsSaid) {
  EXPECT_ERROR(get(demanding(), trusting()), ErrorKind::unreachable, "wants a client certificate");
}

/// Mesos' default: the server's certificate, of nobody's authority here, is not what is wrong.
TEST_P(ClientCertificateTest, MissingIsSaidWithoutVerification) {
  TlsSettings settings;
  settings.verify = false;
  EXPECT_ERROR(get(demanding(), settings), ErrorKind::unreachable, "wants a client certificate");
}

TEST_P(ClientCertificateTest, GoodIsTaken) {
  ASSERT_OK(get(demanding(), with(authority.issue({}))));
}

TEST_P(ClientCertificateTest, OfAnotherAuthorityIsSaid) {
  const Authority other("another authority");
  EXPECT_ERROR(get(demanding(), with(other.issue({}))), ErrorKind::unreachable,
               "refuses the client certificate");
}

INSTANTIATE_TEST_SUITE_P(Each, ClientCertificateTest,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_F(TlsTest, PlainHttpServerIsSaid) {
  test::ScriptedServer plain(loop.executor());
  plain.serve([](const SeenRequest&) { return answer(200); });
  plain.next([](Peer& peer) -> asio::awaitable<void> { co_await peer.send(answer(400)); });
  auto context = TlsContext::make(trusting());
  ASSERT_OK(context);
  Address address = plain.address();
  address.tls = true;
  address.tls_context = *context;
  HttpConnection connection(loop.executor(), address);
  const auto got = loop.run([&] { return connection.exchange({}, patient); });
  plain.stop();
  EXPECT_ERROR(got, ErrorKind::unreachable, "TLS handshake failed");
  EXPECT_ERROR(got, ErrorKind::unreachable, address.display());
}

// ---- files -------------------------------------------------------------------------------------

TEST_F(TlsTest, BadFilesAreNamed) {
  TlsSettings settings;
  settings.ca_file = dir / "nothing.pem";
  EXPECT_ERROR(TlsContext::make(settings), ErrorKind::invalid, "CA file " + settings.ca_file);
  settings.ca_file = file("garbage.pem", "garbage");
  EXPECT_ERROR(TlsContext::make(settings), ErrorKind::invalid, "CA file " + settings.ca_file);
  settings = {};
  settings.ca_pem = "garbage";
  EXPECT_ERROR(TlsContext::make(settings), ErrorKind::invalid, "no PEM certificate");
  settings = trusting();
  settings.certificate_file = dir / "nothing.pem";
  EXPECT_ERROR(TlsContext::make(settings), ErrorKind::invalid,
               "certificate file " + settings.certificate_file);
  const Certificate one = authority.issue({});
  settings.certificate_file = file("one.pem", one.certificate);
  settings.key_file = dir / "nothing.key";
  EXPECT_ERROR(TlsContext::make(settings), ErrorKind::invalid, "key file " + settings.key_file);
  settings.key_file = file("two.key", authority.issue({}).key);
  EXPECT_ERROR(TlsContext::make(settings), ErrorKind::invalid, settings.key_file);
}

TEST_F(TlsTest, KeyMayBeInTheCertificateFile) {
  const Certificate one = authority.issue({});
  TlsSettings settings = trusting();
  settings.certificate_file = file("both.pem", one.certificate + one.key);
  ASSERT_OK(TlsContext::make(settings));
}

}  // namespace
}  // namespace sidecar_executor::net
