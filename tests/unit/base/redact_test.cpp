#include "base/redact.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor {
namespace {

TEST(Redact, NamesThatSaySecret) {
  for (const std::string_view name :
       {"DB_PASSWORD", "db_passwd", "My_Secret_Key", "VAULT_TOKEN", "AWS_ACCESS_KEY_ID", "api_key",
        "PRIVATE_KEY", "GOOGLE_CREDENTIALS", "MESOS_EXECUTOR_AUTHENTICATION_TOKEN",
        "VAULT_USERNAME", "DOCKER_AUTH_CONFIG"}) {
    EXPECT_TRUE(is_secret_name(name)) << name;
    EXPECT_EQ(redact_value(name, "hunter2"), "[REDACTED]");
  }
  for (const std::string_view name : {"PATH", "KEY", "PASS", "VAULT_ADDR", ""}) {
    EXPECT_FALSE(is_secret_name(name)) << name;
    EXPECT_EQ(redact_value(name, "value"), "value");
  }
}

TEST(Redact, UserInfoInUrls) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"http://localhost:7777/state.json", "http://localhost:7777/state.json"},
      {"https://user:pw@host/path", "https://user:***@host/path"},
      {"redis://:pw@host:6379/0", "redis://:***@host:6379/0"},
      {"https://ghp_token@github.com/x", "https://***@github.com/x"},
      {"jdbc:mysql://u:p@db/x", "jdbc:mysql://u:***@db/x"},
      {"postgres://u:p/w@host/db", "postgres://u:***@host/db"},
      {"postgres://u:p@ss@host/db", "postgres://u:***@host/db"},
      {"postgres://u:p#1?x@host/db", "postgres://u:***@host/db"},
      {"see a://u:p1@h and b://v:p2@i", "see a://u:***@h and b://v:***@i"},
      {"amqp://u:p1@h1,amqp://v:p2@h2", "amqp://u:***@h2"},
      {"postgres://app:two words@db/x", "postgres://app:***@db/x"},
      {"http://h:80 and b://u:p@i", "http://h:80 and b://u:***@i"},
      {"https://user:two words@x@host", "https://user:***@host"},
      {"https://user:p@ss word@host", "https://user:***@host"},
      {"https://user:12 words@host", "https://user:***@host"},
      {"http://[::1]:80/x of a@b", "http://[::1]:80/x of a@b"},
      {"https://registry.npmjs.org/@scope/pkg", "https://registry.npmjs.org/@scope/pkg"},
      {"mail@example.com", "mail@example.com"},
      {"a://", "a://"},
      {"://@", "://***@"},
      {"", ""},
  };
  for (const auto& [value, shown] : cases) EXPECT_EQ(redact_value("X", value), shown) << value;
}

TEST(Redact, ALineOfOutput) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"all is well", "all is well"},
      {"a=1 b=2 ", "a=1 b=2 "},
      {"my_token=x y z", "my_token=[REDACTED]"},
      {"x\tAPI_KEY=", "x\tAPI_KEY=[REDACTED]"},
      {"https://user:two API_KEY=words@host/x", "https://user:***@host/x"},
      {"at http://u:p@h/ SECRET=1", "at http://u:***@h/ SECRET=[REDACTED]"},
      {"", ""},
  };
  for (const auto& [line, shown] : cases) EXPECT_EQ(redact_line(line), shown) << line;
}

TEST(Redact, AProxyWithoutScheme) {
  for (const char* name : {"HTTPS_PROXY", "http_proxy", "VAULT_HTTP_PROXY", "VAULT_PROXY_ADDR"}) {
    EXPECT_EQ(redact_value(name, "svc:S3cret@proxy:3128"), "svc:***@proxy:3128") << name;
    EXPECT_EQ(redact_value(name, "http://svc:S3@proxy"), "http://svc:***@proxy") << name;
    EXPECT_EQ(redact_value(name, "proxy:3128"), "proxy:3128") << name;
  }
  EXPECT_EQ(redact_value("NO_PROXY", "localhost,10.0.0.0/8"), "localhost,10.0.0.0/8");
  EXPECT_EQ(redact_value("PROXY_PORT", "a:b@c"), "a:b@c");
}

TEST(Redact, Assignments) {
  EXPECT_EQ(redact_assignment("A_TOKEN=abc"), "A_TOKEN=[REDACTED]");
  EXPECT_EQ(redact_assignment("A_TOKEN="), "A_TOKEN=[REDACTED]");
  EXPECT_EQ(redact_assignment("A=b=c"), "A=b=c");
  EXPECT_EQ(redact_assignment("A_TOKEN"), "A_TOKEN");
}

}  // namespace
}  // namespace sidecar_executor
