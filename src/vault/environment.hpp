#pragma once
// What the VAULT_* variables say: those of Vault's own client, and those of the Go executor.
// Decides only; reads no file.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/settings.hpp"
#include "base/wipe.hpp"
#include "net/address.hpp"
#include "net/proxy.hpp"
#include "net/tls.hpp"

namespace sidecar_executor::vault {

using Seconds = std::chrono::seconds;

/// How to log in; what it needs is set.
enum class Method { none, userpass, approle, cert };

struct Settings {
  net::Url url;  ///< VAULT_AGENT_ADDR or VAULT_ADDR; path without `/` at its end
  std::string address_set_by = "VAULT_ADDR";
  net::TlsSettings tls;   ///< without VAULT_CAPATH, see ca_folder
  std::string ca_folder;  ///< every PEM file in it; not OpenSSL's hashed names
  std::chrono::nanoseconds timeout = std::chrono::seconds(60);  ///< of a request with its retries
  int max_retries = 2;
  /// Before a retry, and up to half as long again: 1 s to 1.5 s, as Vault's client. Tests shorten
  /// it.
  std::chrono::nanoseconds retry_wait = std::chrono::seconds(1);
  std::string name_space;           ///< X-Vault-Namespace
  std::optional<net::Proxy> proxy;  ///< VAULT_PROXY_ADDR, VAULT_HTTP_PROXY: for every server
  Secret token;
  std::string token_file;
  std::string home_token_file;  ///< ~/.vault-token
  Seconds ttl{86400};
  bool reuse_token_file = true;  ///< false after a bad VAULT_TTL
  Method method = Method::none;
  std::string mount;  ///< of the login method
  std::string username;
  Secret password;
  std::string role_id;
  Secret secret_id;
};

struct Environment {
  Settings settings;
  /// Vault cannot be used: `VAULT_ADDR="x" is not a URL such as ...`.
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

/// A variable that is set but empty is not set.
Environment read_environment(const Lookup& lookup);

/// `60`, `60s`, `1m30s`; more than 0.
Result<std::chrono::nanoseconds> parse_client_timeout(std::string_view text);

/// `userpass`, for messages.
std::string_view to_string(Method method);

}  // namespace sidecar_executor::vault
