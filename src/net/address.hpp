#pragma once
// Where a server is: host and port, or the path of a unix socket.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace sidecar_executor::net {

class TlsContext;
struct Proxy;

struct Address {
  std::string host;  ///< name or IP without brackets; empty for a unix socket
  std::uint16_t port = 0;
  std::string unix_path;
  bool tls = false;
  std::shared_ptr<const TlsContext> tls_context;  ///< needed to connect when tls is set
  std::shared_ptr<const Proxy> proxy;  ///< on the way there, if any; never to a unix socket

  [[nodiscard]] bool is_unix() const { return !unix_path.empty(); }
  /// For the Host header: `host:port`, IPv6 in brackets; `localhost` for a unix socket.
  [[nodiscard]] std::string authority() const;
  /// For people: `unix:///run/docker.sock`, `https://host:2376`, `http://127.0.0.1:5051`.
  [[nodiscard]] std::string display() const;
};

/// `host:port`, `[::1]:port`. Errors (invalid) show the text and the form.
Result<Address> parse_host_port(std::string_view text);

/// An HTTP URL taken apart.
struct Url {
  Address address;
  std::string path;           ///< with query, at least `/`
  std::string authorization;  ///< for user info in the URL, `Basic ...`; empty = none
};

/// `http://host[:port][/path]`, `https://...`, `unix:///path`. Errors (invalid) show the text; user
/// info in the URL is shown as `***`.
Result<Url> parse_url(std::string_view text);

}  // namespace sidecar_executor::net
