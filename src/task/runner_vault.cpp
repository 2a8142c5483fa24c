// The part of the runner that talks to Vault, and only when the task needs it.
#include "base/text.hpp"
#include "base/timeouts.hpp"
#include "task/phase_clock.hpp"
#include "task/runner.hpp"
#include "vault/secrets.hpp"

namespace sidecar_executor::task {

/// At the start, so that a setting that cannot be used is known before a task needs it.
void Runner::read_vault_settings() {
  vault_ = vault::read_environment(config_.environment);
  for (const auto& problem : vault_.problems) {
    log_.warning("A setting of Vault cannot be used, a task that needs Vault will fail",
                 {{"problem", problem}});
  }
}

void Runner::add_vault(LaunchInputs& inputs) {
  inputs.resolve = [this](std::vector<std::string> env) { return resolve(std::move(env)); };
  if (!config_.settings.aws_role.empty()) inputs.aws_keys = [this] { return aws_keys(); };
}

/// Before the first use: what is wrong, and what is dangerous.
std::optional<Error> Runner::vault_problem() {
  if (!vault_.problems.empty()) {
    std::string text;
    for (const auto& problem : vault_.problems) text += (text.empty() ? "" : "; ") + problem;
    return Error{ErrorKind::invalid, "Vault cannot be used: " + text};
  }
  for (const auto& warning : std::exchange(vault_.warnings, {})) log_.warning(warning);
  return std::nullopt;
}

asio::awaitable<Result<std::vector<std::string>>> Runner::resolve(
    std::vector<std::string> environment) {
  const auto variable = vault::first_to_resolve(environment);
  if (!variable) co_return environment;
  if (auto problem = vault_problem()) co_return problem->during("variable", *variable);
  const PhaseClock clock(report_.phases, "secrets");
  vault::Client client(loop_.get_executor(), vault_.settings, config_.environment, launch_cancel_);
  vault::Secrets secrets(client, log_);
  auto resolved = co_await secrets.resolve(std::move(environment));
  if (!resolved) co_return resolved.error().during("Vault");
  co_return resolved;
}

asio::awaitable<Result<ExtraEnvironment>> Runner::aws_keys() {
  if (auto problem = vault_problem()) co_return problem->during("EXECUTOR_AWS_ROLE");
  const PhaseClock clock(report_.phases, "AWS keys");
  vault::AwsRole role;
  role.name = config_.settings.aws_role;
  role.ttl = std::chrono::duration_cast<vault::Seconds>(config_.settings.aws_role_ttl);
  role.renew = config_.settings.aws_role_renew;
  aws_lease_.emplace(loop_.get_executor(), vault_.settings, config_.environment, log_,
                     std::move(role));
  const auto keys = co_await aws_lease_->fetch(launch_cancel_);
  if (!keys) co_return keys.error().during("Vault");
  spawn(watch_lease());
  ExtraEnvironment out{{"AWS_ACCESS_KEY_ID", keys->access_key.text()},
                       {"AWS_SECRET_ACCESS_KEY", keys->secret_key.text()}};
  if (!keys->session_token.empty())
    out.emplace_back("AWS_SESSION_TOKEN", keys->session_token.text());
  co_return out;
}

asio::awaitable<void> Runner::watch_lease() {
  co_await aws_lease_->watch(
      [this](std::string text) {
        log_.warning("The container is stopped, its AWS keys end", {{"why", text}});
        StopRequest request;
        request.cause = StopCause::lease;
        request.grace = task_->kill_grace_period.value_or(kill_timeout());
        request.drain = true;
        request.text = std::move(text);
        post(event::StopAsked{std::move(request), std::nullopt});
      },
      lease_cancel_);
}

/// Beside the wait for the acknowledgement of the terminal update.
void Runner::on(const action::Revoke&) {
  lease_cancel_.cancel();
  if (!aws_lease_) return post(event::Revoked{});
  spawn(revoke());
}

asio::awaitable<void> Runner::revoke() {
  co_await aws_lease_->revoke(timeouts::revoke, revoke_cancel_);
  post(event::Revoked{});
}

}  // namespace sidecar_executor::task
