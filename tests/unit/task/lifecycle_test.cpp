// One scenario a behaviour: launch, end, agent. Stopping: lifecycle_stop_test.cpp.

#include "task/lifecycle.hpp"

#include <gtest/gtest.h>

#include <string>

#include "lifecycle_play.hpp"

namespace sidecar_executor::task {
namespace {
using mesos::Reason;
using mesos::TaskState;
using namespace std::chrono_literals;

bool says(const action::Report& report, const std::string& part) {
  return report.message.find(part) != std::string::npos;
}

// ---- a life without trouble --------------------------------------------------------------------

TEST(Lifecycle, RunsEndsReportsAndExits) {
  Play play;
  play.launch();
  EXPECT_EQ(play.state(), "preparing");
  EXPECT_EQ(play.times<action::BeginLaunch>(), 1);
  play.created().give(event::LaunchDone{0, "it runs"});
  EXPECT_EQ(play.state(), "running");
  EXPECT_EQ(play.times<action::WatchHealth>(), 1);
  play.wait(90s).ends(0);
  EXPECT_EQ(play.state(), "closing");
  EXPECT_EQ(play.times<action::StopWatchingHealth>(), 1);
  EXPECT_FALSE(play.did<action::BeginClosing>()->copy_logs);
  EXPECT_EQ(play.told(), "STARTING RUNNING") << "not before the relay is flushed";
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.told(), "STARTING RUNNING FINISHED");
  EXPECT_TRUE(says(play.terminal(), "1m30s"));
  EXPECT_EQ(play.times<action::Revoke>(), 1);
  EXPECT_EQ(play.exit_code(), -1) << "not before the acknowledgement";
  play.acknowledged();
  EXPECT_EQ(play.exit_code(), 0);
  EXPECT_EQ(play.state(), "done");
}

TEST(Lifecycle, CopiesLogsOfWhatDidNotFinish) {
  Play play;
  play.launched().ends(3);
  EXPECT_TRUE(play.did<action::BeginClosing>()->copy_logs);
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::failed);
}

TEST(Lifecycle, EveryUpdateHasAMessage) {
  Play play;
  play.machine.set_task_killing_state(true);
  play.launched().give(event::HealthChanged{true, "healthy in Sidecar"}).kill(5s).ends(0);
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.told(), "STARTING RUNNING RUNNING KILLING KILLED");
  for (const auto& report : play.reports) EXPECT_FALSE(report.message.empty());
}

TEST(Lifecycle, NotesOfTheLaunchAreInTheTerminalMessage) {
  Play play;
  play.task.notes = "warning: --oops ignored";
  play.launched().ends(1).give(event::ClosingDone{});
  EXPECT_TRUE(says(play.terminal(), "--oops ignored"));
  Play failed;
  failed.task.notes = "warning: --oops ignored";
  failed.launch().give(event::LaunchFailed{"no such image", ""});
  EXPECT_TRUE(says(failed.terminal(), "--oops ignored"));
}

TEST(Lifecycle, ReportsHealthAndRemembersIt) {
  Play play;
  play.launched().give(event::HealthChanged{true, "healthy"});
  EXPECT_EQ(play.reports.back().reason, Reason::task_health_check_status_updated);
  EXPECT_EQ(play.reports.back().healthy, true);
  play.ends(0).give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().healthy, true);
}

TEST(Lifecycle, TheWorseOfAllThatIsKnownIsTheHealth) {
  Play play;
  play.launched();
  const auto known = [&play](HealthSource source, bool healthy) {
    const auto before = play.reports.size();
    play.give(event::HealthChanged{healthy, "news", source});
    const bool told = play.reports.size() > before;
    return std::string(told ? "told " : "kept ") + (*play.machine.healthy() ? "good" : "bad");
  };
  EXPECT_EQ(known(HealthSource::sidecar, true), "told good");
  EXPECT_EQ(known(HealthSource::health_check, true), "kept good");
  EXPECT_EQ(known(HealthSource::health_check, false), "told bad");
  EXPECT_EQ(known(HealthSource::sidecar, false), "kept bad");
  EXPECT_EQ(known(HealthSource::health_check, true), "kept bad");
  EXPECT_EQ(known(HealthSource::sidecar, true), "told good");
}

