#include "base/backoff.hpp"

#include <gtest/gtest.h>

#include <climits>

namespace sidecar_executor {
namespace {

using namespace std::chrono_literals;

TEST(BackoffTest, DoublesUpToTheLongest) {
  const std::chrono::nanoseconds wanted[] = {100ms, 200ms, 400ms, 800ms, 1s, 1s};
  int failures = 0;
  for (const auto wait : wanted) EXPECT_EQ(doubled(100ms, 1s, failures++), wait);
}

TEST(BackoffTest, StaysInItsLimitsForAnyCount) {
  EXPECT_EQ(doubled(100ms, 5s, INT_MAX), 5s);
  EXPECT_EQ(doubled(100ms, 5s, -1), 100ms);
  EXPECT_EQ(doubled(7s, 5s, 0), 5s);
  // The longest is not near the end of the type.
  EXPECT_EQ(doubled(1ns, std::chrono::hours(24 * 365), 1000), std::chrono::hours(24 * 365));
}

}  // namespace
}  // namespace sidecar_executor
