#include "vault_engine.hpp"

#include <algorithm>
#include <boost/url/decode_view.hpp>
#include <boost/url/pct_string_view.hpp>

#include "vault_answers.hpp"
#include "vault_kv.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;
using std::chrono::seconds;

bool is_write(const VaultRequest& request) {
  return request.method == "PUT" || request.method == "POST";
}

VaultEngine::Reply refused(unsigned status, const std::string& why) {
  return {vault_errors(status, json::array{json::value(why)}), {}};
}

VaultEngine::Reply not_supported() {
  return refused(405, "1 error occurred:\n\t* unsupported operation\n\n");
}

// Null: not JSON, or no object.
json::value body_of(const VaultRequest& request) {
  json::error_code error;
  json::value body = json::parse(request.body.empty() ? "{}" : request.body, error);
  return error || !body.is_object() ? json::value() : body;
}

std::string text_in(const json::value& body, std::string_view name) {
  const json::value* value = body.as_object().if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// Seconds as a number or as text, as Vault takes them.
seconds increment_in(const json::value& body) {
  const json::value* value = body.as_object().if_contains("increment");
  if (value == nullptr) return seconds(0);
  if (value->is_int64()) return seconds(value->get_int64());
  return seconds(value->is_string() ? std::atol(value->get_string().c_str()) : 0);
}

// The mount that the path is in, and what comes behind it.
template <typename T>
const auto* mount_in(const VaultContent::Mounts<T>& mounts, const std::string& path,
                     std::string& rest) {
  const std::pair<const std::string, std::map<std::string, T>>* best = nullptr;
  for (const auto& mount : mounts) {
    const bool fits = path == mount.first || path.starts_with(mount.first + "/");
    if (fits && (best == nullptr || mount.first.size() > best->first.size())) best = &mount;
  }
  if (best != nullptr) rest = path.substr(std::min(path.size(), best->first.size() + 1));
  return best;
}

}  // namespace

std::optional<VaultRequest> vault_request(const CallRequest& call) {
  const auto question = call.target.find('?');
  const std::string target = call.target.substr(0, question);
  const std::string before = "/v1/";
  if (!target.starts_with(before)) return std::nullopt;
  const auto encoded = boost::urls::make_pct_string_view(target);
  if (!encoded) return std::nullopt;
  VaultRequest request;
  request.method = call.method;
  const auto decoded = **encoded;
  request.path = std::string(decoded.begin(), decoded.end()).substr(before.size());
  if (question != std::string::npos) request.query = call.target.substr(question + 1);
  if (const auto token = call.headers.find("x-vault-token"); token != call.headers.end()) {
    request.token = token->second;
  }
  request.body = call.body;
  return request;
}

VaultEngine::VaultEngine(VaultContent content, VaultStore::Now now, Issued issued)
    : content_(std::move(content)), store_(std::move(now)), issued_(std::move(issued)) {
  for (const auto& [name, token] : content_.tokens) {
    VaultToken fixed;
    fixed.id = token.id;
    fixed.name = name;
    fixed.path = "auth/token/create";
    fixed.display_name = "token";
    store_.add_token(std::move(fixed), token.life);
  }
}

json::object VaultEngine::summary() {
  json::object result = store_.summary();
  result["logins"] = logins_;
  return result;
}

VaultEngine::Reply VaultEngine::answer(const VaultRequest& request) {
  if (request.path.starts_with("auth/") && request.path.find("/login") != std::string::npos) {
    return login(request);
  }
  VaultToken* token = request.token ? store_.token(*request.token) : nullptr;
  Reply reply;
  if (token == nullptr) {
    reply = refused(403, "permission denied");
    reply.details["token"] = request.token ? json::value("unknown") : json::value();
    return reply;
  }
  const std::string name = token->name, mounts = "sys/internal/ui/mounts/";
  if (request.path.starts_with("auth/token/")) {
    reply = token_call(request, *token);
  } else if (request.path.starts_with("sys/leases/")) {
    reply = lease_call(request);
  } else if (request.path.starts_with(mounts)) {
    reply = mount_of(request.path.substr(mounts.size()));
  } else {
    reply = read(request, *token);
  }
  reply.details["token"] = name;
  return reply;
}

VaultEngine::Reply VaultEngine::login(const VaultRequest& request) {
  const json::value body = body_of(request);
  if (!is_write(request)) return not_supported();
  if (body.is_null()) return refused(400, "failed to parse JSON input: invalid character");
  const std::string path = request.path.substr(std::string("auth/").size());
  std::string rest;
  if (const auto* mount = mount_in(content_.userpass, path, rest)) {
    const std::string user = rest.starts_with("login/") ? rest.substr(6) : "";
    const auto found = mount->second.find(user);
    if (found == mount->second.end() || found->second.password != text_in(body, "password")) {
      return refused(400, "invalid username or password");
    }
    return new_token("userpass-" + user, request.path, {{"username", user}}, found->second.life);
  }
  if (const auto* mount = mount_in(content_.approle, path, rest); mount && rest == "login") {
    const auto found = mount->second.find(text_in(body, "role_id"));
    if (found == mount->second.end() || found->second.secret_id != text_in(body, "secret_id")) {
      return refused(400, "invalid role or secret ID");
    }
    return new_token("approle", request.path, {{"role_name", "app"}}, found->second.life);
  }
  return refused(403, "permission denied");
}