TEST(Lifecycle, ACheckOnlyTells) {
  Play play;
  play.launched().give(event::CheckChanged{"HTTP check: HTTP status 500"});
  EXPECT_EQ(play.reports.back().reason, Reason::task_check_status_updated);
  EXPECT_EQ(play.reports.back().state, TaskState::running);
  EXPECT_EQ(play.reports.back().healthy, std::nullopt);
  EXPECT_EQ(play.state(), "running");
  play.kill(5s).give(event::CheckChanged{"late"});
  EXPECT_EQ(play.told(), "STARTING RUNNING RUNNING");
}

TEST(Lifecycle, HealthIsOfNoInterestUnlessItRuns) {
  Play play;
  play.launch().give(event::HealthChanged{false, "late"});
  EXPECT_EQ(play.told(), "STARTING");
  play.created().give(event::LaunchDone{}).kill(5s).give(event::HealthChanged{false, "late"});
  EXPECT_EQ(play.told(), "STARTING RUNNING");
}

// ---- launch ------------------------------------------------------------------------------------

TEST(Launch, ContainerEndsBeforeDockersStartHasAnswered) {
  Play play;
  play.launch().created().ends(0);
  EXPECT_EQ(play.state(), "preparing");
  play.give(event::LaunchDone{0, "it ran"});
  EXPECT_EQ(play.state(), "closing");
  EXPECT_EQ(play.times<action::WatchHealth>(), 0);
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.told(), "STARTING RUNNING FINISHED");
}

