#pragma once
// Pure: `vault://path/to/secret?key=k&version=N`, the value of an environment variable that stands
// for a secret (../shared/spec/vault.md "Secrets in the environment").

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace sidecar_executor::vault {

struct SecretRef {
  std::string path;  ///< decoded, without `/` at its ends
  std::string key = "value";
  std::optional<std::int64_t> version;  ///< 1 or more; only KV version 2 has them
};

/// `vault://...`; the Go executor compares exactly so.
bool is_secret_ref(std::string_view value);

/// Percent-encoding is decoded, in the query `+` is a blank; a fragment and other parameters are
/// ignored, as in the Go executor. Errors (invalid) say what is wrong with the reference.
Result<SecretRef> parse_secret_ref(std::string_view value);

/// Each segment encoded for a URL, the `/` between them kept.
std::string encode_path(std::string_view path);

}  // namespace sidecar_executor::vault