VaultEngine::Reply VaultEngine::new_token(const std::string& name, const std::string& path,
                                          json::object meta, const VaultLife& life) {
  VaultToken token;
  token.name = name + "-" + std::to_string(++logins_);
  token.path = path;
  token.display_name = name;
  token.meta = std::move(meta);
  const VaultToken* added = store_.add_token(std::move(token), life);
  issued_(added->id);
  Reply reply{vault_answer({{"auth", vault_auth(*added, store_.rest(added->term))}}), {}};
  reply.details["token"] = added->name;
  return reply;
}

VaultEngine::Reply VaultEngine::token_call(const VaultRequest& request, VaultToken& token) {
  const std::string call = request.path.substr(std::string("auth/token/").size());
  if (call == "lookup-self" && request.method == "GET") return lookup(token);
  if (call == "revoke-self" && is_write(request)) {
    store_.revoke_token(std::string(token.id));
    return {vault_no_content(), {}};
  }
  if (call != "renew-self" || !is_write(request)) return not_supported();
  const json::value body = body_of(request);
  if (body.is_null()) return refused(400, "failed to parse JSON input: invalid character");
  if (!token.term.end) return refused(400, "lease not found");
  if (!token.term.life.renewable) return refused(400, "lease is not renewable");
  const seconds asked = increment_in(body);
  const seconds granted = store_.renew(token.term, asked);
  return {vault_answer({{"auth", vault_auth(token, granted)}}),
          {{"increment", asked.count()}, {"granted", granted.count()}}};
}

VaultEngine::Reply VaultEngine::lookup(const VaultToken& token) const {
  return {vault_answer({{"data", vault_lookup(token, store_.rest(token.term))}}), {}};
}

VaultEngine::Reply VaultEngine::lease_call(const VaultRequest& request) {
  const std::string call = request.path.substr(std::string("sys/leases/").size());
  const json::value body = body_of(request);
  if (!is_write(request)) return not_supported();
  if (body.is_null()) return refused(400, "failed to parse JSON input: invalid character");
  const std::string id = text_in(body, "lease_id");
  VaultLease* lease = store_.lease(id);
  json::object details{{"lease", lease != nullptr ? json::value(lease->name) : json::value()}};
  if (call == "revoke") {
    store_.revoke_lease(id);
    return {vault_no_content(), details};  // also for a lease that is not there
  }
  if (call != "renew") return not_supported();
  if (lease == nullptr) return refused(400, "lease not found");
  if (!lease->term.life.renewable) return refused(400, "lease is not renewable");
  const seconds asked = increment_in(body);
  const seconds granted = store_.renew(lease->term, asked);
  details["increment"] = asked.count();
  details["granted"] = granted.count();
  return {
      vault_answer({{"lease_id", id}, {"renewable", true}, {"lease_duration", granted.count()}}),
      details};
}

VaultEngine::Reply VaultEngine::mount_of(const std::string& path) const {
  std::string rest;
  const auto mounted = [](const std::string& mount, const char* type, json::value options) {
    const json::object data{{"accessor", std::string(type) + "_1"},
                            {"config", json::object{}},
                            {"description", ""},
                            {"local", false},
                            {"options", std::move(options)},
                            {"path", mount + "/"},
                            {"type", type}};
    return Reply{vault_answer({{"data", data}}), {}};
  };
  if (const auto* mount = mount_in(content_.kv2, path, rest)) {
    return mounted(mount->first, "kv", json::object{{"version", "2"}});
  }
  if (const auto* mount = mount_in(content_.kv1, path, rest)) {
    return mounted(mount->first, "kv", nullptr);
  }
  if (const auto* mount = mount_in(content_.aws, path, rest)) {
    return mounted(mount->first, "aws", nullptr);
  }
  return refused(403,
                 "preflight capability check returned 403, please ensure client's policies grant "
                 "access to path \"" +
                     path + "/\"");
}

VaultEngine::Reply VaultEngine::read(const VaultRequest& request, const VaultToken& token) {
  if (request.method != "GET") return not_supported();
  std::string rest;
  if (const auto* mount = mount_in(content_.aws, request.path, rest)) {
    const std::string before = "creds/";
    if (rest.starts_with(before)) {
      return credentials(mount->first, rest.substr(before.size()), token);
    }
  }
  if (const auto* mount = mount_in(content_.kv2, request.path, rest)) {
    return {vault_read_kv2(mount->second, rest, request.query), {}};
  }
  if (const auto* mount = mount_in(content_.kv1, request.path, rest)) {
    return {vault_read_kv1(mount->second, rest), {}};
  }
  return refused(404, "no handler for route \"" + request.path + "\". route entry not found.");
}

VaultEngine::Reply VaultEngine::credentials(const std::string& mount, const std::string& role,
                                            const VaultToken& token) {
  const auto& roles = content_.aws.at(mount);
  const auto found = roles.find(role);
  if (found == roles.end()) return refused(400, "Role \"" + role + "\" not found");
  VaultLease lease;
  lease.id = mount + "/creds/" + role;
  lease.name = role + "-" + std::to_string(++leases_);
  lease.token = token.id;
  const VaultLease* added = store_.add_lease(std::move(lease), found->second.life);
  json::object data{{"access_key", "AKIA" + random_text(16)},
                    {"secret_key", random_text(20) + "/+" + random_text(18)},
                    {"security_token", nullptr}};
  if (found->second.security_token) data["security_token"] = random_text(200) + "==";
  for (const auto& member : data) {
    if (member.value().is_string()) issued_(std::string(member.value().get_string()));
  }
  Reply reply{vault_answer({{"lease_id", added->id},
                            {"renewable", added->term.life.renewable},
                            {"lease_duration", store_.rest(added->term).count()},
                            {"data", std::move(data)}}),
              {}};
  reply.details["lease"] = added->name;
  return reply;
}

}  // namespace mini_agent
