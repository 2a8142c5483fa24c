// host:port and URLs, as operators write them.

#include "net/address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace sidecar_executor::net {
namespace {

struct HostPort {
  std::string text;
  std::string host;
  int port;
};

TEST(ParseHostPort, Good) {
  for (const HostPort& c :
       {HostPort{"127.0.0.1:5051", "127.0.0.1", 5051},
        HostPort{"agent-1.example.com:1", "agent-1.example.com", 1},
        HostPort{"localhost:65535", "localhost", 65535}, HostPort{"[::1]:5051", "::1", 5051},
        HostPort{"[2001:db8::7]:80", "2001:db8::7", 80}}) {
    const auto parsed = parse_host_port(c.text);
    ASSERT_TRUE(parsed.has_value()) << c.text;
    EXPECT_EQ(parsed->host, c.host);
    EXPECT_EQ(parsed->port, c.port);
    EXPECT_FALSE(parsed->tls);
    EXPECT_FALSE(parsed->is_unix());
    EXPECT_EQ(parsed->authority(), c.text);
    EXPECT_EQ(parsed->display(), "http://" + c.text);
  }
}

TEST(ParseHostPort, BadOnesAreShown) {
  for (const std::string text : {"",         ":",         "host",       "host:",
                                 ":80",      "host:0",    "host:65536", "host:99999999999",
                                 "host:-1",  "host:+1",   "host:8 0",   "host: 80",
                                 "host:80 ", "host:http", "::1",        "::1:80",
                                 "[::1]",    "[::1]:",    "[]:80",      "[::1:80",
                                 "::1]:80",  "[::1]x:80", "a:b:80"}) {
    const auto parsed = parse_host_port(text);
    ASSERT_FALSE(parsed.has_value()) << text << " -> " << parsed->display();
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    EXPECT_NE(parsed.error().message.find("\"" + text + "\" is not host:port"), std::string::npos)
        << parsed.error().message;
  }
}

struct UrlCase {
  std::string text;
  std::string display;
  std::string path;
};

TEST(ParseUrl, Good) {
  for (const UrlCase& c : {
           UrlCase{"http://localhost:7777/state.json", "http://localhost:7777", "/state.json"},
           UrlCase{"http://host", "http://host:80", "/"},
           UrlCase{"http://host:/x", "http://host:80", "/x"},
           UrlCase{"http://host?a=b", "http://host:80", "/?a=b"},
           UrlCase{"http://host/a%20b?c=d%2F&e#part", "http://host:80", "/a%20b?c=d%2F&e"},
           UrlCase{"https://vault.example.com", "https://vault.example.com:443", "/"},
           UrlCase{"https://vault:8200/v1/", "https://vault:8200", "/v1/"},
           UrlCase{"HTTP://host/", "http://host:80", "/"},
           UrlCase{"http://[::1]:8200/x", "http://[::1]:8200", "/x"},
           UrlCase{"unix:///run/docker.sock", "unix:///run/docker.sock", "/"},
       }) {
    const auto parsed = parse_url(c.text);
    ASSERT_TRUE(parsed.has_value()) << c.text << ": " << parsed.error().message;
    EXPECT_EQ(parsed->address.display(), c.display);
    EXPECT_EQ(parsed->path, c.path) << c.text;
  }
}

TEST(ParseUrl, NothingThatBreaksALineOfARequest) {
  using std::literals::string_literals::operator""s;
  for (const std::string& text : {"http://ho%0d%0ast/"s, "http://ho%20st/"s, "http://ho%00st/"s,
                                  "http://h/\0"s, "hf:\0"s, "http://h/\r\nX: y"s}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(ParseUrl, BadOnesAreShown) {
  for (const std::string text : {"",
                                 "host",
                                 "host:80",
                                 "//host/",
                                 "http:",
                                 "http://",
                                 "http:///path",
                                 "http://:80/",
                                 "ftp://host/",
                                 "http://host:0/",
                                 "http://host:65536/",
                                 "http://host:99999/",
                                 "http://host:port/",
                                 "http://a b/",
                                 "http://host/a b",
                                 "http://[::1/",
                                 "http://[nonsense]/",
                                 "http://host/%zz",
                                 "unix://",
                                 "http://ho\nst/"}) {
    const auto parsed = parse_url(text);
    ASSERT_FALSE(parsed.has_value()) << text << " -> " << parsed->address.display();
    EXPECT_EQ(parsed.error().kind, ErrorKind::invalid);
    EXPECT_NE(parsed.error().message.find(" is not a URL such as "), std::string::npos)
        << parsed.error().message;
    EXPECT_EQ(parsed.error().message.find('\n'), std::string::npos);
  }
}

TEST(ParseUrl, UserInfoIsForAHeader) {
  EXPECT_EQ(parse_url("http://me:p%20w@h/")->authorization, "Basic bWU6cCB3");
  EXPECT_EQ(parse_url("http://token@h/")->authorization, "Basic dG9rZW46") << "with a colon";
  EXPECT_EQ(parse_url("http://h/")->authorization, "");
}

TEST(ParseUrl, PasswordsAreNotShown) {
  for (const std::string text : {"ftp://user:hunter2@host/", "http://user:hunter2@host:0/"}) {
    const auto parsed = parse_url(text);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().message.find("hunter2"), std::string::npos) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find("***"), std::string::npos) << parsed.error().message;
  }
}

TEST(Address, UnixSocketsAreLocalhost) {
  Address address;
  address.unix_path = "/run/docker.sock";
  EXPECT_EQ(address.authority(), "localhost");
  EXPECT_EQ(address.display(), "unix:///run/docker.sock");
}

}  // namespace
}  // namespace sidecar_executor::net
