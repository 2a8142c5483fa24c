// doctor and Vault: as a task would come by a token, but leaving none behind.
#include <fcntl.h>

#include <algorithm>

#include "app/doctor.hpp"
#include "base/file.hpp"
#include "base/go_duration.hpp"
#include "base/log.hpp"
#include "vault/client.hpp"
#include "vault/environment.hpp"
#include "vault/login.hpp"
#include "vault/token_file.hpp"

namespace sidecar_executor::app {
namespace {

/// Login says in the log what doctor says in its own words.
class NoLog {
 public:
  [[nodiscard]] Log& log() { return log_; }

 private:
  FileDescriptor fd_{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  OutputBuffer buffer_{fd_.get()};
  Log log_{buffer_};
};

std::string life(vault::Seconds ttl) {
  return ttl.count() == 0 ? "does not end" : "ends in " + format_for_people(ttl);
}

constexpr const char* name = "vault";

/// One check of a Vault. Each step either adds its finding, or returns why it failed.
class VaultCheck {
 public:
  VaultCheck(vault::Client& client, Log& log, Findings& out, net::Duration revoke_limit)
      : client_(client), login_(client, log), out_(out), revoke_limit_(revoke_limit) {}

  /// In the order in which a task looks for a token, but a login is tried even where a token file
  /// would save it: the file's token ends, too.
  asio::awaitable<Result<void>> run() {
    const auto& settings = client_.settings();
    if (!settings.token.empty()) co_return co_await look_up(settings.token, "VAULT_TOKEN");
    if (settings.method == vault::Method::none && !settings.token_file.empty()) {
      const auto stored = vault::read_token_file(settings.token_file);
      if (!stored) co_return stored.error().during("VAULT_TOKEN_FILE");
      co_return co_await look_up(stored->token, "VAULT_TOKEN_FILE");
    }
    const auto token = co_await login_.own_token();
    const bool nothing_asked = !token && token.error().http_status == 0;
    if (nothing_asked && token.error().kind == ErrorKind::unauthorized)
      co_return co_await no_token(token.error().message);
    if (!token) co_return token.error();
    if (token->ours) co_return co_await give_back(*token);
    add(out_, Level::ok, name,
        where() + "the token of " + settings.home_token_file + " is accepted and " +
            life(token->duration));
    co_return boost::system::in_place_value;
  }
  [[nodiscard]] std::string where() const {
    return client_.settings().url.address.display() + ": ";
  }

 private:
  asio::awaitable<Result<void>> look_up(Secret token, const char* source) {
    const std::string what = "the token of " + std::string(source);
    const auto state = co_await login_.look_up(token);
    if (!state) co_return state.error();
    if (!*state) co_return Error{ErrorKind::unauthorized, "Vault does not accept " + what};
    add(out_, Level::ok, name, where() + what + " is accepted and " + life((*state)->ttl));
    co_return boost::system::in_place_value;
  }

  /// A login worked: its token is of no use to anybody.
  asio::awaitable<Result<void>> give_back(vault::Token token) {
    vault::Call revoke;
    revoke.method = "POST";
    revoke.path = "auth/token/revoke-self";
    revoke.token = token.secret;
    revoke.limit = revoke_limit_;
    const auto answer = co_await client_.ask(std::move(revoke));
    const std::string works =
        where() + "login by " + std::string(vault::to_string(client_.settings().method)) + " works";
    if (answer) {
      add(out_, Level::ok, name, works);
    } else {
      add(out_, Level::warn, name,
          works + "; its token cannot be revoked: " + answer.error().message,
          "the token " + life(token.duration));
    }
    co_return boost::system::in_place_value;
  }

  /// Tasks may bring what they log in with: at least Vault has to be there.
  asio::awaitable<Result<void>> no_token(std::string text) {
    vault::Call health;
    health.path = "sys/health?standbyok=true&perfstandbyok=true";
    const auto reply = co_await client_.call(std::move(health));
    if (!reply) co_return reply.error();
    if (reply->status >= 500) co_return reply->error();
    add(out_, Level::warn, name, where() + "answers; " + text,
        "tasks have to bring it in their environment");
    co_return boost::system::in_place_value;
  }

  vault::Client& client_;
  vault::Login login_;
  Findings& out_;
  net::Duration revoke_limit_;
};

}  // namespace

asio::awaitable<void> Doctor::vault(Findings& out, net::Cancellation& /*cancellation*/) {
  const bool used = !get("VAULT_ADDR").empty() || !get("VAULT_AGENT_ADDR").empty() ||
                    !loaded_.settings.aws_role.empty();
  if (!used) co_return add(out, Level::ok, name, "not set up (VAULT_ADDR is not set)");
  constexpr const char* advice = "tasks with vault:// values or EXECUTOR_AWS_ROLE fail";
  auto environment = vault::read_environment(inputs_.environment);
  for (const auto& problem : environment.problems) add(out, Level::fail, name, problem, advice);
  if (!out.empty()) co_return;
  for (const auto& warning : environment.warnings) add(out, Level::warn, name, warning);
  // Time is left for the revocation.
  auto& settings = environment.settings;
  settings.timeout = std::min<net::Duration>(settings.timeout, inputs_.limit * 4 / 5);
  settings.max_retries = 0;
  NoLog silent;
  // Not the check's cancellation: a token that was made has to be revoked. Each call has its limit.
  net::Cancellation never;
  vault::Client client(executor_, settings, inputs_.environment, never);
  VaultCheck check(client, silent.log(), out, inputs_.limit / 5);
  const auto checked = co_await check.run();
  if (!checked)
    add(out, Level::fail, name, at(settings.url.address.display(), checked.error().message),
        advice);
}

}  // namespace sidecar_executor::app
