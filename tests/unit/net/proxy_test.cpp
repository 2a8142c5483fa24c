#include "net/proxy.hpp"

#include <gtest/gtest.h>

#include <map>

namespace sidecar_executor::net {
namespace {

Address server(const std::string& host, std::uint16_t port = 8200, bool tls = true) {
  Address address;
  address.host = host;
  address.port = port;
  address.tls = tls;
  return address;
}

TEST(Proxy, Forms) {
  EXPECT_EQ(parse_proxy("http://proxy:3128")->address.authority(), "proxy:3128");
  EXPECT_EQ(parse_proxy(" http://proxy/ ")->address.authority(), "proxy:80");
  EXPECT_EQ(parse_proxy("proxy:3128")->address.authority(), "proxy:3128");
  EXPECT_EQ(parse_proxy("http://[::1]:3128")->address.authority(), "[::1]:3128");
  const auto user = parse_proxy("http://me:p%40ss@proxy:1");
  EXPECT_EQ(user->authorization, "Basic bWU6cEBzcw==");
  EXPECT_EQ(user->address.authority(), "proxy:1");
}

TEST(Proxy, BadOnesDoNotShowThePassword) {
  for (const char* bad : {"https://me:s3cr3t@proxy:1", "http://me:s3cr3t@", "http://me:s3cr3t@p:x",
                          "me:s3cr3t@http://proxy:1", "s3cr3t@http://proxy:1"}) {
    const auto proxy = parse_proxy(bad);
    ASSERT_FALSE(proxy) << bad;
    EXPECT_EQ(proxy.error().message.find("s3cr3t"), std::string::npos) << proxy.error().message;
  }
}

TEST(Proxy, Exceptions) {
  struct Row {
    const char* list;
    const char* host;
    bool excepted;
  };
  const Row table[] = {
      {"", "vault.example.com", false},
      {"*", "vault.example.com", true},
      {"example.com", "vault.example.com", true},
      {"example.com", "example.com", true},
      {".example.com", "vault.example.com", true},
      {".example.com", "example.com", false},
      {"*.example.com", "vault.example.com", true},
      {"other.com, EXAMPLE.com", "Vault.Example.Com", true},
      {"ample.com", "example.com", false},
      {"vault:8200", "vault", true},
      {"vault:8201", "vault", false},
      {"10.0.0.0/8", "10.1.2.3", true},
      {"10.0.0.0/8", "11.1.2.3", false},
      {"10.1.2.3", "10.1.2.3", true},
      {"fd00::/8", "fd00::1", true},
      {"fd00::/8", "10.1.2.3", false},
      {"10.0.0.0/8", "ten.example.com", false},
      {"nonsense/99", "10.1.2.3", false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(is_excepted(row.list, server(row.host)), row.excepted) << row.list << " " << row.host;
  }
}

TEST(Proxy, FromTheEnvironment) {
  const std::map<std::string, std::string> variables{
      {"HTTPS_PROXY", "http://upper:1"},
      {"https_proxy", "http://not-asked:1"},  // as in Go
      {"http_proxy", "lower:2"},
      {"no_proxy", "direct"}};
  const Lookup lookup = [&](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };
  const auto of = [&](const Address& to) {
    const auto proxy = proxy_from_environment(lookup, to);
    return *proxy ? (*proxy)->address.authority() : std::string("none");
  };
  EXPECT_EQ(of(server("vault")), "upper:1");
  EXPECT_EQ(of(server("vault", 80, false)), "lower:2");
  EXPECT_EQ(of(server("direct")), "none");
  EXPECT_EQ(of(server("localhost")), "none");
  EXPECT_EQ(of(server("127.0.0.1")), "none");
  EXPECT_EQ(of(server("::1")), "none");
  const auto bad = proxy_from_environment(
      [](std::string_view) { return std::optional<std::string>("https://p:1"); }, server("vault"));
  ASSERT_FALSE(bad);
  EXPECT_TRUE(bad.error().message.starts_with("HTTPS_PROXY:")) << bad.error().message;
}

}  // namespace
}  // namespace sidecar_executor::net
