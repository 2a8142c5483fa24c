#include "vault/environment.hpp"

#include <algorithm>
#include <charconv>

#include "base/go_duration.hpp"
#include "base/text.hpp"

namespace sidecar_executor::vault {
namespace {

constexpr Seconds shortest_ttl{3600};
constexpr Seconds longest_ttl{std::int64_t{10} * 366 * 24 * 3600};
constexpr int most_retries = 20;

class Reading {
 public:
  explicit Reading(const Lookup& lookup) : lookup_(lookup) {}

  Environment read() {
    address();
    tls();
    limits();
    proxy();
    tokens();
    login();
    return std::move(out_);
  }

 private:
  std::string get(std::string_view name) const { return lookup_(name).value_or(""); }
  /// The value is shown: no variable that is read this way holds a secret.
  void problem(const std::string& name, const std::string& value, std::string_view form) {
    out_.problems.push_back(name + "=\"" + one_line(value, 200) + "\" is not " + std::string(form));
  }

  void address();
  void tls();
  void limits();
  void proxy();
  void tokens();
  void ttl();
  void login();
  Method chosen_method();
  void log_in_by();
  /// A line end would end the request's headers. Go's client refuses such ones, too.
  void sendable(const char* name, std::string_view text) {
    if (std::any_of(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }))
      out_.problems.push_back(std::string(name) + " holds a character that no header may have");
  }
  void require(const char* name, bool set, const char* why) {
    if (!set) out_.problems.push_back(std::string(name) + " is not set, " + why);
  }

  const Lookup& lookup_;
  Environment out_;
  Settings& to_ = out_.settings;
};

void Reading::address() {
  std::string text = get("VAULT_AGENT_ADDR");
  to_.address_set_by = text.empty() ? "VAULT_ADDR" : "VAULT_AGENT_ADDR";
  if (text.empty()) text = get("VAULT_ADDR");
  if (text.empty()) text = "https://127.0.0.1:8200";
  auto url = net::parse_url(text);
  if (!url) {
    out_.problems.push_back(to_.address_set_by + "=" + url.error().message);
    return;
  }
  to_.url = std::move(*url);
  to_.url.path = to_.url.path.substr(0, to_.url.path.find('?'));
  while (to_.url.path.ends_with('/')) to_.url.path.pop_back();
}

void Reading::tls() {
  to_.tls.ca_file = get("VAULT_CACERT");
  to_.tls.ca_pem = get("VAULT_CACERT_BYTES");
  to_.ca_folder = get("VAULT_CAPATH");
  to_.tls.certificate_file = get("VAULT_CLIENT_CERT");
  to_.tls.key_file = get("VAULT_CLIENT_KEY");
  to_.tls.server_name = get("VAULT_TLS_SERVER_NAME");
  if (!to_.tls.key_file.empty() && to_.tls.certificate_file.empty()) {
    out_.problems.emplace_back("VAULT_CLIENT_KEY is set without VAULT_CLIENT_CERT");
  }
  const std::string skip = get("VAULT_SKIP_VERIFY");
  if (skip.empty()) return;
  const auto value = parse_go_bool(skip);
  if (!value) return problem("VAULT_SKIP_VERIFY", skip, "true or false");
  to_.tls.verify = !*value;
  if (*value) {
    out_.warnings.emplace_back(
        "VAULT_SKIP_VERIFY is set: Vault's certificate is not verified, whoever is on the way can "
        "read and change every secret and token");
  }
}

void Reading::limits() {
  if (const auto text = get("VAULT_CLIENT_TIMEOUT"); !text.empty()) {
    const auto timeout = parse_client_timeout(text);
    if (timeout) {
      to_.timeout = *timeout;
    } else {
      problem("VAULT_CLIENT_TIMEOUT", text, timeout.error().message);
    }
  }
  if (const auto text = get("VAULT_MAX_RETRIES"); !text.empty()) {
    const auto number = parse_go_int(text);
    if (number && *number >= 0) {
      to_.max_retries = static_cast<int>(std::min<std::int64_t>(*number, most_retries));
    } else {
      problem("VAULT_MAX_RETRIES", text, "a whole number from 0 on");
    }
  }
  to_.name_space = get("VAULT_NAMESPACE");
  while (to_.name_space.starts_with('/')) to_.name_space.erase(0, 1);
  sendable("VAULT_NAMESPACE", to_.name_space);
}

void Reading::proxy() {
  for (const char* name : {"VAULT_PROXY_ADDR", "VAULT_HTTP_PROXY"}) {
    const auto text = get(name);
    if (text.empty()) continue;
    auto proxy = net::parse_proxy(text);
    if (!proxy) {
      out_.problems.push_back(proxy.error().during(name).message);
      return;
    }
    to_.proxy = std::move(*proxy);
    return;
  }
}

void Reading::tokens() {
  std::string token = get("VAULT_TOKEN");
  // As in a token's file: a line end that came along when it was copied is none of it.
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' '))
    token.pop_back();
  sendable("VAULT_TOKEN", token);
  to_.token = Secret(std::move(token));
  to_.token_file = get("VAULT_TOKEN_FILE");
  if (const auto home = get("HOME"); !home.empty()) to_.home_token_file = home + "/.vault-token";
  ttl();
}

