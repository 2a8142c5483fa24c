#include "vault/aws_lease.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "base/go_duration.hpp"
#include "base/stamp.hpp"
#include "base/text.hpp"
#include "base/timeouts.hpp"
#include "net/boot_timer.hpp"

namespace sidecar_executor::vault {
namespace json = boost::json;
using net::Duration;

namespace {

/// The life of our token when the role's own TTL counts: as the Go executor.
constexpr Seconds default_token_ttl{3600};
/// Asked for on top of EXECUTOR_AWS_ROLE_TTL: what is kept free of the lease's end.
constexpr Seconds lease_margin = LeasePlan::lease_reserve;

Call lease_call(const char* path, json::object body, const Token& token, Duration limit) {
  Call call;
  call.method = "PUT";
  call.path = path;
  call.body = Secret(json::serialize(body));
  call.token = token.secret;
  call.limit = limit;
  return call;
}

}  // namespace

AwsLease::AwsLease(asio::any_io_executor executor, const Settings& settings,
                   const Lookup& environment, Log& log, AwsRole role)
    : executor_(std::move(executor)),
      settings_(settings),
      environment_(environment),
      log_(log),
      role_(std::move(role)) {}

Seconds AwsLease::token_increment() const {
  return (role_.ttl == Seconds(0) ? default_token_ttl : role_.ttl) + token_margin;
}

// ---- fetch -------------------------------------------------------------------------------------

/// What Vault was asked for it makes, whether we wait or not, and only the answer says what there
/// is to revoke. So a KILL waits for it a moment, unless a token of our own takes all with it.
asio::awaitable<Result<AwsCredentials>> AwsLease::fetch(net::Cancellation& cancellation) {
  net::Cancellation patient;
  std::optional<net::Deadline> patience;
  const auto hook = cancellation.on_cancel([&] {
    if (token_ && token_->ours) return patient.cancel();
    patience.emplace(executor_, timeouts::vault_after_cancel, [&patient] { patient.cancel(); });
  });
  Client client(executor_, settings_, environment_, patient);
  auto keys = co_await fetch_keys(client, cancellation);
  if (keys) co_return keys;
  co_return keys.error().during("AWS keys of EXECUTOR_AWS_ROLE", one_line(role_.name, 100));
}

asio::awaitable<Result<AwsCredentials>> AwsLease::fetch_keys(Client& client,
                                                             net::Cancellation& cancellation) {
  const Error cancelled{ErrorKind::cancelled, "cancelled"};
  if (cancellation.cancelled()) co_return cancelled;
  Login login(client, log_);
  auto token = co_await login.own_token();
  if (!token) co_return token.error();
  token_ = std::move(*token);
  if (cancellation.cancelled()) co_return cancelled;
  if (token_->ours) token_ = co_await login.extend(*token_, token_increment());
  Call call;
  call.path = "aws/creds/" + encode_path(role_.name);
  call.token = token_->secret;
  lease_received_ = net::boot_now();  // before the call: a slow answer must not add to the lease
  const auto answer = co_await client.ask(std::move(call));
  if (!answer) co_return answer.error();
  // Kept first of all, so that it can be revoked whatever else is wrong with the answer.
  lease_.id = answer->text({"lease_id"});
  auto keys = aws_credentials(*answer);
  if (cancellation.cancelled()) co_return cancelled;
  if (!keys) co_return keys.error();
  lease_ = keys->lease;
  set_expiry(lease_.duration);
  if (role_.ttl > Seconds(0)) co_await lengthen(client);
  plan_.emplace(Grant{lease_received_, lease_.duration, lease_.renewable, lease_increment()},
                Grant{token_->received, token_->duration, token_->renewable, token_increment()},
                role_.renew);
  if (!role_.renew) why_ = "EXECUTOR_AWS_ROLE_RENEW is false";
  if (role_.renew && !lease_.renewable) why_ = "Vault says that it cannot be renewed";
  log_.info("AWS keys leased from Vault",
            {{"role", role_.name},
             {"lease_id", lease_.id},
             {"duration", format_go_duration(lease_.duration)},
             {"renewable", lease_.renewable ? "true" : "false"},
             {"usable_for", format_for_people(plan_->usable_end() - net::boot_now())}});
  co_return keys;
}

Seconds AwsLease::lease_increment() const {
  return role_.ttl == Seconds(0) ? lease_.duration : role_.ttl + lease_margin;
}

/// As long as EXECUTOR_AWS_ROLE_TTL wants. The keys are good without, so a no is no failure.
asio::awaitable<void> AwsLease::lengthen(Client& client) {
  const Seconds asked = lease_increment();
  const BootTime before = net::boot_now();
  auto renewed = co_await ask_to_renew_lease(client, Duration::max());
  if (!renewed) {
    log_.warning(
        "The AWS lease cannot be made as long as EXECUTOR_AWS_ROLE_TTL says",
        {{"duration", format_go_duration(lease_.duration)}, {"error", renewed.error().message}});
    co_return;
  }
  lease_ = std::move(*renewed);
  lease_received_ = before;
  set_expiry(lease_.duration);
  if (lease_.duration < asked) {
    log_.warning(
        "Vault gave the AWS lease less than EXECUTOR_AWS_ROLE_TTL",
        {{"duration", format_go_duration(lease_.duration)}, {"wanted", format_go_duration(asked)}});
  }
}

asio::awaitable<Result<Lease>> AwsLease::ask_to_renew_lease(Client& client, Duration limit) {
  const auto answer = co_await client.ask(lease_call(
      "sys/leases/renew", {{"lease_id", lease_.id}, {"increment", lease_increment().count()}},
      *token_, limit));
  if (!answer) co_return answer.error();
  co_return renewed_lease(*answer);
}

void AwsLease::set_expiry(Seconds duration) {
  expiry_ = std::chrono::system_clock::now() + duration;
}

// ---- watch -------------------------------------------------------------------------------------

asio::awaitable<void> AwsLease::watch(std::function<void(std::string)> on_end,
                                      net::Cancellation& cancellation) {
  if (!plan_) co_return;
  Client client(executor_, settings_, environment_, cancellation);
  for (;;) {
    const LeaseStep step = plan_->next();
    if (!co_await net::sleep_until_boot(step.at, cancellation)) co_return;
    switch (step.what) {
      case LeaseStep::What::stop:
        co_return on_end(end_text());
      case LeaseStep::What::renew_lease:
        co_await renew_lease(client);
        break;
      case LeaseStep::What::renew_token:
        co_await renew_token(client);
        break;
    }
    if (cancellation.cancelled()) co_return;
  }
}

/// A Vault that hangs must not carry us past the usable end.
Duration AwsLease::until_end() const {
  return std::max<Duration>(plan_->usable_end() - net::boot_now(), Duration(1));
}

asio::awaitable<void> AwsLease::renew_lease(Client& client) {
  const Seconds asked = lease_increment();
  const BootTime before = net::boot_now();
  auto renewed = co_await ask_to_renew_lease(client, until_end());
  if (client.cancellation().cancelled()) co_return;
  if (!renewed) {
    plan_->lease_failed(net::boot_now());
    co_return note_failure("AWS lease", renewed.error());
  }
  // Its first duration stays in lease_: that is what every renewal asks for.
  lease_.id = renewed->id;
  set_expiry(renewed->duration);
  const bool enough = plan_->lease_renewed(before, renewed->duration, renewed->renewable);
  note_renewal(enough, "AWS lease", renewed->duration, asked);
}

asio::awaitable<void> AwsLease::renew_token(Client& client) {
  if (!token_->ours && co_await token_lives_on(client)) co_return;
  Call call = lease_call("auth/token/renew-self", {{"increment", token_increment().count()}},
                         *token_, until_end());
  call.method = "POST";
  const BootTime before = net::boot_now();
  const auto answer = co_await client.ask(std::move(call));
  if (client.cancellation().cancelled()) co_return;
  const auto grant = answer ? token_grant(*answer) : Result<TokenGrant>(answer.error());
  if (!grant) {
    plan_->token_failed(net::boot_now());
    co_return note_failure("Vault token", grant.error());
  }
  const bool enough = plan_->token_renewed(before, grant->duration, grant->renewable);
  note_renewal(enough, "Vault token", grant->duration, token_increment());
}

/// Of a token that is not ours. Vault counts the increment of a renewal from now, without regard to
/// what is left (CalculateTTL of its SDK): ours would shorten a longer life, which others count on.
/// Asked each time, because they renew it, too. False: it has less left, the renewal lengthens it.
asio::awaitable<bool> AwsLease::token_lives_on(Client& client) {
  Login login(client, log_);
  const BootTime before = net::boot_now();
  const auto state = co_await login.look_up(token_->secret, until_end());
  if (client.cancellation().cancelled()) co_return true;
  if (!state || !*state) {
    const Error rejected{ErrorKind::unauthorized, "Vault does not accept the token"};
    plan_->token_failed(net::boot_now());
    note_failure("Vault token", state ? rejected : state.error());
    co_return true;
  }
  const Seconds left = (*state)->ttl;
  if (left != Seconds(0) && left < token_increment()) co_return false;
  plan_->token_renewed(before, left, (*state)->renewable);
  forget_failure();
  log_.info("The Vault token is not ours and lives long enough, it is not renewed",
            {{"duration", format_go_duration(left)}});
  co_return true;
}

void AwsLease::forget_failure() {
  if (std::exchange(failing_, false)) why_.clear();
}

void AwsLease::note_renewal(bool enough, const char* what, Seconds got, Seconds asked) {
  forget_failure();
  if (enough) {
    log_.info(std::string(what) + " renewed", {{"duration", format_go_duration(got)}});
    return;
  }
  why_ = "Vault gave the " + std::string(what) + " " + format_go_duration(got) + " of the " +
         format_go_duration(asked) + " that were asked for";
  log_.warning("The container will be stopped before its AWS keys end",
               {{"why", why_}, {"in", format_for_people(until_end())}});
}

/// Said once, not at every try.
void AwsLease::note_failure(const char* what, const Error& error) {
  why_ = "the " + std::string(what) + " could not be renewed: " + error.message;
  if (std::exchange(failing_, true)) {
    log_.debug("Still cannot be renewed", {{"what", what}, {"error", error.message}});
    return;
  }
  log_.warning(
      "Cannot be renewed, retrying until the container has to be stopped",
      {{"what", what}, {"left", format_for_people(until_end())}, {"error", error.message}});
}

std::string AwsLease::end_text() const {
  std::string text = "the AWS keys' lease " + one_line(lease_.id, 200) + " of role " +
                     one_line(role_.name, 100) + " runs out, expiry " + format_utc(expiry_);
  if (!why_.empty()) text += " (" + why_ + ")";
  return text;
}

// ---- revoke ------------------------------------------------------------------------------------

asio::awaitable<void> AwsLease::revoke(Duration limit, net::Cancellation& cancellation) {
  if (!token_) co_return;
  const auto end = std::chrono::steady_clock::now() + limit;
  const Token token = std::move(*std::exchange(token_, std::nullopt));
  if (!lease_.id.empty()) {
    log_.info("Revoking the AWS lease", {{"lease_id", lease_.id}, {"role", role_.name}});
    // With the token its leases end: keep time for that.
    const Duration part =
        token.ours ? std::min<Duration>(timeouts::vault_revoke_lease, limit / 2) : limit;
    co_await revoke_one(lease_call("sys/leases/revoke", {{"lease_id", lease_.id}}, token, part),
                        "AWS lease", part, cancellation);
  }
  if (!token.ours) co_return;
  Call call;
  call.method = "POST";
  call.path = "auth/token/revoke-self";
  call.token = token.secret;
  co_await revoke_one(std::move(call), "Vault token", end - std::chrono::steady_clock::now(),
                      cancellation);
}

asio::awaitable<void> AwsLease::revoke_one(Call call, const char* what, Duration limit,
                                           net::Cancellation& cancellation) {
  call.limit = std::max<Duration>(limit, Duration(1));
  Client client(executor_, settings_, environment_, cancellation);
  const auto reply = co_await client.call(std::move(call));
  if (reply && reply->ok()) {
    log_.info(std::string(what) + " revoked");
    co_return;
  }
  log_.warning(std::string(what) + " could not be revoked, it ends by itself",
               {{"error", reply ? reply->error().message : reply.error().message}});
}

}  // namespace sidecar_executor::vault
