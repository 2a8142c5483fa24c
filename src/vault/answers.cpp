#include "vault/answers.hpp"

#include <algorithm>

#include "base/stamp.hpp"
#include "base/text.hpp"

namespace sidecar_executor::vault {
namespace {

/// A year more than anybody needs, and far from an overflow of nanoseconds.
constexpr std::int64_t longest = std::int64_t{10} * 366 * 24 * 3600;

std::optional<Seconds> seconds_at(const Answer& answer, Answer::Path path) {
  const auto number = answer.number(path);
  if (!number || *number < 0) return std::nullopt;
  return Seconds(std::min(*number, longest));
}

Error no_field(std::string_view what) {
  return {ErrorKind::protocol, "Vault's answer has no " + std::string(what)};
}

/// `password, username`; names only.
std::string listed(std::vector<std::string> names) {
  constexpr std::size_t most = 20;
  if (names.empty()) return "it has no keys";
  const std::size_t more = names.size() > most ? names.size() - most : 0;
  names.resize(names.size() - more);
  std::string out = "it has: ";
  for (const auto& name : names) out += (&name == &names.front() ? "" : ", ") + one_line(name, 60);
  return more == 0 ? out : out + " and " + std::to_string(more) + " more";
}

std::string shown(const SecretRef& ref) { return "secret " + one_line(ref.path, 200); }

const Node* value_at(const Answer& answer, const SecretRef& ref, const Mount& mount) {
  return mount.versions ? answer.find({"data", "data", ref.key}) : answer.find({"data", ref.key});
}

std::vector<std::string> keys_of(const Answer& answer, const Mount& mount) {
  return mount.versions ? answer.names_in({"data", "data"}) : answer.names_in({"data"});
}

bool holds_data(const Answer& answer, const Mount& mount) {
  const Node* data = mount.versions ? answer.find({"data", "data"}) : answer.find({"data"});
  return data != nullptr && data->kind == Node::Kind::object;
}

}  // namespace

Result<TokenGrant> token_grant(const Answer& answer) {
  TokenGrant grant;
  grant.token = Secret(answer.text({"auth", "client_token"}));
  if (grant.token.empty()) return no_field("auth.client_token");
  const auto duration = seconds_at(answer, {"auth", "lease_duration"});
  if (!duration) return no_field("auth.lease_duration");
  grant.duration = *duration;
  grant.renewable = answer.is_true({"auth", "renewable"});
  return grant;
}

Result<TokenState> token_state(const Answer& answer) {
  const auto ttl = seconds_at(answer, {"data", "ttl"});
  if (!ttl) return no_field("data.ttl");
  return TokenState{*ttl, answer.is_true({"data", "renewable"})};
}

Mount mount_of(const Answer& answer) {
  Mount mount;
  mount.path = answer.text({"data", "path"});
  while (mount.path.starts_with('/')) mount.path.erase(0, 1);
  if (!mount.path.empty() && !mount.path.ends_with('/')) mount.path += '/';
  const bool kv = answer.text({"data", "type"}) == "kv";
  mount.versions = kv && !mount.path.empty() && answer.text({"data", "options", "version"}) == "2";
  return mount;
}

std::string secret_target(const SecretRef& ref, const Mount& mount) {
  if (!mount.versions) return encode_path(ref.path);
  const std::string rest =
      ref.path.size() > mount.path.size() ? ref.path.substr(mount.path.size()) : std::string();
  std::string target = encode_path(mount.path) + "data/" + encode_path(rest);
  if (ref.version) target += "?version=" + std::to_string(*ref.version);
  return target;
}

Result<Secret> secret_value(const Answer& answer, const SecretRef& ref, const Mount& mount) {
  if (ref.version && !mount.versions) {
    return Error{ErrorKind::invalid,
                 shown(ref) +
                     " has no versions: its mount is not KV version 2 (or Vault does not "
                     "tell); leave out version="};
  }
  if (!holds_data(answer, mount)) return secret_missing(answer, ref, mount);
  const Node* node = value_at(answer, ref, mount);
  const std::string key = "key " + one_line(ref.key, 100);
  if (node == nullptr) {
    return Error{ErrorKind::not_found,
                 shown(ref) + " has no " + key + "; " + listed(keys_of(answer, mount))};
  }
  switch (node->kind) {
    case Node::Kind::object:
    case Node::Kind::array:
      return Error{ErrorKind::invalid, key + " of " + shown(ref) +
                                           " is an object or a list, no single value; " +
                                           listed(keys_of(answer, mount))};
    case Node::Kind::null:
      return Error{ErrorKind::invalid, key + " of " + shown(ref) + " is null"};
    default:
      break;
  }
  if (node->text.find('\0') != std::string::npos) {
    return Error{ErrorKind::invalid, key + " of " + shown(ref) +
                                         " holds a NUL byte, which no environment variable can"};
  }
  return Secret(node->text);
}

Error secret_missing(const Answer& answer, const SecretRef& ref, const Mount& mount) {
  Error error{ErrorKind::not_found, {}, 404};
  const std::string deleted = answer.text({"data", "metadata", "deletion_time"});
  const auto version = answer.number({"data", "metadata", "version"});
  const std::string which = version ? "version " + std::to_string(*version) + " of " : "";
  if (answer.is_true({"data", "metadata", "destroyed"})) {
    error.message = which + shown(ref) + " was destroyed";
  } else if (!deleted.empty()) {
    error.message = which + shown(ref) + " was deleted";
    if (is_stamp(deleted)) error.message += " at " + one_line(deleted, 40);
  } else {
    error.message = "Vault has no " + shown(ref);
    if (ref.version) error.message += ", or not its version " + std::to_string(*ref.version);
    if (mount.versions && ref.path.starts_with(mount.path + "data/"))
      error.message += " (leave out data/: it is added for KV version 2)";
  }
  return error;
}

Result<Lease> renewed_lease(const Answer& answer) {
  Lease lease;
  lease.id = answer.text({"lease_id"});
  if (lease.id.empty()) return no_field("lease_id");
  const auto duration = seconds_at(answer, {"lease_duration"});
  if (!duration) return no_field("lease_duration");
  lease.duration = *duration;
  lease.renewable = answer.is_true({"renewable"});
  return lease;
}

Result<AwsCredentials> aws_credentials(const Answer& answer) {
  AwsCredentials out;
  out.access_key = Secret(answer.text({"data", "access_key"}));
  out.secret_key = Secret(answer.text({"data", "secret_key"}));
  out.session_token = Secret(answer.text({"data", "security_token"}));
  if (out.access_key.empty()) return no_field("data.access_key");
  if (out.secret_key.empty()) return no_field("data.secret_key");
  auto lease = renewed_lease(answer);
  if (!lease) return lease.error();
  out.lease = std::move(*lease);
  return out;
}

std::string said(int status, std::string_view body) {
  const std::string code = "HTTP " + std::to_string(status);
  // Only what is Vault's own form is shown: any other body may hold anything.
  const auto answer = Answer::parse(body);
  if (!answer) return code + " without a reason of Vault's (is it a proxy's answer?)";
  std::string out;
  for (const auto& error : answer->texts_in({"errors"})) {
    out += (out.empty() ? "" : "; ") + one_line(error, 300);
  }
  return out.empty() ? code : code + ": " + one_line(out, 500);
}

}  // namespace sidecar_executor::vault
