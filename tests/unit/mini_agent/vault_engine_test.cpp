// What the stand-in Vault answers, and when its tokens and leases end.
#include "vault_engine.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace mini_agent {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

const char* const kContent = R"({
  "tokens": {"fixed": {"id": "s.fixed"}, "short": {"id": "s.short", "ttl": 10, "renewable": false}},
  "userpass": {"userpass": {"exec": {"password": "pw", "ttl": 100, "max_ttl": 150}}},
  "approle": {"team/approle": {"role-id-1": {"secret_id": "sid", "ttl": 60}}},
  "aws": {"aws": {"app": {"ttl": 30, "max_ttl": 50, "security_token": true},
                  "once": {"ttl": 30, "renewable": false}}},
  "kv1": {"secret": {"prod-db": {"value": "v1", "num": 5}, "a b/c": {"value": "spaced"}}},
  "kv2": {"kv": {"app": [{"value": "one"}, null, {"value": "three"}], "gone": [{"x": "y"}, null]}}
})";

class Vault : public ::testing::Test {
 protected:
  struct Answer {
    unsigned status;
    json::value body;
    json::object details;
  };

  Answer ask(const std::string& method, const std::string& target, const std::string& token = {},
             const std::string& body = {}) {
    CallRequest call;
    call.method = method;
    call.target = "/v1/" + target;
    call.body = body;
    if (!token.empty()) call.headers["x-vault-token"] = token;
    auto reply = engine_.answer(vault_request(call).value());
    return {reply.answer.status,
            reply.answer.body.empty() ? json::value() : json::parse(reply.answer.body),
            reply.details};
  }

  std::string log_in() {
    const auto answer = ask("POST", "auth/userpass/login/exec", "", R"({"password":"pw"})");
    EXPECT_EQ(answer.status, 200u);
    return std::string(answer.body.at("auth").at("client_token").as_string());
  }

  static std::string error_of(const Answer& answer) {
    const auto& errors = answer.body.at("errors").as_array();
    return errors.empty() ? "" : std::string(errors.front().as_string());
  }

  VaultTime now_ = VaultTime(1h);
  std::vector<std::string> issued_;
  VaultEngine engine_{parse_vault_content(kContent), [this] { return now_; },
                      [this](const std::string& secret) { issued_.push_back(secret); }};
};

TEST_F(Vault, LogsInWithPasswordAndAppRole) {
  EXPECT_EQ(error_of(ask("POST", "auth/userpass/login/exec", "", R"({"password":"no"})")),
            "invalid username or password");
  EXPECT_EQ(ask("POST", "auth/userpass/login/nobody", "", R"({"password":"pw"})").status, 400u);
  EXPECT_EQ(ask("GET", "auth/userpass/login/exec").status, 405u);
  EXPECT_EQ(ask("POST", "auth/userpass/login/exec", "", "{").status, 400u);
  const auto answer = ask("PUT", "auth/userpass/login/exec", "", R"({"password":"pw"})");
  EXPECT_EQ(answer.body.at("auth").at("lease_duration").as_int64(), 100);
  EXPECT_EQ(answer.details.at("token").as_string(), "userpass-exec-1");
  const auto role =
      ask("POST", "auth/team/approle/login", "", R"({"role_id":"role-id-1","secret_id":"sid"})");
  EXPECT_EQ(role.status, 200u);
  EXPECT_EQ(
      ask("POST", "auth/approle/login", "", R"({"role_id":"role-id-1","secret_id":"sid"})").status,
      403u)
      << "another mount";
  EXPECT_EQ(ask("POST", "auth/team/approle/login", "", R"({"role_id":"role-id-1"})").status, 400u);
  EXPECT_EQ(issued_.size(), 2u);
  EXPECT_EQ(issued_[1], role.body.at("auth").at("client_token").as_string());
}

TEST_F(Vault, WithoutAValidTokenNothingIsAnswered) {
  for (const char* token : {"", "s.wrong"}) {
    const auto answer = ask("GET", "secret/prod-db", token);
    EXPECT_EQ(answer.status, 403u);
    EXPECT_EQ(error_of(answer), "permission denied");
  }
  EXPECT_EQ(ask("GET", "secret/prod-db", "s.fixed").status, 200u);
}

