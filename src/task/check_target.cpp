#include "task/check_target.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "net/address.hpp"

namespace sidecar_executor::task {
namespace {

constexpr std::string_view loopback_v4 = "127.0.0.1";
constexpr std::string_view loopback_v6 = "::1";

bool can_be_sent(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != '\x7f'; });
}

}  // namespace

CheckTarget check_target(const docker::ContainerState& container) {
  CheckTarget out;
  out.container_id = container.id;
  out.known = !container.status.empty();
  if (container.network_mode == "host") {
    out.v4 = loopback_v4;
    out.v6 = loopback_v6;
    return out;
  }
  for (const auto& address : container.addresses) {
    auto& place = address.v6 ? out.v6 : out.v4;
    if (place.empty()) place = address.ip;
  }
  return out;
}

std::optional<HttpPlace> redirected(const HttpPlace& from, std::string_view location,
                                    std::string_view asked) {
  location = location.substr(0, location.find('#'));
  if (location.empty() || !can_be_sent(location)) return std::nullopt;
  HttpPlace to = from;
  if (location.starts_with("//") || location.find("://") < location.find_first_of("/?")) {
    const std::string scheme = location.front() != '/' ? "" : from.tls ? "https:" : "http:";
    const auto url = net::parse_url(scheme + std::string(location));
    if (!url || url->address.is_unix()) return std::nullopt;
    const std::string host = to_lower(url->address.host);
    if (host != asked && host != loopback_v4 && host != loopback_v6 && host != "localhost")
      return std::nullopt;
    to.tls = url->address.tls;
    to.port = url->address.port;
    to.path = url->path;
    return to;
  }
  const auto query = from.path.find('?');
  if (location.front() == '/') {
    to.path = location;
  } else if (location.front() == '?') {
    to.path = from.path.substr(0, query);
    to.path += location;
  } else {
    to.path = from.path.substr(0, from.path.rfind('/', query) + 1);
    to.path += location;
  }
  return to;
}

}  // namespace sidecar_executor::task
