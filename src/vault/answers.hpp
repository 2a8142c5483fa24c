#pragma once
// Pure: what Vault's answers mean (its HTTP API documentation; ../shared/golden shows them).
// Messages name paths and keys, never values.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/wipe.hpp"
#include "vault/answer.hpp"
#include "vault/secret_ref.hpp"

namespace sidecar_executor::vault {

using Seconds = std::chrono::seconds;

/// `auth` of a login or a renewal of a token.
struct TokenGrant {
  Secret token;
  Seconds duration{0};  ///< 0 = it does not end
  bool renewable = false;
};
Result<TokenGrant> token_grant(const Answer& answer);

/// `data` of auth/token/lookup-self.
struct TokenState {
  Seconds ttl{0};  ///< 0 = it does not end
  bool renewable = false;
};
Result<TokenState> token_state(const Answer& answer);

/// Where a secret is: a mount and whether it keeps versions.
struct Mount {
  std::string path;  ///< with `/` at its end, `secret/`; empty when it is not known
  bool versions = false;
};
/// Of sys/internal/ui/mounts/<path>.
Mount mount_of(const Answer& answer);

/// The target below /v1/ to read a secret from, with its query.
std::string secret_target(const SecretRef& ref, const Mount& mount);

/// The value that `ref` asks for. Errors: not_found (no such key; a deleted version), invalid (an
/// object, null, a NUL byte).
Result<Secret> secret_value(const Answer& answer, const SecretRef& ref, const Mount& mount);

/// Why there is nothing at `ref`: an answer of 404.
Error secret_missing(const Answer& answer, const SecretRef& ref, const Mount& mount);

struct Lease {
  std::string id;
  Seconds duration{0};
  bool renewable = false;
};
/// Of sys/leases/renew.
Result<Lease> renewed_lease(const Answer& answer);

/// Of aws/creds/<role>.
struct AwsCredentials {
  Lease lease;
  Secret access_key;
  Secret secret_key;
  Secret session_token;  ///< empty when Vault gives none
};
Result<AwsCredentials> aws_credentials(const Answer& answer);

/// What Vault said, for a message: `permission denied`; `HTTP 502` when it said nothing.
std::string said(int status, std::string_view body);

}  // namespace sidecar_executor::vault
