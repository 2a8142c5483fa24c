// Deadline, Signal, sleep_for and Cancellation.

#include "net/deadline.hpp"

#include <gtest/gtest.h>

#include "net/cancellation.hpp"
#include "support/run.hpp"

namespace sidecar_executor::net {
namespace {

using namespace std::chrono_literals;

class TimeTest : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(loop.runs_out(2s)) << "a timer was left behind"; }
  test::Loop loop;
};

TEST_F(TimeTest, DeadlineExpiresOnce) {
  int expired = 0;
  Deadline deadline(loop.executor(), 5ms, [&] { ++expired; });
  EXPECT_FALSE(deadline.expired());
  loop.until([&] { return expired > 0; }, "the deadline");
  EXPECT_TRUE(deadline.expired());
  loop.poll();
  EXPECT_EQ(expired, 1);
}

TEST_F(TimeTest, DeadlineNeverExpiresInItsConstructor) {
  int expired = 0;
  Deadline deadline(loop.executor(), 0ns, [&] { ++expired; });
  EXPECT_EQ(expired, 0);
  loop.until([&] { return expired > 0; }, "the deadline");
}

TEST_F(TimeTest, DestroyedBeforeItsTimeDoesNothing) {
  int expired = 0;
  {
    Deadline deadline(loop.executor(), 5ms, [&] { ++expired; });
  }
  {
    Deadline deadline(loop.executor(), 1h, [&] { ++expired; });
  }
  EXPECT_TRUE(loop.runs_out(2s)) << "the timer of an hour is gone";
  EXPECT_EQ(expired, 0);
}

TEST_F(TimeTest, DestroyedWhenItsExpiryIsQueuedDoesNothing) {
  int expired = 0;
  int others = 0;
  auto second = std::make_unique<Deadline>(loop.executor(), 1ms, [&] { ++expired; });
  // Due at the same turn of the loop, and first.
  Deadline first(loop.executor(), 0ns, [&] {
    ++others;
    second.reset();
  });
  const auto both_due = test::Clock::now() + 2ms;
  while (test::Clock::now() < both_due) {
  }
  loop.until([&] { return others > 0; }, "the first deadline");
  EXPECT_TRUE(loop.runs_out(2s));
  EXPECT_EQ(expired, 0);
}

TEST_F(TimeTest, RestartedDeadlineCountsFromThen) {
  int expired = 0;
  Deadline deadline(loop.executor(), 20ms, [&] { ++expired; });
  deadline.restart(1h);
  Deadline other(loop.executor(), 40ms, [] {});
  loop.until([&] { return other.expired(); }, "the other deadline");
  EXPECT_EQ(expired, 0);
  deadline.restart(1ms);
  loop.until([&] { return expired > 0; }, "the restarted deadline");
  EXPECT_EQ(expired, 1);
}

TEST_F(TimeTest, RestartedWhenItsExpiryIsQueuedDoesNotExpire) {
  int expired = 0;
  int others = 0;
  Deadline second(loop.executor(), 1ms, [&] { ++expired; });
  Deadline first(loop.executor(), 0ns, [&] {
    ++others;
    second.restart(1h);
  });
  const auto both_due = test::Clock::now() + 2ms;
  while (test::Clock::now() < both_due) {
  }
  loop.until([&] { return others > 0; }, "the first deadline");
  loop.poll();
  EXPECT_EQ(expired, 0);
}

TEST_F(TimeTest, RestartWithoutLimitNeverExpires) {
  int expired = 0;
  Deadline deadline(loop.executor(), 1ms, [&] { ++expired; });
  deadline.restart(Duration::max());
  EXPECT_TRUE(loop.runs_out(2s)) << "no timer waits";
  EXPECT_EQ(expired, 0);
}

TEST_F(TimeTest, DeadlineMayBeDestroyedByItsExpiry) {
  int expired = 0;
  std::unique_ptr<Deadline> deadline;
  deadline = std::make_unique<Deadline>(loop.executor(), 1ms, [&] {
    deadline.reset();
    ++expired;
  });
  loop.until([&] { return expired > 0; }, "the deadline");
}

TEST_F(TimeTest, HugeLimitsDoNotOverflow) {
  int expired = 0;
  Deadline deadline(loop.executor(), Duration::max() - 1ns, [&] { ++expired; });
  loop.poll();
  EXPECT_EQ(expired, 0);
}

// ---- sleep_for ---------------------------------------------------------------------------------

