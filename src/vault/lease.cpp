#include "vault/lease.hpp"

#include <algorithm>

namespace sidecar_executor::vault {
namespace {

/// What of `duration` can be used when `reserve` is kept free of its end.
BootTime usable(Seconds duration, Seconds reserve) {
  return duration < 2 * reserve ? BootTime(duration) / 2 : BootTime(duration - reserve);
}

}  // namespace

BootTime LeasePlan::Part::end() const {
  return endless ? BootTime::max() : grant.received + usable(grant.duration, reserve);
}

/// Of the usable time, not of all of it: two thirds of a short lease lie behind its usable end.
BootTime LeasePlan::Part::renewal() const {
  if (endless || !grant.renewable) return BootTime::max();
  return retry.value_or(grant.received + usable(grant.duration, reserve) * 2 / 3);
}

bool LeasePlan::Part::renewed(BootTime now, Seconds duration, bool renewable) {
  const bool enough = duration * 3 >= grant.asked;
  grant.received = now;
  grant.duration = duration;
  grant.renewable = renewable && enough;
  retry.reset();
  return enough;
}

LeasePlan::LeasePlan(const Grant& lease, const Grant& token, bool renew)
    : lease_{lease, lease_reserve, false, {}},
      token_{token, token_reserve, token.duration == Seconds(0), {}} {
  lease_.grant.renewable = renew && lease.renewable;
  token_.grant.renewable = renew && token.renewable;
}

BootTime LeasePlan::usable_end() const { return std::min(lease_.end(), token_.end()); }

LeaseStep LeasePlan::next() const {
  const BootTime end = usable_end();
  // A token that outlives a lease which cannot be renewed need not be renewed for it.
  const bool token_counts = lease_.grant.renewable || token_.end() < lease_.end();
  const BootTime token = token_counts ? token_.renewal() : BootTime::max();
  const BootTime lease = lease_.renewal();
  if (token < end && token <= lease) return {LeaseStep::What::renew_token, token};
  if (lease < end) return {LeaseStep::What::renew_lease, lease};
  return {LeaseStep::What::stop, end};
}

bool LeasePlan::lease_renewed(BootTime now, Seconds duration, bool renewable) {
  return lease_.renewed(now, duration, renewable);
}

bool LeasePlan::token_renewed(BootTime now, Seconds duration, bool renewable) {
  token_.endless = duration == Seconds(0);
  return token_.endless || token_.renewed(now, duration, renewable);
}

/// A twelfth of what is left: often enough, without a thousand executors leaning on a Vault that
/// comes back.
void LeasePlan::failed(Part& part, BootTime now) const {
  constexpr BootTime shortest = std::chrono::seconds(1);
  constexpr BootTime longest = std::chrono::minutes(1);
  part.retry = now + std::clamp((usable_end() - now) / 12, shortest, longest);
}

void LeasePlan::lease_failed(BootTime now) { failed(lease_, now); }
void LeasePlan::token_failed(BootTime now) { failed(token_, now); }

}  // namespace sidecar_executor::vault
