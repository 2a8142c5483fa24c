#include "mesos/update_stream.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::mesos {
namespace {

using namespace std::chrono_literals;
using Clock = UpdateStream::Clock;
using Texts = std::vector<std::string>;

const Clock::time_point t0 = Clock::time_point{} + 1000s;

struct Stream : UpdateStream {
  bool add(const std::string& uuid, TaskState state = TaskState::running,
           const std::string& task = "t") {
    return UpdateStream::add(task, state, uuid, "status-" + uuid);
  }
  /// The uuid that is sent now; empty for none.
  std::string sent(Clock::time_point now) {
    const auto update = next(now);
    if (update) {
      EXPECT_EQ(update->status, "status-" + update->uuid);
    }
    return update ? update->uuid : "";
  }
  /// Sent now and answered with 202.
  void deliver(const std::string& uuid, Clock::time_point now) {
    EXPECT_EQ(sent(now), uuid);
    answered(uuid, true, now);
  }
};

TEST(UpdateStream, OneInFlightInOrder) {
  Stream stream;
  EXPECT_EQ(stream.next_due(), std::nullopt);
  stream.add("1");
  stream.add("2");
  EXPECT_LE(*stream.next_due(), t0);
  EXPECT_EQ(stream.sent(t0), "1");
  EXPECT_TRUE(stream.in_flight());
  EXPECT_EQ(stream.sent(t0 + 1h), "");
  EXPECT_EQ(stream.next_due(), std::nullopt);
  stream.answered("1", true, t0);
  // The 202 is enough for the next; the acknowledgement may take its time.
  EXPECT_EQ(stream.sent(t0), "2");
  stream.answered("2", true, t0);
  EXPECT_EQ(stream.sent(t0), "");
  EXPECT_EQ(stream.next_due(), t0 + 5s);
  EXPECT_EQ(stream.acknowledged("t", "1"), TaskState::running);
  EXPECT_EQ(stream.acknowledged("t", "2"), TaskState::running);
  EXPECT_TRUE(stream.all_acknowledged());
  EXPECT_EQ(stream.next_due(), std::nullopt);
}

TEST(UpdateStream, AcknowledgedBeforeThe202) {
  Stream stream;
  stream.add("1");
  stream.add("2");
  EXPECT_EQ(stream.sent(t0), "1");
  EXPECT_EQ(stream.acknowledged("t", "1"), TaskState::running);
  // Still in flight: the next waits for its answer.
  EXPECT_EQ(stream.sent(t0), "");
  stream.answered("1", true, t0);
  EXPECT_EQ(stream.sent(t0), "2");
}

TEST(UpdateStream, AcknowledgedThoughTheAnswerWasLost) {
  Stream stream;
  stream.add("1");
  EXPECT_EQ(stream.sent(t0), "1");
  EXPECT_EQ(stream.acknowledged("t", "1"), TaskState::running);
  stream.answered("1", false, t0, t0 + 1s);
  EXPECT_TRUE(stream.all_acknowledged());
  EXPECT_EQ(stream.sent(t0 + 1h), "");
}

TEST(UpdateStream, WrongAndRepeatedAcknowledgements) {
  Stream stream;
  stream.add("1");
  stream.deliver("1", t0);
  EXPECT_EQ(stream.acknowledged("t", "2"), std::nullopt);
  EXPECT_EQ(stream.acknowledged("other", "1"), std::nullopt);
  EXPECT_EQ(stream.acknowledged("t", "1"), TaskState::running);
  EXPECT_EQ(stream.acknowledged("t", "1"), std::nullopt);
}

TEST(UpdateStream, NeverAcknowledgedIsSentAgainAfterFiveSeconds) {
  Stream stream;
  stream.add("1");
  stream.deliver("1", t0);
  EXPECT_EQ(stream.sent(t0 + 4999ms), "");
  stream.deliver("1", t0 + 5s);
  EXPECT_EQ(stream.next_due(), t0 + 10s);
}

TEST(UpdateStream, RefusedIsRetriedAndNothingOvertakesIt) {
  Stream stream;
  stream.add("1");
  stream.add("2");
  EXPECT_EQ(stream.sent(t0), "1");
  stream.answered("1", false, t0, t0 + 1s);
  EXPECT_EQ(stream.sent(t0), "");
  EXPECT_EQ(stream.next_due(), t0 + 1s);
  stream.deliver("1", t0 + 1s);
  stream.deliver("2", t0 + 1s);
}

TEST(UpdateStream, ResentOneComesBeforeANewOne) {
  Stream stream;
  stream.add("1");
  stream.deliver("1", t0);
  stream.add("2");
  EXPECT_EQ(stream.sent(t0 + 5s), "1");
  // Refused this time: it counts as not sent, and 2 waits.
  stream.answered("1", false, t0 + 5s, t0 + 6s);
  EXPECT_EQ(stream.sent(t0 + 5s), "");
  stream.deliver("1", t0 + 6s);
  stream.deliver("2", t0 + 6s);
}

TEST(UpdateStream, ALateAnswerOfAnOldConnectionChangesNothing) {
  Stream stream;
  stream.add("1");
  EXPECT_EQ(stream.sent(t0), "1");
  stream.disconnected();
  EXPECT_FALSE(stream.in_flight());
  stream.answered("1", true, t0);
  EXPECT_EQ(stream.sent(t0), "1");
  stream.answered("2", true, t0);
  EXPECT_TRUE(stream.in_flight());
}

TEST(UpdateStream, NothingAfterTheTerminalOne) {
  Stream stream;
  EXPECT_TRUE(stream.add("1", TaskState::finished));
  EXPECT_FALSE(stream.add("2"));
  EXPECT_FALSE(stream.add("3", TaskState::failed));
  stream.deliver("1", t0);
  stream.acknowledged("t", "1");
  EXPECT_FALSE(stream.add("4"));
  EXPECT_TRUE(stream.add("5", TaskState::error, "second"));
  EXPECT_EQ(stream.size(), 1U);
}

TEST(UpdateStream, WhatATerminalOneOvertookIsNotSentAgainBehindIt) {
  Stream stream;
  stream.add("running");
  stream.deliver("running", t0);
  stream.add("finished", TaskState::finished);
  stream.deliver("finished", t0 + 1s);
  EXPECT_EQ(stream.next_due(), t0 + 6s);
  EXPECT_EQ(stream.sent(t0 + 5500ms), "");
  stream.deliver("finished", t0 + 6s);
  // In SUBSCRIBE both go, in order.
  EXPECT_EQ(stream.unacknowledged_statuses(), (Texts{"status-running", "status-finished"}));
  EXPECT_EQ(stream.acknowledged("t", "finished"), TaskState::finished);
  EXPECT_TRUE(stream.all_acknowledged());
}

TEST(UpdateStream, ResubscriptionCarriesAllThatIsNotAcknowledged) {
  Stream stream;
  stream.add("1");
  stream.add("2");
  stream.deliver("1", t0);
  stream.disconnected();
  stream.add("3");
  EXPECT_EQ(stream.unacknowledged_statuses(), (Texts{"status-1", "status-2", "status-3"}));
  stream.resubscribed(t0 + 10s);
  EXPECT_EQ(stream.sent(t0 + 14s), "");
  EXPECT_EQ(stream.acknowledged("t", "2"), TaskState::running);
  stream.deliver("1", t0 + 15s);
  stream.deliver("3", t0 + 15s);
}

TEST(UpdateStream, AddedWhileSubscribeWasUnderWay) {
  Stream stream;
  stream.add("1");
  stream.disconnected();
  EXPECT_EQ(stream.unacknowledged_statuses(), Texts{"status-1"});
  stream.add("2");
  stream.resubscribed(t0);
  // 2 was not carried: it goes at once, and before what comes later.
  stream.add("3", TaskState::finished);
  stream.deliver("2", t0);
  stream.deliver("3", t0);
}

TEST(UpdateStream, TasksStayUntilTheirFirstAcknowledgement) {
  Stream stream;
  stream.launched("t", "{\"t\"}");
  stream.launched("u", "{\"u\"}");
  EXPECT_EQ(stream.unacknowledged_tasks(), (Texts{"{\"t\"}", "{\"u\"}"}));
  stream.add("1", TaskState::starting);
  stream.add("2");
  stream.deliver("1", t0);
  EXPECT_EQ(stream.unacknowledged_tasks().size(), 2U);
  stream.acknowledged("t", "1");
  EXPECT_EQ(stream.unacknowledged_tasks(), Texts{"{\"u\"}"});
}

}  // namespace
}  // namespace sidecar_executor::mesos
