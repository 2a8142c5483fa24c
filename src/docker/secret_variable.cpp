#include "docker/secret_variable.hpp"

#include <algorithm>

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "docker/body_parts.hpp"

namespace sidecar_executor::docker {
namespace {

constexpr std::size_t longest_shown = 200;
constexpr std::string_view scheme = "vault://";

/// `secret/team/app`: at least a mount and a name.
bool is_vault_path(std::string_view text) {
  const auto parts = split(text, '/');
  return parts.size() > 1 && std::none_of(parts.begin(), parts.end(), [](const auto& part) {
           return part.empty() || part.find_first_of(":?# ") != std::string::npos;
         });
}

Result<std::string> of_reference(const std::string& name, const std::string& key) {
  std::string out(name);
  if (!name.starts_with(scheme)) {
    if (!is_vault_path(name))
      return invalid(
          "secret.reference.name: expected a path in Vault such as secret/app, found \"" +
          one_line(name, longest_shown) + "\"");
    out.insert(0, scheme);
  }
  if (!key.empty() && out.find('?') == std::string::npos) out += "?key=" + percent_encode(key);
  return out;
}

}  // namespace

Result<std::string> secret_value(const mesos::EnvironmentVariable& variable) {
  if (variable.secret_value) {
    auto value = base64_decode(*variable.secret_value);
    if (!value) return invalid("secret.value.data: expected base64");
    // execve(2) knows no other end of a variable.
    if (value->find('\0') != std::string::npos)
      return invalid("secret.value.data: a variable cannot hold a zero byte");
    return std::move(*value);
  }
  if (variable.secret_reference)
    return of_reference(*variable.secret_reference, variable.secret_key);
  return invalid("secret: expected a value or a reference");
}

}  // namespace sidecar_executor::docker
