// What counts as a failure, what is news, and what is said how often.
#include "sidecar/health.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::sidecar {
namespace {

constexpr Status statuses[] = {Status::alive, Status::tombstone, Status::unhealthy, Status::unknown,
                               Status::draining};

TEST(HealthJudge, Names) {
  std::string all;
  for (const Status status : statuses) all += std::string(to_string(status)) + " ";
  EXPECT_EQ(all, "ALIVE TOMBSTONE UNHEALTHY UNKNOWN DRAINING ");
  EXPECT_EQ(to_string(static_cast<Status>(17)), "UNKNOWN");
}

/// How many UNHEALTHY it takes.
int fails_until_the_limit(std::int64_t max_fails) {
  HealthJudge judge(max_fails);
  for (int n = 1; n <= 10; ++n) {
    if (judge.observe(Status::unhealthy).limit_reached) return n;
  }
  return -1;
}

TEST(HealthJudge, TheLimitIsWhatTheSettingSays) {
  EXPECT_EQ(fails_until_the_limit(0), 1);
  EXPECT_EQ(fails_until_the_limit(1), 1);
  EXPECT_EQ(fails_until_the_limit(3), 3);
  EXPECT_EQ(fails_until_the_limit(-5), 1);
}

TEST(HealthJudge, MessageOfTheLimit) {
  HealthJudge one(1);
  EXPECT_EQ(one.observe(Status::tombstone).limit_message,
            "unhealthy in Sidecar: 1 consecutive failed check (last status TOMBSTONE)");
  HealthJudge three(3);
  EXPECT_EQ(three.observe(Status::unhealthy).limit_message, "");
  EXPECT_EQ(three.observe(Status::tombstone).limit_message, "");
  EXPECT_EQ(three.observe(Status::unhealthy).limit_message,
            "unhealthy in Sidecar: 3 consecutive failed checks (last status UNHEALTHY)");
}

TEST(HealthJudge, FlappingNeverReachesTheLimit) {
  for (const Status between : {Status::alive, Status::unknown, Status::draining}) {
    HealthJudge judge(3);
    for (int n = 0; n < 50; ++n) {
      EXPECT_FALSE(judge.observe(Status::unhealthy).limit_reached);
      EXPECT_FALSE(judge.observe(Status::tombstone).limit_reached);
      EXPECT_EQ(judge.fails(), 2);
      EXPECT_FALSE(judge.observe(between).limit_reached);
      EXPECT_EQ(judge.fails(), 0) << to_string(between);
    }
  }
}

TEST(HealthJudge, NoAnswerLeavesTheCountAsItIs) {
  HealthJudge judge(3);
  judge.observe(Status::unhealthy);
  judge.observe(Status::unhealthy);
  for (int n = 0; n < 100; ++n) EXPECT_FALSE(judge.observe(NoAnswer{"down"}).limit_reached);
  EXPECT_EQ(judge.fails(), 2);
  EXPECT_EQ(judge.known(), false);
  EXPECT_TRUE(judge.observe(Status::unhealthy).limit_reached);
}

TEST(HealthJudge, NoAnswerAloneSaysNothingAboutHealth) {
  HealthJudge judge(0);
  for (int n = 0; n < 10; ++n) {
    const auto verdict = judge.observe(NoAnswer{"down"});
    EXPECT_FALSE(verdict.limit_reached);
    EXPECT_FALSE(verdict.changed);
  }
  EXPECT_FALSE(judge.known());
}

TEST(HealthJudge, ChangesAreToldOnce) {
  HealthJudge judge(100);
  EXPECT_EQ(judge.observe(Status::unknown).changed, std::nullopt) << "no news";
  EXPECT_EQ(judge.observe(Status::draining).changed, std::nullopt);
  EXPECT_EQ(judge.observe(Status::alive).changed, true) << "the first";
  EXPECT_EQ(judge.observe(Status::alive).changed, std::nullopt);
  EXPECT_EQ(judge.observe(Status::unhealthy).changed, false);
  EXPECT_EQ(judge.observe(Status::tombstone).changed, std::nullopt) << "still not healthy";
  EXPECT_EQ(judge.observe(Status::unknown).changed, std::nullopt);
  EXPECT_EQ(judge.known(), false) << "UNKNOWN is no health";
  EXPECT_EQ(judge.observe(NoAnswer{"x"}).changed, std::nullopt);
  EXPECT_EQ(judge.observe(Status::alive).changed, true);
}

TEST(HealthJudge, TroubleIsToldOnceAChange) {
  HealthJudge judge(3);
  EXPECT_EQ(judge.observe(Status::alive).trouble, std::nullopt) << "none from the start";
  EXPECT_EQ(judge.observe(NoAnswer{"down"}).trouble, "down");
  EXPECT_EQ(judge.observe(NoAnswer{"down"}).trouble, std::nullopt);
  EXPECT_EQ(judge.observe(NoAnswer{"HTTP 500"}).trouble, "HTTP 500");
  EXPECT_EQ(judge.observe(Status::unknown).trouble, "") << "it can tell again";
  EXPECT_EQ(judge.observe(Status::alive).trouble, std::nullopt);
  EXPECT_EQ(judge.observe(NoAnswer{"down"}).trouble, "down") << "and again";
}

}  // namespace
}  // namespace sidecar_executor::sidecar
