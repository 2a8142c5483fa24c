#include "vault/secret_ref.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::vault {
namespace {

struct Good {
  const char* text;
  const char* path;
  const char* key = "value";
  std::int64_t version = 0;
};

TEST(SecretRef, Good) {
  const Good table[] = {
      {"vault://secret/prod-db", "secret/prod-db"},
      {"vault://secret/prod-db?key=username", "secret/prod-db", "username"},
      {"vault://secret/prod-db?key=", "secret/prod-db"},
      {"vault://secret/prod-db?key=a&key=b", "secret/prod-db", "a"},
      {"vault://kv/app?version=3", "kv/app", "value", 3},
      {"vault://kv/app?key=k&version=12&other=x", "kv/app", "k", 12},
      {"vault:///secret/x/", "secret/x"},
      {"vault://secret", "secret"},
      {"vault://secret/a%20b?key=c%26d+e", "secret/a b", "c&d e"},
      {"vault://secret/a+b", "secret/a+b"},
      {"vault://secret/x?key=k#part", "secret/x", "k"},
      {"vault://secret/x?key=a=b", "secret/x", "a=b"},
      {"vault://secret/\xc3\xa4", "secret/\xc3\xa4"},
      {"vault://secret/.a/..b", "secret/.a/..b"},
      {"vault://kv/app?version=&version=3&version=4", "kv/app", "value", 3},
      {"vault://kv/app?version", "kv/app"},
  };
  for (const auto& row : table) {
    ASSERT_TRUE(is_secret_ref(row.text));
    const auto ref = parse_secret_ref(row.text);
    ASSERT_TRUE(ref) << row.text << ": " << ref.error().message;
    EXPECT_EQ(ref->path, row.path) << row.text;
    EXPECT_EQ(ref->key, row.key) << row.text;
    EXPECT_EQ(ref->version.value_or(0), row.version) << row.text;
  }
}

TEST(SecretRef, BadSaysWhy) {
  const std::pair<const char*, const char*> table[] = {
      {"vault://", "it has no path"},
      {"vault://?key=x", "it has no path"},
      {"vault://secret//x", "an empty part"},
      {"vault://secret/./x", "must not hold . or .."},
      {"vault://secret/x%7f", "control character"},
      {"vault://secret/x?%4=k", "two hex digits"},
      {"vault://kv/x?version=1x", "version is not a whole number"},
      {"vault://secret/../sys/x", "must not hold . or .."},
      {"vault://secret/%2e%2E/x", "must not hold . or .."},
      {"vault://secret/100%", "two hex digits"},
      {"vault://secret/%zz", "two hex digits"},
      {"vault://secret/x?key=%4", "two hex digits"},
      {"vault://secret/x%0d%0aHost:y", "control character"},
      {"vault://kv/x?version=0", "version is not a whole number"},
      {"vault://kv/x?version=two", "version is not a whole number"},
      {"vault://kv/x?version=99999999999999999999", "version is not a whole number"},
      {"https://secret/x", "does not begin with vault://"},
  };
  for (const auto& [text, why] : table) {
    const auto ref = parse_secret_ref(text);
    ASSERT_FALSE(ref) << text;
    EXPECT_EQ(ref.error().kind, ErrorKind::invalid);
    EXPECT_NE(ref.error().message.find(why), std::string::npos) << ref.error().message;
  }
}

TEST(SecretRef, OnlyTheBeginningCounts) {
  EXPECT_FALSE(is_secret_ref("http://vault://x"));
  EXPECT_FALSE(is_secret_ref("VAULT://x"));
  EXPECT_FALSE(is_secret_ref(""));
}

TEST(SecretRef, PathsAreEncodedSegmentBySegment) {
  EXPECT_EQ(encode_path("secret/prod-db_1.2~x"), "secret/prod-db_1.2~x");
  EXPECT_EQ(encode_path("secret/a b?c#d%"), "secret/a%20b%3Fc%23d%25");
  EXPECT_EQ(encode_path("\xc3\xa4\n"), "%C3%A4%0A");
}

}  // namespace
}  // namespace sidecar_executor::vault
