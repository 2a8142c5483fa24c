#include "vault/login.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/encoding.hpp"
#include "base/go_duration.hpp"
#include "base/timeouts.hpp"
#include "net/boot_timer.hpp"

namespace sidecar_executor::vault {
namespace json = boost::json;

namespace {

/// A file this old is not used: its token may end while the task starts. As the Go executor.
constexpr Seconds file_grace{3600};

Secret text_of(const json::object& body) { return Secret(json::serialize(body)); }

void hide(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
    text.replace(at, secret.size(), "***");
  }
}

void set_life(Token& token, const TokenState& state, std::chrono::nanoseconds received) {
  token.duration = state.ttl;
  token.renewable = state.renewable;
  token.received = received;
}

Token to_token(TokenGrant grant, std::chrono::nanoseconds received) {
  Token token;
  token.secret = std::move(grant.token);
  set_life(token, {grant.duration, grant.renewable}, received);
  return token;
}

}  // namespace

// ---- which token -------------------------------------------------------------------------------

asio::awaitable<Result<Token>> Login::shared_token() {
  if (!settings().token.empty()) {
    Token token;
    token.secret = settings().token;
    co_return token;
  }
  if (!settings().token_file.empty()) {
    auto found = co_await from_file(Secret());
    if (!found) co_return found.error();
    if (*found) co_return std::move(**found);
  }
  co_return co_await log_in_for_all(Secret());
}

asio::awaitable<Result<Token>> Login::another_token(const Secret& rejected) {
  if (settings().method == Method::none) {
    co_return Error{ErrorKind::unauthorized,
                    "Vault does not accept the token, and there is nothing to log in with "
                    "(VAULT_USERNAME and VAULT_PASSWORD, or VAULT_ROLE_ID)"};
  }
  log_.warning("Vault does not accept the token any more, logging in");
  co_return co_await log_in_for_all(rejected);
}

asio::awaitable<Result<Token>> Login::own_token() {
  if (settings().method != Method::none) {
    auto token = co_await log_in();
    // A Vault Agent that caches answers the same login of another task with the same token.
    if (token) token->ours = settings().address_set_by != "VAULT_AGENT_ADDR";
    co_return token;
  }
  Result<Token> token = Token();
  token->secret = settings().token;
  if (token->secret.empty()) token = from_home();
  if (!token) co_return token;
  const auto before = net::boot_now();
  const auto state = co_await look_up(token->secret);
  if (!state) co_return state.error();
  if (!*state) co_return Error{ErrorKind::unauthorized, "Vault does not accept the token"};
  set_life(*token, **state, before);
  co_return token;
}

/// With the file's lock, so that of fifty executors that start at once one logs in. Without it,
/// when it cannot be had: a task must not fail for a cache.
asio::awaitable<Result<Token>> Login::log_in_for_all(Secret rejected) {
  if (settings().method == Method::none) co_return from_home();
  const std::string& file = settings().token_file;
  if (file.empty()) co_return co_await new_token();
  const auto lock =
      co_await TokenLock::take(file, timeouts::vault_token_lock, client_.cancellation());
  if (!lock && lock.error().kind == ErrorKind::cancelled) co_return lock.error();
  if (!lock) {
    log_.warning("VAULT_TOKEN_FILE cannot be locked, logging in without",
                 {{"error", lock.error().message}});
  } else {
    auto found = co_await from_file(rejected);
    if (!found) co_return found.error();
    if (*found) co_return std::move(**found);
  }
  auto token = co_await new_token();
  if (!token) co_return token;
  const auto written = write_token_file(file, token->secret);
  if (!written) {
    log_.warning("VAULT_TOKEN_FILE cannot be written, the next task will log in, too",
                 {{"error", written.error().message}});
  }
  co_return token;
}

asio::awaitable<Result<Token>> Login::new_token() {
  auto token = co_await log_in();
  if (!token) co_return token;
  co_return co_await extend(std::move(*token), settings().ttl + token_margin);
}

/// What the file holds, unless it is old, unreadable, or `rejected` itself.
std::optional<Secret> Login::read_file(const Secret& rejected) {
  const auto say = [this](const std::string& text) {
    if (std::exchange(said_, text) != text) log_.warning(text);
  };
  if (!settings().reuse_token_file) return std::nullopt;
  auto stored = read_token_file(settings().token_file);
  if (!stored) {
    if (stored.error().kind != ErrorKind::not_found)
      say("VAULT_TOKEN_FILE is not used: " + stored.error().message);
    return std::nullopt;
  }
  if (!stored->warning.empty()) say("VAULT_TOKEN_FILE " + stored->warning);
  if (stored->age >= settings().ttl - file_grace) {
    log_.info("The token of VAULT_TOKEN_FILE is too old to be reused",
              {{"file", settings().token_file}, {"age", format_for_people(stored->age)}});
    return std::nullopt;
  }
  if (stored->token == rejected) return std::nullopt;
  return std::move(stored->token);
}

