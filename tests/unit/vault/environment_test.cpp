#include "vault/environment.hpp"

#include <gtest/gtest.h>

#include <map>

namespace sidecar_executor::vault {
namespace {

using Variables = std::map<std::string, std::string>;
using namespace std::chrono_literals;

Environment read(const Variables& variables) {
  return read_environment([variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  });
}

TEST(VaultEnvironment, Defaults) {
  for (const auto& nothing : {Variables{}, Variables{{"VAULT_ADDR", ""}, {"VAULT_TTL", ""}}}) {
    const auto env = read(nothing);
    EXPECT_TRUE(env.problems.empty());
    EXPECT_TRUE(env.warnings.empty());
    EXPECT_EQ(env.settings.url.address.display(), "https://127.0.0.1:8200");
    EXPECT_EQ(env.settings.url.path, "");
    EXPECT_EQ(env.settings.timeout, 60s);
    EXPECT_EQ(env.settings.max_retries, 2);
    EXPECT_EQ(env.settings.ttl, 86400s);
    EXPECT_TRUE(env.settings.reuse_token_file);
    EXPECT_TRUE(env.settings.tls.verify);
    EXPECT_EQ(env.settings.method, Method::none);
  }
}

TEST(VaultEnvironment, Address) {
  EXPECT_EQ(read({{"VAULT_ADDR", "http://v:1/"}}).settings.url.address.display(), "http://v:1");
  const auto agent = read({{"VAULT_ADDR", "http://v:1"}, {"VAULT_AGENT_ADDR", "unix:///run/a"}});
  EXPECT_EQ(agent.settings.url.address.display(), "unix:///run/a");
  EXPECT_EQ(read({{"VAULT_ADDR", "https://v/base/"}}).settings.url.path, "/base");
}

TEST(VaultEnvironment, BadValuesAreNamed) {
  const std::pair<Variables, const char*> table[] = {
      {{{"VAULT_ADDR", "vault:8200"}}, "VAULT_ADDR=\"vault:8200\" is not a URL"},
      {{{"VAULT_AGENT_ADDR", "ftp://x"}}, "VAULT_AGENT_ADDR=\"ftp://x\" is not a URL"},
      {{{"VAULT_CLIENT_TIMEOUT", "soon"}}, "VAULT_CLIENT_TIMEOUT=\"soon\" is not a number of"},
      {{{"VAULT_CLIENT_TIMEOUT", "0"}}, "VAULT_CLIENT_TIMEOUT"},
      {{{"VAULT_TOKEN", "s.a\nX-Evil: 1"}}, "VAULT_TOKEN holds a character that no header"},
      {{{"VAULT_NAMESPACE", "team\n"}}, "VAULT_NAMESPACE holds a character that no header"},
      {{{"VAULT_MAX_RETRIES", "-1"}}, "VAULT_MAX_RETRIES=\"-1\" is not a whole number"},
      {{{"VAULT_MAX_RETRIES", "two"}}, "VAULT_MAX_RETRIES=\"two\" is not a whole number"},
      {{{"VAULT_SKIP_VERIFY", "maybe"}}, "VAULT_SKIP_VERIFY=\"maybe\" is not true or false"},
      {{{"VAULT_CLIENT_KEY", "/k"}}, "VAULT_CLIENT_KEY is set without VAULT_CLIENT_CERT"},
      {{{"VAULT_PROXY_ADDR", "socks5://x:1"}}, "VAULT_PROXY_ADDR: its scheme socks5"},
      {{{"VAULT_HTTP_PROXY", "http://u:s3cr3t@:x"}}, "VAULT_HTTP_PROXY: it is not a proxy"},
      {{{"VAULT_AUTH_METHOD", "ldap"}}, "VAULT_AUTH_METHOD=\"ldap\" is not userpass"},
      {{{"VAULT_USERNAME", "me"}}, "VAULT_PASSWORD is not set"},
      {{{"VAULT_AUTH_METHOD", "approle"}}, "VAULT_ROLE_ID is not set"},
      {{{"VAULT_AUTH_METHOD", "cert"}}, "VAULT_CLIENT_CERT is not set"},
  };
  for (const auto& [variables, text] : table) {
    const auto env = read(variables);
    ASSERT_EQ(env.problems.size(), 1u) << text;
    EXPECT_NE(env.problems[0].find(text), std::string::npos) << env.problems[0];
    EXPECT_EQ(env.problems[0].find("s3cr3t"), std::string::npos) << env.problems[0];
  }
}

TEST(VaultEnvironment, RetriesAndNamespace) {
  EXPECT_EQ(read({{"VAULT_MAX_RETRIES", "0"}}).settings.max_retries, 0);
  EXPECT_EQ(read({{"VAULT_MAX_RETRIES", "7"}}).settings.max_retries, 7);
  EXPECT_EQ(read({{"VAULT_MAX_RETRIES", "99999999999"}}).settings.max_retries, 20);
  EXPECT_EQ(read({{"VAULT_NAMESPACE", "//team/a/"}}).settings.name_space, "team/a/");
  EXPECT_EQ(read({{"VAULT_NAMESPACE", "/"}}).settings.name_space, "");
}

TEST(VaultEnvironment, ClientTimeout) {
  EXPECT_EQ(*parse_client_timeout("60"), 60s);
  EXPECT_EQ(*parse_client_timeout("1m30s"), 90s);
  EXPECT_EQ(*parse_client_timeout("500ms"), 500ms);
  for (const char* bad : {"", "-1s", "0s", "x", "1 s", "99999999999999"}) {
    EXPECT_FALSE(parse_client_timeout(bad)) << bad;
  }
}

TEST(VaultEnvironment, TtlThatCannotBeUsedIsAWarning) {
  for (const char* bad : {"soon", "3599", "0", "-5", "24h"}) {
    const auto env = read({{"VAULT_TTL", bad}});
    ASSERT_EQ(env.warnings.size(), 1u) << bad;
    EXPECT_NE(env.warnings[0].find(std::string("VAULT_TTL=\"") + bad), std::string::npos);
    EXPECT_TRUE(env.problems.empty());
    EXPECT_FALSE(env.settings.reuse_token_file);
  }
  EXPECT_EQ(read({{"VAULT_TTL", "1800"}}).settings.ttl, 1800s);
  EXPECT_EQ(read({{"VAULT_TTL", "soon"}}).settings.ttl, 86400s);
  const auto good = read({{"VAULT_TTL", "7200"}});
  EXPECT_EQ(good.settings.ttl, 7200s);
  EXPECT_TRUE(good.settings.reuse_token_file);
  EXPECT_TRUE(good.warnings.empty());
}

TEST(VaultEnvironment, SkipVerifyIsLoud) {
  const auto env = read({{"VAULT_SKIP_VERIFY", "1"}});
  EXPECT_FALSE(env.settings.tls.verify);
  ASSERT_EQ(env.warnings.size(), 1u);
  EXPECT_NE(env.warnings[0].find("not verified"), std::string::npos);
  EXPECT_TRUE(read({{"VAULT_SKIP_VERIFY", "false"}}).warnings.empty());
}

TEST(VaultEnvironment, Methods) {
  const auto user = read({{"VAULT_USERNAME", "u"}, {"VAULT_PASSWORD", "p"}}).settings;
  EXPECT_EQ(user.method, Method::userpass);
  EXPECT_EQ(user.mount, "userpass");
  const auto role =
      read(
          {{"VAULT_ROLE_ID", "r"}, {"VAULT_SECRET_ID", "s"}, {"VAULT_AUTH_MOUNT", "team/approle/"}})
          .settings;
  EXPECT_EQ(role.method, Method::approle);
  EXPECT_EQ(role.mount, "team/approle");
  EXPECT_EQ(role.secret_id.text(), "s");
  const auto cert =
      read({{"VAULT_AUTH_METHOD", "cert"}, {"VAULT_CLIENT_CERT", "/c"}, {"VAULT_USERNAME", "u"}})
          .settings;
  EXPECT_EQ(cert.method, Method::cert);
  EXPECT_EQ(read({{"HOME", "/home/x"}}).settings.home_token_file, "/home/x/.vault-token");
}

/// A shared environment file may hold half of what a login needs.
TEST(VaultEnvironment, WithATokenNobodyHasToLogIn) {
  for (const auto& half :
       {Variables{{"VAULT_USERNAME", "me"}}, Variables{{"VAULT_AUTH_METHOD", "ldap"}},
        Variables{{"VAULT_AUTH_METHOD", "cert"}}}) {
    EXPECT_FALSE(read(half).problems.empty());
    auto with_token = half;
    with_token["VAULT_TOKEN"] = "s.token\r\n";
    const auto env = read(with_token);
    EXPECT_TRUE(env.problems.empty()) << env.problems[0];
    ASSERT_EQ(env.warnings.size(), 1U);
    EXPECT_NE(env.warnings[0].find("; VAULT_TOKEN is used"), std::string::npos) << env.warnings[0];
    EXPECT_EQ(env.settings.method, Method::none);
    EXPECT_EQ(env.settings.token.text(), "s.token");
  }
}

TEST(VaultEnvironment, VaultProxyAddrGoesFirst) {
  const auto env = read({{"VAULT_HTTP_PROXY", "http://a:1"}, {"VAULT_PROXY_ADDR", "b:2"}});
  ASSERT_TRUE(env.settings.proxy);
  EXPECT_EQ(env.settings.proxy->address.authority(), "b:2");
}

}  // namespace
}  // namespace sidecar_executor::vault
