#include "vault/lease.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::vault {
namespace {

using What = LeaseStep::What;
using namespace std::chrono_literals;

constexpr BootTime start = 1000s;

Grant lease(Seconds duration, bool renewable = true) {
  return {start, duration, renewable, duration};
}
Grant endless() { return {start, 0s, false, 0s}; }

struct EndRow {
  Seconds lease;
  Seconds token;  ///< 0 = endless
  BootTime end;   ///< after the start
};

TEST(LeasePlan, UsableEnd) {
  const EndRow table[] = {
      {3600s, 0s, 3240s},     // 360 s are kept free
      {720s, 0s, 360s},       // just enough for that
      {719s, 0s, 359500ms},   // shorter: half
      {4s, 0s, 2s},           //
      {1s, 0s, 500ms},        //
      {3600s, 4200s, 3240s},  // the token outlives the lease
      {3600s, 3000s, 2940s},  // leases end with their token
      {3600s, 100s, 50s},     // half of a short token
  };
  for (const auto& row : table) {
    const LeasePlan plan(lease(row.lease), lease(row.token), true);
    EXPECT_EQ(plan.usable_end() - start, row.end) << row.lease.count() << " " << row.token.count();
  }
}

TEST(LeasePlan, RenewedAtTwoThirdsOfTheUsableTime) {
  const LeasePlan plan(lease(3600s), endless(), true);
  EXPECT_EQ(plan.next().what, What::renew_lease);
  EXPECT_EQ(plan.next().at - start, 2160s);
}

TEST(LeasePlan, NotRenewableStopsAtTheUsableEnd) {
  const LeasePlan plan(lease(3600s, false), endless(), true);
  EXPECT_EQ(plan.next().what, What::stop);
  EXPECT_EQ(plan.next().at - start, 3240s);
}

TEST(LeasePlan, NotRenewedWhenTheSettingSaysNo) {
  const LeasePlan plan(lease(3600s), lease(7200s), false);
  EXPECT_EQ(plan.next().what, What::stop);
  EXPECT_EQ(plan.next().at - start, 3240s);
}

TEST(LeasePlan, TokenAndLeaseEachInTheirTime) {
  LeasePlan plan(lease(3600s), lease(1800s), true);
  EXPECT_EQ(plan.next().what, What::renew_token);
  EXPECT_EQ(plan.next().at - start, 1160s);
  EXPECT_TRUE(plan.token_renewed(start + 1160s, 1800s, true));
  EXPECT_EQ(plan.next().what, What::renew_lease);
  EXPECT_EQ(plan.next().at - start, 2160s);
  EXPECT_TRUE(plan.lease_renewed(start + 2160s, 3600s, true));
  EXPECT_EQ(plan.next().what, What::renew_token);
  EXPECT_EQ(plan.next().at - start, 2320s);
}

TEST(LeasePlan, ATokenThatOutlivesAFixedLeaseIsLeftAlone) {
  const LeasePlan plan(lease(3600s, false), lease(4200s), true);
  EXPECT_EQ(plan.next().what, What::stop);
}

TEST(LeasePlan, ATokenThatEndsFirstIsRenewedForAFixedLease) {
  LeasePlan plan(lease(3600s, false), lease(1800s), true);
  EXPECT_EQ(plan.next().what, What::renew_token);
  EXPECT_TRUE(plan.token_renewed(start + 1160s, 1800s, true));
  EXPECT_EQ(plan.usable_end() - start, 2900s);
  EXPECT_EQ(plan.next().what, What::renew_token);
  EXPECT_TRUE(plan.token_renewed(start + 2320s, 1800s, true));
  EXPECT_EQ(plan.next().what, What::stop) << "the lease is what ends now";
  EXPECT_EQ(plan.next().at - start, 3240s);
}

TEST(LeasePlan, LessThanAThirdIsTheEnd) {
  LeasePlan plan(lease(3600s), endless(), true);
  EXPECT_FALSE(plan.lease_renewed(start + 2160s, 1199s, true));
  EXPECT_EQ(plan.next().what, What::stop);
  EXPECT_EQ(plan.next().at - start, 2160s + 839s);
  LeasePlan enough(lease(3600s), endless(), true);
  EXPECT_TRUE(enough.lease_renewed(start + 2160s, 1200s, true));
  EXPECT_EQ(enough.next().what, What::renew_lease);
}

TEST(LeasePlan, ALeaseThatBecomesFixedIsKeptToItsEnd) {
  LeasePlan plan(lease(3600s), endless(), true);
  EXPECT_TRUE(plan.lease_renewed(start + 2160s, 3600s, false)) << "long enough";
  EXPECT_EQ(plan.next().what, What::stop);
  EXPECT_EQ(plan.next().at - start, 2160s + 3240s);
}

TEST(LeasePlan, ATokenRenewedForLessThanAThirdIsTheEnd) {
  LeasePlan plan(lease(3600s), lease(1800s), true);
  EXPECT_FALSE(plan.token_renewed(start + 1160s, 599s, true));
  EXPECT_EQ(plan.next().what, What::stop);
  EXPECT_EQ(plan.next().at - start, 1160s + 539s);
}

TEST(LeasePlan, FailuresAreRetriedUntilTheEnd) {
  LeasePlan plan(lease(3600s), endless(), true);
  BootTime now = plan.next().at;
  int tries = 0;
  for (; plan.next().what == What::renew_lease; now = plan.next().at) {
    ASSERT_LT(++tries, 1000);
    ASSERT_LT(now, plan.usable_end());
    plan.lease_failed(now);
    if (plan.next().what == What::renew_lease) {
      EXPECT_GE(plan.next().at - now, 1s);
      EXPECT_LE(plan.next().at - now, 60s);
    }
  }
  EXPECT_GT(tries, 20);
  EXPECT_EQ(plan.next().at - start, 3240s);
}

TEST(LeasePlan, ARenewalAfterFailuresCountsInFull) {
  LeasePlan plan(lease(3600s), endless(), true);
  plan.lease_failed(start + 2160s);
  EXPECT_LT(plan.next().at - start, 2300s);
  EXPECT_TRUE(plan.lease_renewed(start + 2250s, 3600s, true));
  EXPECT_EQ(plan.next().at - start, 2250s + 2160s);
}

TEST(LeasePlan, ATokenMadeEndlessDoesNotCount) {
  LeasePlan plan(lease(3600s), lease(600s), true);
  EXPECT_TRUE(plan.token_renewed(start + 100s, 0s, false));
  EXPECT_EQ(plan.usable_end() - start, 3240s);
  EXPECT_EQ(plan.next().what, What::renew_lease);
}

}  // namespace
}  // namespace sidecar_executor::vault