asio::awaitable<Result<std::optional<Token>>> Login::from_file(Secret rejected) {
  auto stored = read_file(rejected);
  if (!stored) co_return std::optional<Token>();
  const auto before = net::boot_now();
  const auto state = co_await look_up(*stored);
  if (!state) co_return state.error();
  if (!*state) {
    log_.info("Vault does not accept the token of VAULT_TOKEN_FILE",
              {{"file", settings().token_file}});
    co_return std::optional<Token>();
  }
  log_.info("Reusing the token of VAULT_TOKEN_FILE", {{"file", settings().token_file}});
  Token token;
  token.secret = std::move(*stored);
  set_life(token, **state, before);
  co_return std::optional<Token>(std::move(token));
}

/// As Vault's own command line does; last, because it is nobody's setting for tasks.
Result<Token> Login::from_home() {
  const auto stored = settings().home_token_file.empty()
                          ? Result<StoredToken>(Error{ErrorKind::not_found, {}})
                          : read_token_file(settings().home_token_file);
  if (!stored) {
    std::string text =
        "no token for Vault: set VAULT_TOKEN, VAULT_USERNAME and VAULT_PASSWORD, VAULT_ROLE_ID and "
        "VAULT_SECRET_ID, or VAULT_AUTH_METHOD=cert";
    if (stored.error().kind != ErrorKind::not_found) text += " (" + stored.error().message + ")";
    return Error{ErrorKind::unauthorized, std::move(text)};
  }
  if (!stored->warning.empty()) log_.warning(stored->warning);
  log_.info("Using the token of Vault's command line", {{"file", settings().home_token_file}});
  Token token;
  token.secret = stored->token;
  return token;
}

// ---- Vault's calls -----------------------------------------------------------------------------

Call Login::login_call() const {
  const Settings& s = settings();
  Call call;
  call.method = "POST";
  call.path = "auth/" + encode_path(s.mount) + "/login";
  switch (s.method) {
    case Method::userpass:
      call.shown = call.path + "/<VAULT_USERNAME>";
      call.path += "/" + percent_encode(s.username);
      call.body = text_of({{"password", s.password.text()}});
      break;
    case Method::approle: {
      json::object body{{"role_id", s.role_id}};
      if (!s.secret_id.empty()) body["secret_id"] = s.secret_id.text();
      call.body = text_of(body);
      break;
    }
    default:
      call.body = text_of({});
      break;
  }
  return call;
}

/// Vault does not repeat what it was given; whoever answers in its place might.
Error Login::without_secrets(Error error) const {
  for (const std::string* secret :
       {&settings().password.text(), &settings().secret_id.text(), &settings().username}) {
    // Shorter ones would spoil the words of the message more than they would show.
    if (secret->size() > 3) hide(error.message, *secret);
  }
  return error;
}

asio::awaitable<Result<Token>> Login::log_in() {
  const std::string method(to_string(settings().method));
  const auto before = net::boot_now();
  const auto answer = co_await client_.ask(login_call());
  if (!answer) co_return without_secrets(answer.error().during("log in by " + method));
  auto grant = token_grant(*answer);
  if (!grant) co_return grant.error().during("log in by " + method);
  log_.info("Logged in to Vault", {{"method", method},
                                   {"address", settings().url.address.display()},
                                   {"ttl", format_go_duration(grant->duration)}});
  co_return to_token(std::move(*grant), before);
}

asio::awaitable<Token> Login::extend(Token token, Seconds increment) {
  if (!token.renewable) {
    if (token.duration != Seconds(0) && token.duration < increment) {
      log_.warning("Vault's token cannot be renewed", {{"ttl", format_go_duration(token.duration)},
                                                       {"wanted", format_go_duration(increment)}});
    }
    co_return token;
  }
  Call call;
  call.method = "POST";
  call.path = "auth/token/renew-self";
  call.body = text_of({{"increment", increment.count()}});
  call.token = token.secret;
  const auto before = net::boot_now();
  const auto answer = co_await client_.ask(std::move(call));
  const auto grant = answer ? token_grant(*answer) : Result<TokenGrant>(answer.error());
  if (!grant) {
    log_.warning("Vault's token cannot be renewed, going on with its first life",
                 {{"ttl", format_go_duration(token.duration)}, {"error", grant.error().message}});
    co_return token;
  }
  set_life(token, {grant->duration, grant->renewable}, before);
  if (grant->duration != Seconds(0) && grant->duration < increment) {
    log_.warning(
        "Vault gave the token a shorter life than asked for",
        {{"ttl", format_go_duration(grant->duration)}, {"wanted", format_go_duration(increment)}});
  }
  co_return token;
}

asio::awaitable<Result<std::optional<TokenState>>> Login::look_up(const Secret& token,
                                                                  net::Duration limit) {
  Call call;
  call.path = "auth/token/lookup-self";
  call.token = token;
  call.limit = limit;
  const auto reply = co_await client_.call(std::move(call));
  if (!reply) co_return reply.error();
  // 403 is a token that is unknown or has ended; 401 comes from proxies and agents.
  if (reply->status == 403 || reply->status == 401) co_return std::optional<TokenState>();
  const auto answer = reply->answer();
  if (!answer) co_return answer.error();
  const auto state = token_state(*answer);
  if (!state) co_return state.error().during(reply->where);
  co_return std::optional<TokenState>(*state);
}

}  // namespace sidecar_executor::vault
