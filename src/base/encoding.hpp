#pragma once
// Base64, by OpenSSL.

#include <optional>
#include <string>
#include <string_view>

namespace sidecar_executor {

std::string base64_encode(std::string_view bytes);
/// RFC 4648 section 5 with padding, as Docker wants X-Registry-Auth.
std::string base64url_encode(std::string_view bytes);
/// Standard alphabet, padding optional, white space ignored; nullopt for anything else.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace sidecar_executor