TEST_F(Vault, TokensAreLookedUpRenewedRevokedAndEnd) {
  const std::string token = log_in();
  EXPECT_EQ(ask("GET", "auth/token/lookup-self", token).body.at("data").at("ttl").as_int64(), 100);
  now_ += 90s;
  EXPECT_EQ(ask("GET", "auth/token/lookup-self", token).body.at("data").at("ttl").as_int64(), 10);
  auto renewed = ask("POST", "auth/token/renew-self", token, R"({"increment":20})");
  EXPECT_EQ(renewed.body.at("auth").at("lease_duration").as_int64(), 20);
  renewed = ask("POST", "auth/token/renew-self", token, R"({"increment":"600"})");
  EXPECT_EQ(renewed.body.at("auth").at("lease_duration").as_int64(), 60) << "the maximum is 150";
  EXPECT_EQ(renewed.details.at("granted").as_int64(), 60);
  now_ += 60s;
  EXPECT_EQ(ask("GET", "auth/token/lookup-self", token).status, 403u);

  const std::string other = log_in();
  EXPECT_EQ(ask("POST", "auth/token/revoke-self", other).status, 204u);
  EXPECT_EQ(ask("GET", "auth/token/lookup-self", other).status, 403u);
  const auto end = engine_.summary();
  EXPECT_EQ(json::serialize(end.at("tokens")), R"(["fixed"])");
  EXPECT_EQ(json::serialize(end.at("revoked")), R"(["userpass-exec-2"])");
  EXPECT_EQ(json::serialize(end.at("expired")), R"(["short","userpass-exec-1"])");
  EXPECT_EQ(end.at("logins").as_int64(), 2);
}

TEST_F(Vault, SomeTokensCannotBeRenewed) {
  EXPECT_EQ(error_of(ask("POST", "auth/token/renew-self", "s.short")), "lease is not renewable");
  EXPECT_EQ(ask("POST", "auth/token/renew-self", "s.fixed").status, 400u);
  now_ += 10s;
  EXPECT_EQ(ask("GET", "secret/prod-db", "s.short").status, 403u);
}

TEST_F(Vault, ReadsKeyValueVersionOne) {
  const auto answer = ask("GET", "secret/prod-db", "s.fixed");
  EXPECT_EQ(answer.body.at("data").at("value").as_string(), "v1");
  EXPECT_EQ(answer.body.at("data").at("num").as_int64(), 5);
  EXPECT_EQ(ask("GET", "secret/a%20b/c", "s.fixed").status, 200u);
  const auto missing = ask("GET", "secret/none", "s.fixed");
  EXPECT_EQ(missing.status, 404u);
  EXPECT_TRUE(missing.body.at("errors").as_array().empty());
  EXPECT_NE(error_of(ask("GET", "nowhere/x", "s.fixed")).find("no handler for route"),
            std::string::npos);
  EXPECT_EQ(ask("DELETE", "secret/prod-db", "s.fixed").status, 405u);
}

TEST_F(Vault, ReadsKeyValueVersionTwo) {
  const auto newest = ask("GET", "kv/data/app", "s.fixed");
  EXPECT_EQ(newest.body.at("data").at("data").at("value").as_string(), "three");
  EXPECT_EQ(newest.body.at("data").at("metadata").at("version").as_int64(), 3);
  const auto first = ask("GET", "kv/data/app?version=1", "s.fixed");
  EXPECT_EQ(first.body.at("data").at("data").at("value").as_string(), "one");
  const auto deleted = ask("GET", "kv/data/gone", "s.fixed");
  EXPECT_EQ(deleted.status, 404u);
  EXPECT_TRUE(deleted.body.at("data").at("data").is_null());
  EXPECT_NE(deleted.body.at("data").at("metadata").at("deletion_time").as_string(), "");
  EXPECT_EQ(ask("GET", "kv/data/app?version=4", "s.fixed").status, 404u);
  const auto wrong_path = ask("GET", "kv/app", "s.fixed");
  EXPECT_EQ(wrong_path.status, 404u);
  EXPECT_TRUE(wrong_path.body.at("warnings").is_array());
}

