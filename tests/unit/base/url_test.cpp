// URLs of servers; what operators see of them is in net/address_test.cpp.
#include "base/url.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor {
namespace {

TEST(HttpUrl, TakenApart) {
  const auto url = parse_http_url("https://me:two%20words@[::1]:7777/a%20b?c=d");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "::1");
  EXPECT_EQ(url->port, 7777);
  EXPECT_EQ(url->path, "/a%20b?c=d");
  EXPECT_EQ(url->user_info, "me:two words");
  EXPECT_EQ(parse_http_url("http://h")->port, 80);
  EXPECT_EQ(parse_http_url("http://h")->user_info, "");
}

/// For some of them Boost.URL 1.81 ends the program by an assertion.
TEST(HttpUrl, WhatIsNone) {
  for (const char* text : {"", "http:", "http:/x", "http:[", "http:\xC0", "http://h/ a",
                           "http://h/\xC3\xA9", "unix:///run/x", "http://h:7777state.json"})
    EXPECT_FALSE(parse_http_url(text)) << text;
  EXPECT_FALSE(parse_http_url(std::string_view("http://h/\0", 10)));
}

}  // namespace
}  // namespace sidecar_executor
