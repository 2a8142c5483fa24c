// What Vault's answers mean, and that no message shows a value of them.
#include "vault/answers.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace sidecar_executor::vault {
namespace {

using Names = std::vector<std::string>;

Answer parsed(std::string_view body) {
  auto answer = Answer::parse(body);
  EXPECT_TRUE(answer) << body;
  return answer ? std::move(*answer) : Answer();
}

SecretRef ref(const std::string& text) { return *parse_secret_ref(text); }

TEST(VaultAnswer, KeepsNumbersAsTheyAreWritten) {
  const auto answer = parsed(
      R"({"data":{"a":1.10,"b":12345678901234567890123,"c":-0.5e+3,"d":true,"e":null,"f":"x\ny",
          "g":{"deep":{"er":{"est":1}}},"h":[1,"two"]},"n":7})");
  EXPECT_EQ(answer.find({"data", "a"})->text, "1.10");
  EXPECT_EQ(answer.find({"data", "b"})->text, "12345678901234567890123");
  EXPECT_EQ(answer.find({"data", "c"})->text, "-0.5e+3");
  EXPECT_EQ(parsed(R"({"n":18446744073709551615})").find({"n"})->text, "18446744073709551615");
  EXPECT_EQ(answer.find({"data", "d"})->text, "true");
  EXPECT_EQ(answer.find({"data", "e"})->kind, Node::Kind::null);
  EXPECT_EQ(answer.text({"data", "f"}), "x\ny");
  EXPECT_EQ(answer.find({"data", "g", "deep", "er", "est"}), nullptr) << "deeper than we look";
  EXPECT_EQ(answer.names_in({"data"}), (Names{"a", "b", "c", "d", "e", "f", "g", "h"}));
  EXPECT_EQ(answer.texts_in({"data", "h"}), Names{"two"});
  EXPECT_EQ(answer.find({"data", "h", "0"})->text, "1");
  EXPECT_EQ(answer.number({"n"}), 7);
  EXPECT_EQ(answer.number({"data", "a"}), std::nullopt);
  EXPECT_EQ(answer.text({"n"}), "") << "no string";
  EXPECT_EQ(answer.number({"data", "f"}), std::nullopt) << "no number";
  EXPECT_EQ(answer.number({"data", "b"}), std::nullopt) << "too large";
  EXPECT_EQ(answer.number({"none"}), std::nullopt);
}

TEST(VaultAnswer, TheLastOfANameCounts) {
  EXPECT_EQ(parsed(R"({"a":"1","a":"2"})").text({"a"}), "2");
}

TEST(VaultAnswer, NoObjectIsSaidWithoutShowingIt) {
  for (const char* body :
       {"", "s3cr3t", "[\"s3cr3t\"]", "\"s3cr3t\"", "{\"a\":\"s3cr3t\"", "{\"a\":\"s3cr3t\"} x",
        "{\"s3cr3t\": \"\xff\"}", "<html>s3cr3t</html>"}) {
    const auto answer = Answer::parse(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, ErrorKind::protocol);
    EXPECT_EQ(answer.error().message.find("s3cr3t"), std::string::npos) << answer.error().message;
  }
}

