// DOCKER_HOST and its kin, as Docker's CLI reads them.

#include <fstream>
#include <map>

#include "base/encoding.hpp"
#include "component/docker/engine_test.hpp"
#include "docker/engine_answers.hpp"
#include "support/tls_server.hpp"

namespace sidecar_executor::docker {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

Result<EngineAddress> address_of(const Variables& variables) {
  return engine_address([&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

TEST(EngineAddress, Forms) {
  const std::pair<std::string, std::string> cases[] = {
      {"unix:///run/podman/podman.sock", "unix:///run/podman/podman.sock"},
      {"", "unix:///var/run/docker.sock"},
      {"tcp://127.0.0.1:2375", "http://127.0.0.1:2375"},
      {"tcp://127.0.0.1:2375/", "http://127.0.0.1:2375"},
      {"http://docker.local:80", "http://docker.local:80"},
      {"127.0.0.1:2375", "http://127.0.0.1:2375"},
      {"[::1]:2375", "http://[::1]:2375"},
      {"tcp://[::1]:2375", "http://[::1]:2375"},
  };
  for (const auto& [host, display] : cases) {
    const auto where = address_of({{"DOCKER_HOST", host}});
    ASSERT_TRUE(where.has_value()) << host << ": " << where.error().message;
    EXPECT_EQ(where->address.display(), display) << host;
    EXPECT_EQ(where->api_version, "");
  }
  const auto unset = address_of({});
  ASSERT_TRUE(unset.has_value());
  EXPECT_EQ(unset->address.display(), "unix:///var/run/docker.sock");
}

/// As `docker --tlsverify`: both sides show a certificate.
TEST(EngineAddress, TlsWithTheFilesOfTheFolder) {
  test::Loop loop;
  const test::TempDir folder;
  const test::Authority authority;
  const auto own = authority.issue({.common_name = "executor"});
  std::ofstream(folder / "ca.pem") << authority.pem();
  std::ofstream(folder / "cert.pem") << own.certificate;
  std::ofstream(folder / "key.pem") << own.key;
  test::TlsServerOptions options;
  options.identity = authority.issue({.alternative_names = "IP:127.0.0.1"});
  options.client_authority = authority.pem();
  std::string client;
  test::TlsServer daemon(loop.executor(), options, [&client](const test::TlsRequest& request) {
    client = request.client_name;
    return answer(200, "OK", "Api-Version: 1.41\r\n");
  });
  const auto where = address_of({{"DOCKER_HOST", "tcp://" + daemon.address().authority()},
                                 {"DOCKER_TLS_VERIFY", "1"},
                                 {"DOCKER_CERT_PATH", folder.path().string()}});
  ASSERT_TRUE(where.has_value()) << where.error().message;
  EXPECT_EQ(where->address.display(), "https://" + daemon.address().authority());
  Engine engine(loop.executor(), *where);
  const auto agreed = loop.run([&engine] { return engine.negotiate(); });
  ASSERT_TRUE(agreed) << agreed.error().message;
  EXPECT_EQ(client, "executor");
  engine.close();
  daemon.stop();
  EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
}

TEST(EngineAddress, BadOnesNameTheVariable) {
  for (const std::string host :
       {"ssh://user@host", "npipe:////./pipe/docker_engine", "fd://", "unix://", "tcp://",
        "tcp://host", "tcp://host:0", "tcp://host:65536", "tcp://:2375", "://", "nonsense",
        "tcp://::1:2375"}) {
    const auto where = address_of({{"DOCKER_HOST", host}});
    ASSERT_FALSE(where.has_value()) << host << " -> " << where->address.display();
    EXPECT_EQ(where.error().kind, ErrorKind::invalid);
    EXPECT_NE(where.error().message.find("DOCKER_HOST=\"" + host + "\""), std::string::npos)
        << where.error().message;
  }
  const auto ssh = address_of({{"DOCKER_HOST", "ssh://user@host"}});
  EXPECT_NE(ssh.error().message.find("not supported"), std::string::npos);
}

TEST(EngineAddress, ApiVersion) {
  const std::pair<std::string, std::string> good[] = {
      {"1.44", "1.44"}, {"v1.44", "1.44"}, {"1.100", "1.100"}, {"", ""}};
  for (const auto& [text, version] : good) {
    const auto where = address_of({{"DOCKER_API_VERSION", text}});
    ASSERT_TRUE(where.has_value()) << text;
    EXPECT_EQ(where->api_version, version);
  }
  for (const std::string text :
       {"latest", "v", "1", "1.", ".41", "1.41.2", "1.41/../x", "1.41 ", "-1.41", "1.4\r\nX: y"}) {
    const auto where = address_of({{"DOCKER_API_VERSION", text}});
    ASSERT_FALSE(where.has_value()) << text;
    EXPECT_EQ(where.error().kind, ErrorKind::invalid);
    EXPECT_NE(where.error().message.find("DOCKER_API_VERSION="), std::string::npos);
    EXPECT_EQ(where.error().message.find('\n'), std::string::npos);
  }
}

TEST(EngineAddress, TlsWithoutUsableFilesNamesTheVariable) {
  test::TempDir dir;
  std::ofstream(dir / "ca.pem") << "this is no certificate\n";
  const auto where = address_of({{"DOCKER_HOST", "tcp://host:2376"},
                                 {"DOCKER_TLS_VERIFY", "1"},
                                 {"DOCKER_CERT_PATH", dir.path().string()}});
  ASSERT_FALSE(where.has_value());
  EXPECT_NE(where.error().message.find("DOCKER_CERT_PATH"), std::string::npos)
      << where.error().message;
  EXPECT_NE(where.error().message.find("ca.pem"), std::string::npos) << where.error().message;
}

TEST(PercentEncode, KeepsUnreservedOnly) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b/c:d&e=f%"), "a%20b%2Fc%3Ad%26e%3Df%25");
  EXPECT_EQ(percent_encode(std::string_view("\xff\0\n", 3)), "%FF%00%0A");
}

TEST(ErrorMessage, DockersTextElseTheBody) {
  net::HttpResponse response;
  response.status = 500;
  response.body = R"({"message":"line one\nline two"})";
  EXPECT_EQ(error_message(response), "line one line two");
  response.body = R"({"message":7})";
  EXPECT_EQ(error_message(response), R"(HTTP 500 {"message":7})");
  response.body = "";
  EXPECT_EQ(error_message(response), "HTTP 500");
  response.body = std::string(5000, 'x');
  EXPECT_LT(error_message(response).size(), 400u);
}

}  // namespace
}  // namespace sidecar_executor::docker