/// A bad one must not fail the task: the Go executor went on, too.
void Reading::ttl() {
  const auto text = get("VAULT_TTL");
  if (text.empty()) return;
  const auto number = parse_go_int(text);
  const bool usable = number && *number > 0;
  if (usable && Seconds(*number) >= shortest_ttl) {
    to_.ttl = std::min(Seconds(*number), longest_ttl);
    return;
  }
  if (usable) to_.ttl = Seconds(*number);
  to_.reuse_token_file = false;
  out_.warnings.push_back("VAULT_TTL=\"" + one_line(text, 50) +
                          "\" is not a number of seconds from 3600 on: a token in "
                          "VAULT_TOKEN_FILE is not reused, every task logs in");
}

Method Reading::chosen_method() {
  const auto text = get("VAULT_AUTH_METHOD");
  for (const auto method : {Method::userpass, Method::approle, Method::cert}) {
    if (text == to_string(method)) return method;
  }
  if (!text.empty()) problem("VAULT_AUTH_METHOD", text, "userpass, approle or cert");
  if (!to_.username.empty()) return Method::userpass;
  return to_.role_id.empty() ? Method::none : Method::approle;
}

/// With a VAULT_TOKEN nobody has to log in: half of what a login needs fails no task then.
void Reading::login() {
  const auto before = out_.problems.size();
  log_in_by();
  if (to_.token.empty() || out_.problems.size() == before) return;
  to_.method = Method::none;
  for (auto i = before; i < out_.problems.size(); ++i)
    out_.warnings.push_back(out_.problems[i] + "; VAULT_TOKEN is used");
  out_.problems.resize(before);
}

void Reading::log_in_by() {
  to_.username = get("VAULT_USERNAME");
  to_.password = Secret(get("VAULT_PASSWORD"));
  to_.role_id = get("VAULT_ROLE_ID");
  to_.secret_id = Secret(get("VAULT_SECRET_ID"));
  to_.method = chosen_method();
  to_.mount = get("VAULT_AUTH_MOUNT");
  while (to_.mount.ends_with('/')) to_.mount.pop_back();
  if (to_.mount.empty()) to_.mount = to_string(to_.method);
  switch (to_.method) {
    case Method::userpass:
      require("VAULT_USERNAME", !to_.username.empty(), "which login by userpass needs");
      return require("VAULT_PASSWORD", !to_.password.empty(), "which login by userpass needs");
    case Method::approle:
      // No secret id: a role may be bound to addresses alone.
      return require("VAULT_ROLE_ID", !to_.role_id.empty(), "which login by approle needs");
    case Method::cert:
      return require("VAULT_CLIENT_CERT", !to_.tls.certificate_file.empty(),
                     "which login by cert needs");
    case Method::none:
      return;
  }
}

}  // namespace

Environment read_environment(const Lookup& lookup) { return Reading(lookup).read(); }

Result<std::chrono::nanoseconds> parse_client_timeout(std::string_view text) {
  Error error{ErrorKind::invalid, "a number of seconds or a duration such as 60s or 1m30s"};
  const bool digits = text.size() < 8 && all_digits(text);
  const auto value = parse_go_duration(digits ? std::string(text) + "s" : std::string(text));
  if (!value || value->count() <= 0) return error;
  return *value;
}

std::string_view to_string(Method method) {
  switch (method) {
    case Method::userpass:
      return "userpass";
    case Method::approle:
      return "approle";
    case Method::cert:
      return "cert";
    case Method::none:
      break;
  }
  return "";
}

}  // namespace sidecar_executor::vault
