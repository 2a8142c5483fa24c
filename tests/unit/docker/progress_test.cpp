#include "docker/progress.hpp"

#include <gtest/gtest.h>

#include "noise.hpp"

namespace sidecar_executor::docker {
namespace {

const std::string pull = R"({"status":"Pulling from library/app","id":"1.0"}
{"status":"Pulling fs layer","progressDetail":{},"id":"aaa"}
{"status":"Pulling fs layer","progressDetail":{},"id":"bbb"}
{"status":"Already exists","progressDetail":{},"id":"ccc"}
{"status":"Downloading","progressDetail":{"current":500000,"total":10000000},"progress":"[> ]","id":"aaa"}
{"status":"Downloading","progressDetail":{"current":12000000,"total":70100000},"id":"bbb"}
)";
const std::string rest = R"({"status":"Verifying Checksum","progressDetail":{},"id":"aaa"}
{"status":"Download complete","progressDetail":{},"id":"aaa"}
{"status":"Extracting","progressDetail":{"current":32768,"total":10000000},"id":"aaa"}
{"status":"Pull complete","progressDetail":{},"id":"aaa"}
{"status":"Pull complete","progressDetail":{},"id":"bbb"}
{"status":"Digest: sha256:abc"}
{"status":"Status: Downloaded newer image for app:1.0"}
)";

TEST(PullProgress, Describes) {
  PullProgress progress;
  EXPECT_EQ(progress.describe(), "no layer yet");
  ASSERT_TRUE(progress.feed(pull));
  EXPECT_EQ(progress.describe(), "1 of 3 layers, 12.5 of 80.1 MB");
  EXPECT_EQ(progress.bytes(), 12'500'000U);
  ASSERT_TRUE(progress.feed(rest));
  EXPECT_EQ(progress.describe(), "3 of 3 layers, 80.1 of 80.1 MB");
  EXPECT_EQ(progress.digest(), "sha256:abc");
  EXPECT_FALSE(progress.error());
  EXPECT_TRUE(progress.finish());
}

TEST(PullProgress, InPiecesIsTheSame) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    PullProgress progress;
    in_pieces(pull + rest, seed,
              [&](std::string_view piece) { ASSERT_TRUE(progress.feed(piece)); });
    EXPECT_EQ(progress.describe(), "3 of 3 layers, 80.1 of 80.1 MB");
  }
}

TEST(PullProgress, ObjectsNeedNoLines) {
  PullProgress progress;
  ASSERT_TRUE(progress.feed(R"({"status":"Already exists","id":"a\"}{"}{"status":"x"}  {})"));
  EXPECT_EQ(progress.describe(), "1 of 1 layers");
  EXPECT_TRUE(progress.finish());
}

TEST(PullProgress, ErrorsOfTheStream) {
  const struct {
    std::string line, message;
    ErrorKind kind;
  } table[] = {
      {R"({"error":"boom"})", "boom", ErrorKind::unavailable},
      {R"({"errorDetail":{"message":"a\nb"},"error":"x"})", "a b", ErrorKind::unavailable},
      {R"({"errorDetail":{"code":401,"message":"no"},"error":"no"})", "no",
       ErrorKind::unauthorized},
      {R"({"errorDetail":{"code":404},"error":"gone"})", "gone", ErrorKind::not_found},
      {R"({"errorDetail":7})", "Docker gave no reason", ErrorKind::unavailable},
      {R"({"errorDetail":{"code":399,"message":"a"}})", "a", ErrorKind::unavailable},
      {R"({"errorDetail":{"code":600,"message":"b"}})", "b", ErrorKind::unavailable},
      {R"({"errorDetail":{"code":"404","message":"c"}})", "c", ErrorKind::unavailable},
  };
  for (const auto& row : table) {
    PullProgress progress;
    ASSERT_TRUE(progress.feed(row.line + R"({"error":"a later one"})"));
    const auto end = progress.finish();
    ASSERT_FALSE(end);
    EXPECT_EQ(end.error().message, row.message);
    EXPECT_EQ(end.error().kind, row.kind);
    EXPECT_EQ(progress.error(), row.message);
  }
}

