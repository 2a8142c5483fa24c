#pragma once
// Base64, by OpenSSL, and the percent encoding of URLs.

#include <optional>
#include <string>
#include <string_view>

namespace sidecar_executor {

std::string base64_encode(std::string_view bytes);
/// RFC 4648 section 5 with padding, as Docker wants X-Registry-Auth.
std::string base64url_encode(std::string_view bytes);
/// Standard alphabet, padding optional, white space ignored; nullopt for anything else.
std::optional<std::string> base64_decode(std::string_view text);

/// Value of an Authorization header for `user:password`, or `user` alone (RFC 7617).
std::string basic_authorization(std::string user_info);

/// All but the unreserved characters of RFC 3986 and those of `kept` become %XX.
std::string percent_encode(std::string_view text, std::string_view kept = {});
/// The byte that the escape at text[at] stands for; nullopt where there is no % with two hex
/// digits.
std::optional<char> percent_escape(std::string_view text, std::size_t at);

}  // namespace sidecar_executor
