#pragma once
// What may be shown of an environment variable (behaviour.md 10).

#include <string>
#include <string_view>

namespace sidecar_executor {

/// True when the name says secret: contains SECRET, PASSWORD, PASSWD, TOKEN, CREDENTIAL,
/// PRIVATE_KEY, API_KEY or ACCESS_KEY in any case, or is VAULT_USERNAME or DOCKER_AUTH_CONFIG.
bool is_secret_name(std::string_view name);

/// The value as it may be logged: `[REDACTED]` for secret names, `scheme://user:***@host/...` for
/// URLs with user info (anywhere in the value), `user:***@host` for a proxy's without a scheme
/// (names that end in _PROXY or _PROXY_ADDR), else the value itself. Keeps no part of a secret.
std::string redact_value(std::string_view name, std::string_view value);

/// A line of somebody's output as it may be told: each `NAME=value` in it, and what redact_value()
/// hides of any text.
std::string redact_line(std::string_view line);

/// `NAME=value` with the value redacted; without `=`: the text itself.
std::string redact_assignment(std::string_view assignment);

}  // namespace sidecar_executor
