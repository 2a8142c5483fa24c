#include "base/url.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>

namespace sidecar_executor {
namespace {

/// Printable ASCII with a `://`. Other texts are no URLs of servers, and Boost.URL 1.81 ends the
/// program by an assertion for some of them (`http:` and one byte that no path may have).
bool may_be_url(std::string_view text) {
  return text.find("://") != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// 1 to 65535. Boost.URL 1.81 takes 99999 for 34463.
std::optional<std::uint16_t> port_of(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

}  // namespace

bool holds_blank_or_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

std::optional<HttpUrl> parse_http_url(std::string_view text) {
  if (!may_be_url(text)) return std::nullopt;
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed || parsed->host_address().empty()) return std::nullopt;
  HttpUrl url;
  url.tls = parsed->scheme_id() == boost::urls::scheme::https;
  if (!url.tls && parsed->scheme_id() != boost::urls::scheme::http) return std::nullopt;
  url.host = parsed->host_address();
  // Decoded: `a%0d%0ab` would put a line of its own into every request.
  if (holds_blank_or_control(url.host)) return std::nullopt;
  url.port = url.tls ? 443 : 80;
  if (parsed->has_port() && !parsed->port().empty()) {
    const auto port = port_of(std::string_view(parsed->port()));
    if (!port) return std::nullopt;
    url.port = *port;
  }
  url.path = std::string(parsed->encoded_path());
  // Boost.URL 1.81 ends the authority at a port that is no number and takes it for a path.
  if (!url.path.empty() && url.path.front() != '/') return std::nullopt;
  if (url.path.empty()) url.path = "/";
  if (parsed->has_query()) url.path += "?" + std::string(parsed->encoded_query());
  url.user_info = parsed->userinfo();
  return url;
}

}  // namespace sidecar_executor