TEST(VaultAnswer, AMillionValuesAreRefused) {
  std::string body = "{\"a\":[";
  for (int i = 0; i < 20'000; ++i) body += "0,";
  EXPECT_FALSE(Answer::parse(body + "0]}"));
  body = "{\"a\":[";
  for (int i = 0; i < 20'000; ++i) body += "{},";
  EXPECT_FALSE(Answer::parse(body + "0]}"));
  const std::string deep(5000, '[');
  EXPECT_FALSE(Answer::parse("{\"a\":" + deep));
}

TEST(VaultAnswer, ManyPartsOfAStringAreOne) {
  // Escapes make Boost.JSON hand a string over in parts; so does its length.
  std::string value;
  std::string written;
  for (int i = 0; i < 10'000; ++i) {
    value += "ab\"\xc3\xa4\n=";
    written += "ab\\\"\\u00e4\\n=";
  }
  EXPECT_EQ(parsed("{\"k\":\"" + written + "\"}").text({"k"}), value);
}

TEST(VaultAnswers, TokenGrant) {
  const auto grant = token_grant(
      parsed(R"({"auth":{"client_token":"s.x","lease_duration":3600,"renewable":true}})"));
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->token.text(), "s.x");
  EXPECT_EQ(grant->duration, Seconds(3600));
  EXPECT_TRUE(grant->renewable);
  EXPECT_FALSE(token_grant(parsed(R"({"auth":null})")));
  EXPECT_FALSE(token_grant(parsed(R"({"auth":{"client_token":"s.x"}})")));
  EXPECT_FALSE(token_grant(parsed(R"({"auth":{"client_token":"s.x","lease_duration":-1}})")));
}

TEST(VaultAnswers, TokenState) {
  EXPECT_EQ(token_state(parsed(R"({"data":{"ttl":0,"renewable":false}})"))->ttl, Seconds(0));
  EXPECT_EQ(token_state(parsed(R"({"data":{"ttl":7800,"renewable":true}})"))->ttl, Seconds(7800));
  EXPECT_FALSE(token_state(parsed(R"({"data":{}})")));
}

TEST(VaultAnswers, MountTellsVersions) {
  const auto v2 =
      mount_of(parsed(R"({"data":{"path":"kv/team/","type":"kv","options":{"version":"2"}}})"));
  EXPECT_TRUE(v2.versions);
  EXPECT_EQ(v2.path, "kv/team/");
  EXPECT_FALSE(mount_of(parsed(R"({"data":{"path":"kv/","type":"kv","options":{"version":"1"}}})"))
                   .versions);
  EXPECT_FALSE(mount_of(parsed(R"({"data":{"path":"kv/","type":"kv","options":null}})")).versions);
  const auto bare =
      mount_of(parsed(R"({"data":{"path":"/kv/team","type":"kv","options":{"version":"2"}}})"));
  EXPECT_EQ(bare.path, "kv/team/");
  EXPECT_TRUE(bare.versions);
  EXPECT_FALSE(
      mount_of(parsed(R"({"data":{"path":"","type":"kv","options":{"version":"2"}}})")).versions);
  EXPECT_FALSE(
      mount_of(parsed(R"({"data":{"path":"aws/","type":"aws","options":{"version":"2"}}})"))
          .versions);
}

TEST(VaultAnswers, Targets) {
  const Mount v1;
  const Mount v2{"kv/team/", true};
  EXPECT_EQ(secret_target(ref("vault://secret/a b"), v1), "secret/a%20b");
  EXPECT_EQ(secret_target(ref("vault://kv/team/app/x"), v2), "kv/team/data/app/x");
  EXPECT_EQ(secret_target(ref("vault://kv/team/x?version=4"), v2), "kv/team/data/x?version=4");
  EXPECT_EQ(secret_target(ref("vault://kv/team"), v2), "kv/team/data/") << "the mount alone";
}

constexpr const char* plain =
    R"({"data":{"value":"s3cr3t","num":5,"yes":true,"nothing":null,"tree":{"x":1},"nul":"a\u0000b"}})";

TEST(VaultAnswers, Values) {
  const auto answer = parsed(plain);
  EXPECT_EQ(secret_value(answer, ref("vault://s/a"), {})->text(), "s3cr3t");
  EXPECT_EQ(secret_value(answer, ref("vault://s/a?key=num"), {})->text(), "5");
  EXPECT_EQ(secret_value(answer, ref("vault://s/a?key=yes"), {})->text(), "true");
  const auto versioned = parsed(R"({"data":{"data":{"value":"v2"},"metadata":{"version":2}}})");
  EXPECT_EQ(secret_value(versioned, ref("vault://kv/a?version=2"), {"kv/", true})->text(), "v2");
}

TEST(VaultAnswers, NoValueSaysWhichKeysThereAre) {
  struct Row {
    const char* text;
    const char* said;
  };
  const Row table[] = {
      {"vault://s/a?key=none",
       "secret s/a has no key none; it has: value, num, yes, nothing, tree"},
      {"vault://s/a?key=tree", "is an object or a list"},
      {"vault://s/a?key=nothing", "is null"},
      {"vault://s/a?key=nul", "NUL byte"},
      {"vault://s/a?version=2", "has no versions"},
  };
  for (const auto& row : table) {
    const auto value = secret_value(parsed(plain), ref(row.text), {});
    ASSERT_FALSE(value) << row.text;
    EXPECT_NE(value.error().message.find(row.said), std::string::npos) << value.error().message;
    EXPECT_EQ(value.error().message.find("s3cr3t"), std::string::npos) << value.error().message;
  }
  const auto empty = secret_value(parsed(R"({"data":{}})"), ref("vault://s/a"), {});
  EXPECT_NE(empty.error().message.find("it has no keys"), std::string::npos);
  std::string many;
  for (int i = 10; i < 35; ++i) many += (i == 10 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
  const auto long_list = secret_value(parsed("{\"data\":{" + many + "}}"), ref("vault://s/a"), {});
  EXPECT_EQ(long_list.error().message,
            "secret s/a has no key value; it has: k10, k11, k12, k13, k14, k15, k16, k17, k18, "
            "k19, k20, k21, k22, k23, k24, k25, k26, k27, k28, k29 and 5 more");
  const auto versioned =
      secret_value(parsed(R"({"data":{"data":{"a":1}}})"), ref("vault://kv/x"), {"kv/", true});
  EXPECT_EQ(versioned.error().message, "secret kv/x has no key value; it has: a");
  const auto none = secret_value(parsed(R"({"data":null})"), ref("vault://s/a"), {});
  EXPECT_NE(none.error().message.find("Vault has no secret s/a"), std::string::npos);
}

TEST(VaultAnswers, DeletedVersionsAreSaidToBe) {
  const Mount kv{"kv/", true};
  const auto deleted = secret_missing(
      parsed(R"({"data":{"data":null,"metadata":{"deletion_time":"2026-01-02T03:04:05Z",
                 "destroyed":false,"version":3}}})"),
      ref("vault://kv/a"), kv);
  EXPECT_EQ(deleted.message, "version 3 of secret kv/a was deleted at 2026-01-02T03:04:05Z");
  const auto destroyed = secret_missing(
      parsed(
          R"({"data":{"data":null,"metadata":{"deletion_time":"","destroyed":true,"version":1}}})"),
      ref("vault://kv/a?version=1"), kv);
  EXPECT_EQ(destroyed.message, "version 1 of secret kv/a was destroyed");
  const auto odd_time = secret_missing(
      parsed(R"({"data":{"metadata":{"deletion_time":"yesterday"}}})"), ref("vault://kv/a"), kv);
  EXPECT_EQ(odd_time.message, "secret kv/a was deleted");
  const auto no_version =
      secret_missing(parsed(R"({"errors":[]})"), ref("vault://kv/a?version=9"), kv);
  EXPECT_EQ(no_version.message, "Vault has no secret kv/a, or not its version 9");
  const auto data = secret_missing(parsed(R"({"errors":[]})"), ref("vault://kv/data/a"), kv);
  EXPECT_NE(data.message.find("leave out data/"), std::string::npos);
}

