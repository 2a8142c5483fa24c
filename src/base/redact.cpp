#include "base/redact.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace sidecar_executor {
namespace {

constexpr std::array<std::string_view, 8> secret_words = {
    "secret", "password", "passwd", "token", "credential", "private_key", "api_key", "access_key"};

/// Names without such a word: half of a login, and a whole Docker config file.
constexpr std::array<std::string_view, 2> secret_names = {"vault_username", "docker_auth_config"};

constexpr std::string_view hidden = "[REDACTED]";

/// Behind `://`: how many bytes are user info, its `@` not counted; npos for none.
///
/// Passwords that nobody percent-encoded may hold any of `/?#@` and blanks, so the last `@` of the
/// word ends the user info, or the last one before the next URL. That may hide a host, a path and
/// words behind them; the other way would show half a password.
std::size_t user_info_size(std::string_view rest) {
  constexpr auto none = std::string_view::npos;
  const std::string_view word = rest.substr(0, rest.find_first_of(" \t\r\n"));
  const std::string_view authority = word.substr(0, word.find_first_of("/?#"));
  // `https://host/@scope/package` has neither in its authority: no user info.
  if (authority.find_first_of(":@") == none) return none;
  const auto in_word = word.rfind('@');
  if (authority.starts_with('[')) return in_word;  // an IPv6 address
  const auto before_the_next = rest.substr(0, rest.find("://")).rfind('@');
  if (in_word == none || before_the_next == none) return std::min(in_word, before_the_next);
  return std::max(in_word, before_the_next);
}

std::string hide_user_info(std::string_view value) {
  std::string out;
  for (;;) {
    const std::size_t at = value.find("://");
    if (at == std::string_view::npos) return out += value;
    out += value.substr(0, at + 3);
    value.remove_prefix(at + 3);
    const std::size_t size = user_info_size(value);
    if (size == std::string_view::npos) continue;
    const std::string_view info = value.substr(0, size);
    const std::size_t colon = info.find(':');
    // Without a colon the one word may be a token (https://TOKEN@github.com).
    if (colon != std::string_view::npos) out += info.substr(0, colon + 1);
    out += "***";
    value.remove_prefix(size);
  }
}

/// HTTPS_PROXY, http_proxy, VAULT_PROXY_ADDR.
bool is_proxy_name(std::string_view name) {
  const std::string lower = to_lower(name);
  return lower.ends_with("_proxy") || lower.ends_with("_proxy_addr");
}

}  // namespace

bool is_secret_name(std::string_view name) {
  const std::string lower = to_lower(name);
  for (const std::string_view word : secret_words) {
    if (lower.find(word) != std::string::npos) return true;
  }
  return std::find(secret_names.begin(), secret_names.end(), lower) != secret_names.end();
}

std::string redact_value(std::string_view name, std::string_view value) {
  if (is_secret_name(name)) return std::string(hidden);
  // net::parse_proxy takes one without a scheme, as curl and Go do: svc:password@proxy:3128.
  if (is_proxy_name(name) && value.find("://") == std::string_view::npos)
    return hide_user_info("://" + std::string(value)).substr(3);
  return hide_user_info(value);
}

std::string redact_line(std::string_view text) {
  const std::string line = hide_user_info(text);
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find_first_of(" \t", at), line.size() - 1) + 1;
    const std::string word = line.substr(at, end - at);
    const std::size_t equals = word.find('=');
    // What follows a blank may belong to it.
    if (equals != std::string::npos && is_secret_name(word.substr(0, equals)))
      return out + word.substr(0, equals + 1) + std::string(hidden);
    out += word;
    at = end;
  }
  return out;
}

std::string redact_assignment(std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) return std::string(assignment);
  const std::string_view name = assignment.substr(0, equals);
  return std::string(name) + "=" + redact_value(name, assignment.substr(equals + 1));
}

}  // namespace sidecar_executor
