#pragma once
// Pure: URLs of HTTP servers, as operators write them (RFC 3986).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sidecar_executor {

struct HttpUrl {
  bool tls = false;  ///< https
  std::string host;  ///< name or IP without brackets, decoded: no blank, no control character
  std::uint16_t port = 0;
  std::string path;       ///< with query, still encoded, at least `/`
  std::string user_info;  ///< `user:password`, decoded; empty = none
};

/// What neither a host nor the path of a request may hold. Bytes above ASCII may stand there.
bool holds_blank_or_control(std::string_view text);

/// `http://[user:password@]host[:port][/path][?query]`, or https; nullopt for anything else.
std::optional<HttpUrl> parse_http_url(std::string_view text);

}  // namespace sidecar_executor
