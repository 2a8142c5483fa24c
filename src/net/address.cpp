#include "net/address.hpp"

#include <charconv>

#include "base/encoding.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "base/url.hpp"

namespace sidecar_executor::net {
namespace {

Error bad(std::string_view text, std::string_view form) {
  return {ErrorKind::invalid,
          "\"" + one_line(redact_value("", text), 200) + "\" is not " + std::string(form)};
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

std::string Address::authority() const {
  if (is_unix()) return "localhost";
  return bracketed(host) + ":" + std::to_string(port);
}

std::string Address::display() const {
  if (is_unix()) return "unix://" + unix_path;
  return (tls ? "https://" : "http://") + authority();
}

Result<Address> parse_host_port(std::string_view text) {
  constexpr std::string_view form = "host:port (IPv6 as [::1]:port)";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return bad(text, form);
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 3) return bad(text, form);
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad(text, form);
  }
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), value);
  if (ec != std::errc{} || end != port.data() + port.size() || value == 0 || value > 65535) {
    return bad(text, form);
  }
  Address address;
  address.host = host;
  address.port = static_cast<std::uint16_t>(value);
  return address;
}

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view form = "a URL such as http://host:port/path";
  if (text.starts_with("unix://")) {
    Url url;
    url.address.unix_path = text.substr(7);
    url.path = "/";
    if (url.address.unix_path.empty()) return bad(text, "a URL such as unix:///path");
    return url;
  }
  auto parsed = parse_http_url(text);
  if (!parsed) return bad(text, form);
  Url url;
  url.address.host = std::move(parsed->host);
  url.address.port = parsed->port;
  url.address.tls = parsed->tls;
  url.path = std::move(parsed->path);
  if (!parsed->user_info.empty()) url.authorization = basic_authorization(parsed->user_info);
  return url;
}

}  // namespace sidecar_executor::net
