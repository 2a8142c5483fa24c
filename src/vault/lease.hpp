#pragma once
// Pure: until when leased credentials can be used, and when to renew what they hang on. Times are
// those of one clock (CLOCK_BOOTTIME) that the caller reads.

#include <chrono>
#include <optional>

#include "vault/answers.hpp"

namespace sidecar_executor::vault {

using BootTime = std::chrono::nanoseconds;  ///< since the machine's start, suspend included

/// Something of Vault's that ends: a lease, or the token that it hangs on.
struct Grant {
  BootTime received{0};
  Seconds duration{0};  ///< 0 for a token = it does not end
  bool renewable = false;
  Seconds asked{0};  ///< what renewals ask for
};

/// What to do next, and when.
struct LeaseStep {
  enum class What { renew_lease, renew_token, stop };
  What what = What::stop;
  BootTime at = BootTime::max();  ///< max: never (nothing ends)
};

/// The AWS keys' lease and our token: leases die with their token.
class LeasePlan {
 public:
  /// Kept free of a lease's end, to drain and stop in; a lease below twice that keeps half.
  static constexpr Seconds lease_reserve{360};
  static constexpr Seconds token_reserve{60};

  /// `renew` false: EXECUTOR_AWS_ROLE_RENEW says no.
  LeasePlan(const Grant& lease, const Grant& token, bool renew);

  /// The container must not run any longer than this.
  [[nodiscard]] BootTime usable_end() const;
  /// The next renewal (at two thirds of the usable time), or the stop.
  [[nodiscard]] LeaseStep next() const;

  /// Vault's answer to a renewal. False when it gave less than a third of what was asked: that one
  /// is not renewed again.
  bool lease_renewed(BootTime now, Seconds duration, bool renewable);
  bool token_renewed(BootTime now, Seconds duration, bool renewable);
  /// No answer, or a refusal: tried again until the usable end.
  void lease_failed(BootTime now);
  void token_failed(BootTime now);

 private:
  struct Part {
    Grant grant;
    Seconds reserve;
    bool endless = false;
    std::optional<BootTime> retry;  ///< instead of two thirds
    [[nodiscard]] BootTime end() const;
    [[nodiscard]] BootTime renewal() const;
    bool renewed(BootTime now, Seconds duration, bool renewable);
  };
  void failed(Part& part, BootTime now) const;
  Part lease_;
  Part token_;
};

}  // namespace sidecar_executor::vault
