#include "docker/image_ref.hpp"

#include <gtest/gtest.h>

#include "noise.hpp"

namespace sidecar_executor::docker {
namespace {

const std::string hex64(64, 'a');

TEST(ImageRef, TakesApart) {
  const struct {
    std::string text, name, tag, digest, full, registry, pull_tag;
  } table[] = {
      {"app", "app", "", "", "app:latest", "docker.io", "latest"},
      {"app:1.2", "app", "1.2", "", "app:1.2", "docker.io", "1.2"},
      {"team/app:v_1.2-3", "team/app", "v_1.2-3", "", "team/app:v_1.2-3", "docker.io", "v_1.2-3"},
      {"host:5000/app", "host:5000/app", "", "", "host:5000/app:latest", "host:5000", "latest"},
      {"host:5000/a/b:1.2", "host:5000/a/b", "1.2", "", "host:5000/a/b:1.2", "host:5000", "1.2"},
      {"localhost/app", "localhost/app", "", "", "localhost/app:latest", "localhost", "latest"},
      {"reg.example.com/app:1", "reg.example.com/app", "1", "", "reg.example.com/app:1",
       "reg.example.com", "1"},
      {"Reg/app:1", "Reg/app", "1", "", "Reg/app:1", "Reg", "1"},
      {"[::1]:5000/app:1", "[::1]:5000/app", "1", "", "[::1]:5000/app:1", "[::1]:5000", "1"},
      {"[::1]/app", "[::1]/app", "", "", "[::1]/app:latest", "[::1]", "latest"},
      {"index.docker.io/team/app", "index.docker.io/team/app", "", "",
       "index.docker.io/team/app:latest", "docker.io", "latest"},
      {"app@sha256:" + hex64, "app", "", "sha256:" + hex64, "app@sha256:" + hex64, "docker.io",
       "sha256:" + hex64},
      {"h:1/app:1@sha256:" + hex64, "h:1/app", "1", "sha256:" + hex64, "h:1/app:1@sha256:" + hex64,
       "h:1", "sha256:" + hex64},
      {"a-b--c__d_e.f", "a-b--c__d_e.f", "", "", "a-b--c__d_e.f:latest", "docker.io", "latest"},
  };
  for (const auto& row : table) {
    const auto ref = parse_image_ref(row.text);
    ASSERT_TRUE(ref) << row.text << ": " << ref.error().message;
    EXPECT_EQ(ref->name, row.name) << row.text;
    EXPECT_EQ(ref->tag, row.tag) << row.text;
    EXPECT_EQ(ref->digest, row.digest) << row.text;
    EXPECT_EQ(ref->full(), row.full) << row.text;
    EXPECT_EQ(ref->registry(), row.registry) << row.text;
    EXPECT_EQ(ref->pull_tag(), row.pull_tag) << row.text;
  }
}

TEST(ImageRef, RefusesWhatDockerRefusesAndShowsIt) {
  const struct {
    std::string text;
    const char* says;
  } table[] = {
      {"", "empty"},
      {"Team/app:1 2", "tag"},
      {"team/App", "lower case"},
      {"APP", "lower case"},
      {"/app", "a-z"},
      {"app/", "a-z"},
      {"a//b", "a-z"},
      {"app:", "tag"},
      {"app:.x", "tag"},
      {"app:" + std::string(129, 'x'), "tag"},
      {"app@", "digest"},
      {"app@sha256:abc", "digest"},
      {"app@sha256:" + std::string(64, 'z'), "digest"},
      {"app@md5", "digest"},
      {"@sha256:" + hex64, "no name"},
      {":1", "no name"},
      {"a..b", "a-z"},
      {"a___b", "a-z"},
      {"-a", "a-z"},
      {"a_", "a-z"},
      {"http://host/app", "registry"},
      {"host:port/app", "registry"},
      {"host:123456/app", "registry"},
      {"[]:1/app", "registry"},
      {"[::g]:1/app", "registry"},
      {"[::1/app", "registry"},
      {"[::1]x/app", "registry"},
      {"[::1]:/app", "registry"},
      {"[::1]:x/app", "registry"},
      {"-a.b/app", "registry"},
      {"a-.b/app", "registry"},
      {"a..b/app", "registry"},
      {"a_b.c/app", "registry"},
      {"a b", "a-z"},
      {"app\n", "a-z"},
      {std::string("app\0", 4), "a-z"},
      {std::string(256, 'a'), "255"},
      {std::string(5000, 'a'), "too long"},
  };
  for (const auto& row : table) {
    const auto ref = parse_image_ref(row.text);
    ASSERT_FALSE(ref) << row.text;
    EXPECT_EQ(ref.error().kind, ErrorKind::invalid);
    EXPECT_NE(ref.error().message.find(row.says), std::string::npos) << ref.error().message;
    EXPECT_LT(ref.error().message.size(), 500U);
  }
  EXPECT_NE(parse_image_ref("team/App").error().message.find("\"team/App\""), std::string::npos);
}

TEST(ImageRef, FindsItsDigestAmongThoseThatDockerHas) {
  const auto digest = [](std::string_view image, const std::vector<std::string>& repo_digests) {
    return parse_image_ref(image).value().digest_among(repo_digests);
  };
  const std::string written = "sha256:" + std::string(64, 'a');
  EXPECT_EQ(digest("r:5000/app:1", {"other@sha256:1", "r:5000/app@sha256:2"}), "sha256:2");
  EXPECT_EQ(digest("app", {"app2@sha256:1", "app@sha256:2"}), "sha256:2");
  EXPECT_EQ(digest("docker.io/library/app", {"app@sha256:1"}), "sha256:1") << "the only one";
  EXPECT_EQ(digest("app", {"a@sha256:1", "b@sha256:2"}), "") << "anybody's guess";
  EXPECT_EQ(digest("app:1", {}), "") << "made here";
  EXPECT_EQ(digest("app@" + written, {}), written);
}

TEST(ImageRef, WhatItAcceptsItWritesBack) {
  with_noise({"host:5000/team/app:1.2", "app@sha256:" + hex64, "localhost/a-b:c"},
             [](const std::string& text) {
               const auto ref = parse_image_ref(text);
               if (!ref) return;
               const auto again = parse_image_ref(ref->full());
               ASSERT_TRUE(again) << text;
               EXPECT_EQ(again->name, ref->name);
               EXPECT_EQ(again->full(), ref->full());
             });
}

}  // namespace
}  // namespace sidecar_executor::docker