TEST(VaultAnswers, AwsCredentials) {
  const auto keys = aws_credentials(parsed(
      R"({"lease_id":"aws/creds/r/1","renewable":true,"lease_duration":3600,
          "data":{"access_key":"AK","secret_key":"SK","security_token":null}})"));
  ASSERT_TRUE(keys);
  EXPECT_EQ(keys->lease.id, "aws/creds/r/1");
  EXPECT_EQ(keys->lease.duration, Seconds(3600));
  EXPECT_TRUE(keys->lease.renewable);
  EXPECT_EQ(keys->access_key.text(), "AK");
  EXPECT_TRUE(keys->session_token.empty());
  const auto bad = aws_credentials(
      parsed(R"({"lease_id":"l","lease_duration":1,"data":{"access_key":"AK-secret"}})"));
  EXPECT_EQ(bad.error().message, "Vault's answer has no data.secret_key");
  const std::pair<const char*, const char*> table[] = {
      {R"({"lease_id":"l","lease_duration":1,"data":{"secret_key":"SK"}})", "data.access_key"},
      {R"({"lease_duration":1,"data":{"access_key":"AK","secret_key":"SK"}})", "lease_id"},
      {R"({"lease_id":"l","data":{"access_key":"AK","secret_key":"SK"}})", "lease_duration"},
  };
  for (const auto& [body, field] : table) {
    EXPECT_EQ(aws_credentials(parsed(body)).error().message,
              std::string("Vault's answer has no ") + field);
  }
}

TEST(VaultAnswers, WhatVaultSaid) {
  EXPECT_EQ(said(403, R"({"errors":["permission denied"]})"), "HTTP 403: permission denied");
  EXPECT_EQ(said(503, R"({"errors":["Vault is sealed","again"]})"),
            "HTTP 503: Vault is sealed; again");
  EXPECT_EQ(said(404, R"({"errors":[]})"), "HTTP 404");
  EXPECT_EQ(said(502, "<html>s3cr3t</html>"),
            "HTTP 502 without a reason of Vault's (is it a proxy's answer?)");
}

/// What the Go executor was really answered.
TEST(VaultAnswers, GoldenAnswersAreUnderstood) {
  for (const char* name : {"aws_role", "aws_role_ttl", "vault_tokenfile"}) {
    std::ifstream file(std::string(SX_SOURCE_DIR "/tests/golden/go-executor/") + name + ".json");
    std::stringstream text;
    text << file.rdbuf();
    const auto record = boost::json::parse(text.str()).as_object();
    int understood = 0;
    for (const auto& entry : record.at("vault").as_array()) {
      const auto path = entry.at("path").as_string();
      const auto* body = entry.as_object().if_contains("answer");
      if (body == nullptr || body->is_null()) continue;
      const auto answer = parsed(boost::json::serialize(*body));
      if (path.find("/login/") != std::string::npos || path.ends_with("token/renew")) {
        EXPECT_TRUE(token_grant(answer)) << name << path;
      } else if (path.find("lookup") != std::string::npos) {
        EXPECT_TRUE(token_state(answer)) << name << path;
      } else if (path.find("/aws/creds/") != std::string::npos) {
        EXPECT_TRUE(aws_credentials(answer)) << name << path;
      } else if (path.ends_with("leases/renew")) {
        EXPECT_TRUE(renewed_lease(answer)) << name << path;
      } else {
        EXPECT_TRUE(secret_value(answer, ref("vault://secret/prod-db"), {})) << name << path;
      }
      ++understood;
    }
    EXPECT_GE(understood, 4) << name;
  }
}

}  // namespace
}  // namespace sidecar_executor::vault
