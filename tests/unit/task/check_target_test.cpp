// Whom a check asks, and which redirects it follows.
#include "task/check_target.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::task {
namespace {

TEST(CheckTarget, FirstAddressOfEachProtocol) {
  docker::ContainerState container;
  container.id = "abc";
  container.network_mode = "blue";
  container.addresses = {
      {"172.18.0.2", false}, {"fd00::2", true}, {"172.19.0.2", false}, {"fd01::2", true}};
  const auto target = check_target(container);
  EXPECT_EQ(target.container_id, "abc");
  EXPECT_EQ(target.v4, "172.18.0.2");
  EXPECT_EQ(target.v6, "fd00::2");
}

TEST(CheckTarget, TheHostsNetworkIsTheLoopback) {
  docker::ContainerState container;
  container.network_mode = "host";
  EXPECT_EQ(check_target(container).v4, "127.0.0.1");
  EXPECT_EQ(check_target(container).v6, "::1");
}

TEST(CheckTarget, NoNetworkNoAddress) {
  docker::ContainerState container;
  container.network_mode = "none";
  EXPECT_EQ(check_target(container).v4, "");
  EXPECT_EQ(check_target(container).v6, "");
}

/// `http 8080 /path`, or `-`.
std::string shown(const std::optional<HttpPlace>& place) {
  if (!place) return "-";
  return (place->tls ? "https " : "http ") + std::to_string(place->port) + " " + place->path;
}

TEST(CheckTarget, Redirects) {
  const HttpPlace from{false, 8080, "/a/b?c=/d"};
  const struct {
    const char* location;
    const char* to;
  } table[] = {
      {"/login", "http 8080 /login"},
      {"/login?next=http://x/", "http 8080 /login?next=http://x/"},
      {"login", "http 8080 /a/login"},
      {"?x=1", "http 8080 /a/b?x=1"},
      {"/x#top", "http 8080 /x"},
      {"http://127.0.0.1:9090/x", "http 9090 /x"},
      {"http://localhost/x", "http 80 /x"},
      {"https://LOCALHOST:8443", "https 8443 /"},
      {"http://[::1]:81/", "http 81 /"},
      {"http://172.17.0.2:8080/x", "http 8080 /x"},
      {"//127.0.0.1:82/x", "http 82 /x"},
      {"http://172.17.0.3:8080/x", "-"},
      {"http://169.254.169.254/latest", "-"},
      {"http://example.com/", "-"},
      {"//example.com/", "-"},
      {"ftp://127.0.0.1/", "-"},
      {"unix:///run/docker.sock", "-"},
      {"", "-"},
      {"#top", "-"},
      {"/a b", "-"},
      {"/a\r\nX: y", "-"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(shown(redirected(from, row.location, "172.17.0.2")), row.to) << row.location;
  }
  EXPECT_EQ(shown(redirected({true, 443, "/"}, "//127.0.0.1/x", "fd00::2")), "https 443 /x");
  EXPECT_EQ(shown(redirected({true, 443, "/"}, "http://[fd00::2]/x", "fd00::2")), "http 80 /x");
}

}  // namespace
}  // namespace sidecar_executor::task