TEST(Launch, FailureIsTold) {
  Play play;
  play.launch().give(event::LaunchFailed{"pull image a:b: not found", ""});
  EXPECT_EQ(play.told(), "STARTING FAILED");
  EXPECT_EQ(play.terminal().reason, Reason::container_launch_failed);
  EXPECT_EQ(play.terminal().message, "pull image a:b: not found");
  EXPECT_EQ(play.times<action::BeginClosing>(), 0) << "there is no log to copy";
  play.acknowledged();
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(Launch, WhatItLeavesBehindIsNamed) {
  Play play;
  play.launch().give(event::LaunchFailed{"start: timeout", "0123456789ab"});
  EXPECT_TRUE(says(play.terminal(), "container 0123456789ab may still run"));
}

TEST(Launch, RefusedTask) {
  for (const TaskState state : {TaskState::error, TaskState::failed}) {
    Play play;
    play.give(event::LaunchRefused{"t", state, Reason::task_invalid, "no container"});
    EXPECT_EQ(play.terminal().state, state);
    EXPECT_EQ(play.terminal().message, "no container");
    EXPECT_EQ(play.machine.task_id(), "t");
    play.acknowledged();
    EXPECT_EQ(play.exit_code(), 0);
  }
}

TEST(Launch, SameTaskTwiceIsIgnored) {
  Play play;
  play.launched().launch();
  EXPECT_EQ(play.state(), "running");
  EXPECT_EQ(play.told(), "STARTING RUNNING");
  EXPECT_EQ(play.times<action::BeginLaunch>(), 1);
}

TEST(Launch, SecondTaskIsRefusedOnceAndTheFirstIsNotDisturbed) {
  Play play;
  play.launched();
  TaskTraits other;
  other.task_id = "other";
  play.give(event::Launched{other}).give(event::Launched{other});
  play.give(event::LaunchRefused{"other", TaskState::error, Reason::task_invalid, "bad"});
  ASSERT_EQ(play.reports.size(), 3U);
  EXPECT_EQ(play.reports.back().task_id, "other");
  EXPECT_EQ(play.reports.back().state, TaskState::error);
  EXPECT_EQ(play.reports.back().reason, Reason::task_invalid);
  EXPECT_EQ(play.state(), "running");
}

TEST(Launch, SecondTaskDuringReportingIsWaitedFor) {
  Play play;
  play.launched().ends(0).give(event::ClosingDone{}).give(event::AllAcknowledged{});
  TaskTraits other;
  other.task_id = "other";
  play.give(event::Launched{other}).give(event::Revoked{});
  EXPECT_EQ(play.state(), "reporting");
  play.give(event::AllAcknowledged{});
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(Launch, GroupsAreRefused) {
  Play play;
  play.give(event::GroupLaunched{{"a", "b"}});
  ASSERT_EQ(play.reports.size(), 2U);
  for (const auto& report : play.reports) {
    EXPECT_EQ(report.state, TaskState::error);
    EXPECT_EQ(report.reason, Reason::task_group_invalid);
    EXPECT_TRUE(says(report, "task groups are not supported"));
  }
  EXPECT_EQ(play.state(), "reporting");
  play.launch();
  EXPECT_EQ(play.told(), "ERROR") << "it was started for the group";
  play.give(event::AllAcknowledged{});
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(Launch, GroupThatNamesTheRunningTaskDoesNotEndIt) {
  Play play;
  play.launched().give(event::GroupLaunched{{"t", "a"}});
  EXPECT_EQ(play.told(), "STARTING RUNNING");
  EXPECT_EQ(play.reports.back().task_id, "a");
}

// ---- closing -----------------------------------------------------------------------------------

TEST(ClosingState, TakesFiveSecondsAtMost) {
  Play play;
  play.launched().ends(1);
  EXPECT_EQ(play.did<action::BeginClosing>()->limit, Nanoseconds(5s));
  play.wait(4900ms).kill(5s);
  EXPECT_EQ(play.state(), "closing") << "a KILL changes nothing any more";
  play.wait(200ms);
  EXPECT_EQ(play.told(), "STARTING RUNNING FAILED");
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.told(), "STARTING RUNNING FAILED");
}

TEST(ClosingState, NeverIntoTheReserveOfAShutdown) {
  constexpr SteadyTime start{1h};
  EXPECT_EQ(closing_limit(SteadyTime::max(), start), Nanoseconds(5s));
  EXPECT_EQ(closing_limit(start + 60s, start), Nanoseconds(5s));
  EXPECT_EQ(closing_limit(start + 3s, start), Nanoseconds(2500ms));
  EXPECT_EQ(closing_limit(start + 400ms, start), Nanoseconds(0));
  EXPECT_EQ(closing_limit(start - 10s, start), Nanoseconds(0));
  Play play;
  play.launched().ends(1).shutdown(2s);
  EXPECT_EQ(play.left(Timer::closing), Nanoseconds(1500ms));
}

// ---- the last acknowledgement ------------------------------------------------------------------

Play& report_end(Play& play) { return play.launched().ends(0).give(event::ClosingDone{}); }

TEST(LastAcknowledgement, LateButWithinTenSeconds) {
  Play play;
  report_end(play).give(event::Revoked{}).wait(9900ms).give(event::AllAcknowledged{});
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(LastAcknowledgement, Never) {
  Play play;
  report_end(play).give(event::Revoked{}).wait(9900ms);
  EXPECT_EQ(play.exit_code(), -1);
  play.wait(200ms);
  EXPECT_EQ(play.exit_code(), 1);
}

TEST(LastAcknowledgement, OfEarlierUpdatesIsNotTheLast) {
  Play play;
  play.launched().give(event::AllAcknowledged{}).ends(0).give(event::AllAcknowledged{});
  play.give(event::ClosingDone{}).give(event::Revoked{});
  EXPECT_EQ(play.state(), "reporting");
}

TEST(LastAcknowledgement, RevocationIsWaitedForBesideIt) {
  Play play;
  report_end(play).give(event::AllAcknowledged{});
  EXPECT_EQ(play.state(), "reporting");
  EXPECT_FALSE(play.left(Timer::acknowledgement));
  play.give(event::Revoked{});
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(LastAcknowledgement, AgentAwayIsWaitedForAndGetsTenSecondsWhenItIsBack) {
  Play play;
  report_end(play).give(event::Revoked{}).wait(5s).give(event::AgentConnection{false}).wait(10min);
  EXPECT_EQ(play.state(), "reporting");
  play.give(event::AgentConnection{true}).wait(9900ms);
  EXPECT_EQ(play.state(), "reporting");
  play.give(event::AllAcknowledged{});
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(LastAcknowledgement, AgentWasAwayBeforeTheEnd) {
  Play play;
  play.launched().give(event::AgentConnection{false}).ends(0).give(event::ClosingDone{});
  play.give(event::Revoked{}).wait(10min);
  EXPECT_EQ(play.state(), "reporting");
  play.give(event::AgentLost{10s, "gone"});
  EXPECT_EQ(play.exit_code(), 1);
}

// ---- agent lost --------------------------------------------------------------------------------

TEST(AgentLost, WaitingExits) {
  Play play;
  play.give(event::AgentLost{10s, "gone"});
  EXPECT_EQ(play.exit_code(), 1);
}

TEST(AgentLost, PreparingIsCancelled) {
  Play play;
  play.launch().give(event::AgentLost{10s, "gone"});
  EXPECT_EQ(play.times<action::CancelLaunch>(), 1);
  play.give(event::LaunchFailed{"cancelled", ""});
  EXPECT_EQ(play.terminal().state, TaskState::killed);
  EXPECT_FALSE(play.left(Timer::acknowledgement)) << "nobody will acknowledge it";
  play.give(event::Revoked{});
  EXPECT_EQ(play.exit_code(), 1);
}

TEST(AgentLost, RunningIsStoppedWithItsGrace) {
  Play play;
  play.launched().give(event::AgentLost{7s, "the agent is gone"});
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(7s));
  play.ends(0).give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::killed);
  EXPECT_TRUE(says(play.terminal(), "the agent is gone"));
  play.give(event::Revoked{});
  EXPECT_EQ(play.exit_code(), 1);
}

TEST(AgentLost, StoppingGoesOnWithoutDraining) {
  Play play;
  play.in_sidecar = true;
  play.task.draining_duration = 10s;
  play.launched().kill(30s, true).give(event::AgentLost{7s, "gone"});
  EXPECT_EQ(play.phase(), "stopping");
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(7s));
  play.ends(143).give(event::ClosingDone{}).give(event::Revoked{});
  EXPECT_TRUE(says(play.terminal(), "killed by F"));
  EXPECT_EQ(play.exit_code(), 1) << "not acknowledged";
}

TEST(AgentLost, ClosingIsNotProlonged) {
  Play play;
  play.launched().ends(0).wait(3s).give(event::AgentLost{7s, "gone"});
  EXPECT_EQ(play.left(Timer::closing), Nanoseconds(2s));
  play.give(event::ClosingDone{}).give(event::Revoked{});
  EXPECT_EQ(play.told(), "STARTING RUNNING FINISHED");
  EXPECT_EQ(play.exit_code(), 1);
}

TEST(AgentLost, ReportingEndsOnceRevoked) {
  Play play;
  report_end(play).give(event::AgentLost{7s, "gone"});
  EXPECT_EQ(play.state(), "reporting");
  play.give(event::Revoked{});
  EXPECT_EQ(play.exit_code(), 1);
}

TEST(AgentLost, AfterTheAcknowledgementItDoesNotMatter) {
  Play play;
  report_end(play).give(event::AllAcknowledged{}).give(event::AgentLost{7s, "gone"});
  play.give(event::Revoked{});
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(Lifecycle, NothingHappensWhenDone) {
  Play play;
  report_end(play).acknowledged();
  play.all.clear();
  play.launch().kill(5s).ends(1).give(event::AgentLost{7s, "gone"}).give(event::ClosingDone{});
  EXPECT_TRUE(play.all.empty());
}

}  // namespace
}  // namespace sidecar_executor::task