TEST_F(TimeTest, SleepEndsByItself) {
  Cancellation cancellation;
  EXPECT_TRUE(loop.run([&] { return sleep_for(2ms, cancellation); }));
}

TEST_F(TimeTest, SleepIsCancelled) {
  Cancellation cancellation;
  auto sleeping = loop.start([&] { return sleep_for(1h, cancellation); });
  loop.poll();
  EXPECT_FALSE(sleeping.ended());
  cancellation.cancel();
  EXPECT_FALSE(loop.finish(sleeping, 5s));
}

TEST_F(TimeTest, SleepAfterCancellationDoesNotBegin) {
  Cancellation cancellation;
  cancellation.cancel();
  EXPECT_FALSE(loop.run([&] { return sleep_for(1h, cancellation); }, 5s));
}

TEST_F(TimeTest, ManySleepsEndTogether) {
  Cancellation cancellation;
  std::vector<test::Started<bool>> all;
  all.reserve(100);
  for (int i = 0; i < 100; ++i) {
    all.push_back(loop.start([&] { return sleep_for(1h, cancellation); }));
  }
  loop.poll();
  cancellation.cancel();
  for (auto& one : all) EXPECT_FALSE(loop.finish(one, 5s));
}

// ---- Signal ------------------------------------------------------------------------------------

TEST_F(TimeTest, SignalRaisedBeforeTheWait) {
  Signal signal(loop.executor());
  signal.raise();
  signal.raise();
  loop.run([&] { return signal.wait(); }, 5s);
}

TEST_F(TimeTest, SignalIsClearedByItsWait) {
  Signal signal(loop.executor());
  signal.raise();
  loop.run([&] { return signal.wait(); }, 5s);
  auto waiting = loop.start([&] { return signal.wait(); });
  loop.poll();
  EXPECT_FALSE(waiting.ended());
  signal.raise();
  loop.finish(waiting, 5s);
}

TEST_F(TimeTest, SignalRaisedDuringTheWait) {
  Signal signal(loop.executor());
  auto waiting = loop.start([&] { return signal.wait(); });
  loop.poll();
  EXPECT_FALSE(waiting.ended());
  signal.raise();
  EXPECT_FALSE(waiting.ended()) << "raise() resumes nobody by itself";
  signal.raise();
  loop.finish(waiting, 5s);
  auto again = loop.start([&] { return signal.wait(); });
  loop.poll();
  EXPECT_FALSE(again.ended()) << "raised twice in one wait is raised once";
  signal.raise();
  loop.finish(again, 5s);
}

TEST_F(TimeTest, SignalWaitEndsAtItsTime) {
  Signal signal(loop.executor());
  const auto until = test::Clock::now() + 5ms;
  loop.run([&] { return signal.wait(until); }, 5s);
  EXPECT_GE(test::Clock::now(), until);
  loop.run([&] { return signal.wait(test::Clock::now() - 1h); }, 5s);
}

// ---- Cancellation ------------------------------------------------------------------------------

TEST(CancellationTest, RunsHooksOnce) {
  Cancellation cancellation;
  int ran = 0;
  const auto hook = cancellation.on_cancel([&] { ++ran; });
  EXPECT_FALSE(cancellation.cancelled());
  cancellation.cancel();
  cancellation.cancel();
  EXPECT_TRUE(cancellation.cancelled());
  EXPECT_EQ(ran, 1);
}

TEST(CancellationTest, ForgottenHooksDoNotRun) {
  Cancellation cancellation;
  int ran = 0;
  {
    const auto hook = cancellation.on_cancel([&] { ++ran; });
  }
  auto moved = cancellation.on_cancel([&] { ran += 10; });
  auto kept = std::move(moved);
  moved.reset();  // NOLINT(bugprone-use-after-move): one that was moved from is to do nothing
  auto replaced = cancellation.on_cancel([&] { ran += 100; });
  replaced = Cancellation::Registration();
  cancellation.cancel();
  EXPECT_EQ(ran, 10);
}

TEST(CancellationTest, HooksMayRemoveAndAddHooks) {
  Cancellation cancellation;
  int ran = 0;
  Cancellation::Registration second;
  Cancellation::Registration third;
  const auto first = cancellation.on_cancel([&] {
    ++ran;
    second.reset();
    third = cancellation.on_cancel([&] { ran += 100; });
    cancellation.cancel();
  });
  second = cancellation.on_cancel([&] { ran += 10; });
  cancellation.cancel();
  EXPECT_EQ(ran, 101) << "one that comes while the hooks run is not forgotten";
}

}  // namespace
}  // namespace sidecar_executor::net