TEST(PullProgress, WhatIsNoLayerIsNotCounted) {
  const std::string long_id(129, 'x');
  PullProgress progress;
  ASSERT_TRUE(
      progress.feed(R"({"status":"Waiting","id":")" + long_id + R"("}{"status":"Waiting"})"));
  EXPECT_EQ(progress.describe(), "no layer yet");
  ASSERT_TRUE(progress.feed(R"({"status":"Retrying in 5 seconds","id":"a"})"
                            R"({"status":"Downloading","id":"a"})"
                            R"({"status":"Downloading","id":"b","progressDetail":7})"));
  EXPECT_EQ(progress.describe(), "0 of 2 layers");
  EXPECT_EQ(progress.digest(), "");
}

TEST(PullProgress, BadStreams) {
  for (const std::string text : {"hello", "[]", "{]", "{\"a\":}", "{} x", "{{}}"}) {
    PullProgress progress;
    const auto fed = progress.feed(text);
    ASSERT_FALSE(fed) << text;
    EXPECT_EQ(fed.error().kind, ErrorKind::protocol) << text;
  }
  PullProgress cut;
  ASSERT_TRUE(cut.feed(R"({"status":"Downl)"));
  ASSERT_FALSE(cut.finish());
  EXPECT_EQ(cut.finish().error().kind, ErrorKind::protocol);
}

TEST(PullProgress, IsBounded) {
  PullProgress large;
  const auto fed = large.feed("{\"status\":\"" + std::string(2'000'000, 'x'));
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().kind, ErrorKind::too_large);

  PullProgress many;
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(many.feed(R"({"status":"Downloading","id":")" + std::to_string(i) +
                          R"(","progressDetail":{"current":18446744073709551615,"total":-1}})"));
  }
  EXPECT_EQ(many.describe().substr(0, 17), "0 of 1024 layers,");
  EXPECT_EQ(many.bytes(), 1024ULL << 50U);
}

TEST(PullProgress, Noise) {
  with_noise({pull, rest, R"({"errorDetail":{"code":401,"message":"no"},"error":"no"})"},
             [](const std::string& text) {
               PullProgress progress;
               in_pieces(text, 3, [&](std::string_view piece) { (void)progress.feed(piece); });
               (void)progress.finish();
               EXPECT_LT(progress.describe().size(), 100U);
             });
}

TEST(PullIsHopeless, ByKindAndText) {
  const struct {
    ErrorKind kind;
    const char* text;
    bool hopeless;
  } table[] = {
      {ErrorKind::not_found, "", true},
      {ErrorKind::unauthorized, "", true},
      {ErrorKind::invalid, "", true},
      {ErrorKind::unavailable, "", false},
      {ErrorKind::unreachable, "no such file: not found", false},
      {ErrorKind::timeout, "", false},
      {ErrorKind::cancelled, "", true},
      {ErrorKind::too_large, "not found", false},
      {ErrorKind::conflict, "", false},
      {ErrorKind::protocol, "", false},
      // Golden feat_13d, image_missing.
      {ErrorKind::unavailable,
       "Head \"http://127.0.0.1:5001/v2/href/other/manifests/1.0\": no basic auth credentials",
       true},
      {ErrorKind::unavailable,
       "Get \"http://127.0.0.1:9/v2/\": dial tcp 127.0.0.1:9: connect: connection refused", false},
      {ErrorKind::unavailable, "manifest for app:9 not found: manifest unknown: manifest unknown",
       true},
      {ErrorKind::unavailable, "repository does not exist or may require 'docker login'", true},
      {ErrorKind::unavailable, "pull access denied for none/app", true},
      {ErrorKind::unavailable, "unauthorized: authentication required", true},
      {ErrorKind::unavailable, "denied: requested access to the resource is denied", true},
      {ErrorKind::refused, "invalid reference format: repository name must be lowercase", true},
      {ErrorKind::unavailable, "Name Unknown", true},
      {ErrorKind::refused, "toomanyrequests: You have reached your pull rate limit", false},
      {ErrorKind::unavailable, "dial tcp: lookup reg: no such host (not found)", false},
      {ErrorKind::unavailable, "x509: certificate has expired or is not yet valid", false},
      {ErrorKind::unavailable, "net/http: TLS handshake timeout", false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(pull_is_hopeless(Error{row.kind, row.text}), row.hopeless)
        << to_string(row.kind) << ' ' << row.text;
  }
}

}  // namespace
}  // namespace sidecar_executor::docker