TEST_F(Vault, TellsMounts) {
  const auto two = ask("GET", "sys/internal/ui/mounts/kv/app", "s.fixed");
  EXPECT_EQ(two.body.at("data").at("path").as_string(), "kv/");
  EXPECT_EQ(two.body.at("data").at("options").at("version").as_string(), "2");
  const auto one = ask("GET", "sys/internal/ui/mounts/secret/prod-db", "s.fixed");
  EXPECT_TRUE(one.body.at("data").at("options").is_null());
  EXPECT_EQ(ask("GET", "sys/internal/ui/mounts/kvx/app", "s.fixed").status, 403u);
}

TEST_F(Vault, LeasesAreRenewedUpToTheirMaximumAndEnd) {
  const auto answer = ask("GET", "aws/creds/app", "s.fixed");
  EXPECT_EQ(answer.body.at("lease_duration").as_int64(), 30);
  EXPECT_TRUE(answer.body.at("data").at("security_token").is_string());
  EXPECT_EQ(issued_.size(), 3u);
  const std::string id(answer.body.at("lease_id").as_string());
  const std::string body = json::serialize(json::object{{"lease_id", id}, {"increment", 40}});
  now_ += 20s;
  const auto renewed = ask("PUT", "sys/leases/renew", "s.fixed", body);
  EXPECT_EQ(renewed.body.at("lease_id").as_string(), id);
  EXPECT_EQ(renewed.body.at("lease_duration").as_int64(), 30) << "50 s from the start";
  EXPECT_EQ(renewed.details.at("lease").as_string(), "app-1");
  now_ += 30s;
  EXPECT_EQ(error_of(ask("PUT", "sys/leases/renew", "s.fixed", body)), "lease not found");
  EXPECT_EQ(json::serialize(engine_.summary().at("leases")), "[]");
  EXPECT_EQ(ask("GET", "aws/creds/none", "s.fixed").status, 400u);
}

TEST_F(Vault, LeasesAreRevokedAloneOrWithTheirToken) {
  const std::string token = log_in();
  const auto body_of = [](const Answer& lease) {
    return json::serialize(json::object{{"lease_id", lease.body.at("lease_id")}});
  };
  const auto one = ask("GET", "aws/creds/once", token);
  EXPECT_TRUE(one.body.at("data").at("security_token").is_null());
  EXPECT_EQ(error_of(ask("PUT", "sys/leases/renew", token, body_of(one))),
            "lease is not renewable");
  EXPECT_EQ(ask("PUT", "sys/leases/revoke", token, body_of(one)).status, 204u);
  EXPECT_EQ(ask("PUT", "sys/leases/revoke", token, body_of(one)).status, 204u) << "again";
  ask("GET", "aws/creds/once", token);
  EXPECT_EQ(json::serialize(engine_.summary().at("leases")), R"(["once-2"])");
  engine_.revoke_all();
  EXPECT_EQ(json::serialize(engine_.summary().at("leases")), "[]");
  EXPECT_EQ(json::serialize(engine_.summary().at("revoked")),
            R"(["once-1","fixed","short","userpass-exec-1","once-2"])");
}

TEST(VaultContent, MistakesAreNamed) {
  const std::vector<std::pair<const char*, const char*>> mistakes = {
      {"[]", "the file"},
      {"{", "--vault: "},
      {R"({"kv3":{}})", "kv3"},
      {R"({"userpass":{"userpass":{"u":{}}}})", "userpass/userpass/u/password"},
      {R"({"aws":{"aws":{"r":{"ttl":"1h"}}}})", "aws/aws/r/ttl"},
      {R"({"kv2":{"kv":{"a":{}}}})", "kv2/kv/a"},
      {R"({"kv1":{"kv":{"a":[]}}})", "kv1/kv/a"},
      {R"({"tokens":{"t":{"id":"x","renewable":1}}})", "tokens/t/renewable"}};
  for (const auto& [text, wanted] : mistakes) {
    try {
      parse_vault_content(text);
      ADD_FAILURE() << text;
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(wanted), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(load_vault_content("/nonexistent"), std::runtime_error);
}

TEST(VaultContent, TheReadmesExampleIsValid) {
  std::ifstream file(SX_SOURCE_DIR "/tools/mini-agent/README.md");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto begin = text.find("```json\n");
  ASSERT_NE(begin, std::string::npos);
  const auto content =
      parse_vault_content(text.substr(begin + 8, text.find("```", begin + 8) - begin - 8));
  EXPECT_FALSE(content.kv2.empty());
  EXPECT_FALSE(content.aws.empty());
}

}  // namespace
}  // namespace mini_agent
