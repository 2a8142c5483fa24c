// One scenario a behaviour: everything that stops a task (behaviour.md 6).

#include <gtest/gtest.h>

#include <string>

#include "lifecycle_play.hpp"

namespace sidecar_executor::task {
namespace {
using event::DockerAnswer;
using mesos::Reason;
using mesos::TaskState;
using namespace std::chrono_literals;

bool says(const action::Report& report, const std::string& part) {
  return report.message.find(part) != std::string::npos;
}

struct Draining : Play {
  Draining() {
    in_sidecar = true;
    task.draining_duration = 10s;
  }
};

// ---- KILL --------------------------------------------------------------------------------------

TEST(Kill, StopsWithItsGraceAndReportsKilledWhateverTheExitCode) {
  for (const int code : {0, 1, 137, 143}) {
    Play play;
    play.launched().kill(7s);
    EXPECT_EQ(play.phase(), "stopping");
    EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(7s));
    EXPECT_EQ(play.times<action::StopWatchingHealth>(), 1);
    play.wait(2s).ends(code).give(event::ClosingDone{});
    EXPECT_EQ(play.told(), "STARTING RUNNING KILLED");
    EXPECT_TRUE(says(play.terminal(), "killed by F"));
    EXPECT_TRUE(says(play.terminal(), "exit code " + std::to_string(code)));
    EXPECT_TRUE(says(play.terminal(), "2.0s after the request") ||
                says(play.terminal(), "2s after the request"));
    play.acknowledged();
    EXPECT_EQ(play.exit_code(), 0);
  }
}

TEST(Kill, TaskKillingNeedsTheCapability) {
  Play with;
  with.machine.set_task_killing_state(true);
  with.launched().kill(7s).kill(7s);
  EXPECT_EQ(with.told(), "STARTING RUNNING KILLING");
  Play without;
  without.launched().kill(7s);
  EXPECT_EQ(without.told(), "STARTING RUNNING");
}

TEST(Kill, WithoutGraceKillsAtOnce) {
  Play play;
  play.launched().kill(0s);
  EXPECT_EQ(play.times<action::StopContainer>(), 0);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
}

TEST(Kill, DockerKillHalfASecondAfterTheGrace) {
  Play play;
  play.launched().kill(7s).wait(7400ms);
  EXPECT_EQ(play.times<action::KillContainer>(), 0);
  play.wait(200ms);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
}

TEST(Kill, DrainsFirst) {
  Draining play;
  play.launched().kill(7s, true);
  EXPECT_EQ(play.phase(), "draining");
  EXPECT_EQ(play.times<action::Drain>(), 1);
  EXPECT_EQ(play.times<action::StopContainer>(), 0);
  play.wait(10s);
  EXPECT_EQ(play.phase(), "stopping");
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(7s)) << "draining is no grace";
}

/// Draining is for those who use the service, the grace for the process.
TEST(Kill, WithoutGraceDrainsAllTheSame) {
  Draining play;
  play.launched().kill(0s, true).kill(0s, true);
  EXPECT_EQ(play.phase(), "draining");
  play.wait(11s);
  EXPECT_EQ(play.phase(), "killing");
  EXPECT_EQ(play.times<action::StopContainer>(), 0);
}

/// Or a slow Sidecar would leave the service no time to be drained in.
TEST(Kill, DrainingBeginsWithSidecarsFirstAnswer) {
  for (const bool accepted : {false, true}) {
    Draining play;
    play.task.drain_answer = 2s;
    play.launched().kill(7s, true).wait(1500ms).give(event::DrainAnswered{accepted});
    play.wait(9s).give(event::DrainAnswered{true}).wait(900ms);
    EXPECT_EQ(play.phase(), "draining") << accepted;
    play.wait(100ms);
    EXPECT_EQ(play.phase(), "stopping") << accepted;
  }
  Draining silent;
  silent.task.drain_answer = 2s;
  silent.launched().kill(7s, true).wait(11900ms);
  EXPECT_EQ(silent.phase(), "draining");
  silent.wait(100ms);
  EXPECT_EQ(silent.phase(), "stopping");
}

TEST(Kill, IsSaidToBeDrainedOnlyWhenSidecarSaidSo) {
  for (const bool drained : {false, true}) {
    Draining play;
    play.launched().kill(7s, true);
    play.give(event::DrainAnswered{drained}).wait(11s).ends(143).give(event::ClosingDone{});
    EXPECT_EQ(says(play.terminal(), "drained"), drained);
  }
}

TEST(Kill, DrainingEndsWithTheContainer) {
  Draining play;
  play.launched().kill(7s, true).wait(2s).ends(0);
  EXPECT_EQ(play.state(), "closing");
  play.wait(20s);
  EXPECT_EQ(play.times<action::StopContainer>(), 0);
  EXPECT_EQ(play.told(), "STARTING RUNNING KILLED");
}

TEST(Kill, NoDrainingWhenSidecarIsNotChecked) {
  Draining unchecked;
  unchecked.in_sidecar = false;
  unchecked.launched().kill(7s, true);
  EXPECT_EQ(unchecked.phase(), "stopping");
  Draining no_time;
  no_time.task.draining_duration = 0s;
  no_time.launched().kill(7s, true);
  EXPECT_EQ(no_time.phase(), "stopping");
}

TEST(Kill, BeforeItsLaunch) {
  Play play;
  play.kill(7s).kill(3s);
  EXPECT_EQ(play.state(), "waiting");
  EXPECT_EQ(play.times<action::Ignore>(), 2);
  play.launch();
  EXPECT_EQ(play.told(), "KILLED");
  EXPECT_EQ(play.terminal().reason, Reason::task_killed_during_launch);
  EXPECT_EQ(play.times<action::BeginLaunch>(), 0);
  play.acknowledged();
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(Kill, BeforeTheLaunchOfAnotherTask) {
  Play play;
  play.kill(7s, false, "other").launched();
  EXPECT_EQ(play.state(), "running");
}

TEST(Kill, ADockerThatOnlySaysThatItStoppedIsGivenUp) {
  Play play;
  play.launched().kill(7s).give(event::StopAnswered{DockerAnswer::done});
  for (int i = 0; i < 60 && play.state() == "stopping"; ++i)
    play.wait(2s).give(event::KillAnswered{DockerAnswer::not_running});
  EXPECT_EQ(play.state(), "closing");
  play.give(event::ClosingDone{});
  EXPECT_TRUE(says(play.terminal(), "may still run"));
}

TEST(Kill, OfAnUnknownTaskIsIgnored) {
  Play play;
  play.launch().kill(7s, false, "other");
  EXPECT_EQ(play.times<action::CancelLaunch>(), 0);
  play.created().give(event::LaunchDone{}).kill(7s, false, "other");
  EXPECT_EQ(play.state(), "running");
  EXPECT_EQ(play.times<action::Ignore>(), 2);
}

TEST(Kill, DuringTheLaunchCancelsIt) {
  Play play;
  play.machine.set_task_killing_state(true);
  play.launch().kill(7s).kill(7s);
  EXPECT_EQ(play.times<action::CancelLaunch>(), 1);
  EXPECT_EQ(play.state(), "preparing") << "create and start are waited for";
  play.give(event::LaunchFailed{"pull cancelled", ""});
  EXPECT_EQ(play.told(), "STARTING KILLING KILLED");
  EXPECT_EQ(play.terminal().reason, Reason::task_killed_during_launch);
}

TEST(Kill, DuringTheLaunchThatSucceedsAllTheSame) {
  Draining play;
  play.launch().kill(7s, true).wait(3s).created().give(event::LaunchDone{0, "", true});
  EXPECT_EQ(play.phase(), "stopping") << "not in Sidecar yet, nothing to drain";
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(7s));
  EXPECT_EQ(play.told(), "STARTING") << "no RUNNING";
  play.ends(143).give(event::ClosingDone{});
  EXPECT_EQ(play.told(), "STARTING KILLED");
}

TEST(Kill, DuringTheLaunchOfAContainerThatEndedBefore) {
  Play play;
  play.launch().created().ends(3).kill(7s).give(event::LaunchDone{});
  EXPECT_EQ(play.times<action::StopContainer>(), 0);
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::failed);
  EXPECT_TRUE(says(play.terminal(), "exited with code 3"));
}

TEST(Kill, DuringTheLaunchOfAContainerThatEndsThen) {
  Play play;
  play.launch().created().kill(7s).ends(3).give(event::LaunchDone{});
  EXPECT_EQ(play.times<action::StopContainer>(), 0) << "it has ended";
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::killed);
}

TEST(Kill, OfAContainerThatHadEndedByItsOwnClock) {
  Play play;
  play.launched();
  const WallTime finished = play.now().wall;
  play.wait(1ms).kill(7s).ends(0, finished).give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::finished);
  play.acknowledged();
  EXPECT_EQ(play.exit_code(), 0);
}

/// An hour, while the container stops.
TEST(Kill, OfAContainerWhoseHostsClockIsSet) {
  for (const auto set : {-1h, 1h}) {
    Play play;
    play.launched().kill(7s).wait(1s).set_wall_clock(set);
    play.ends(143, play.now().wall).give(event::ClosingDone{});
    EXPECT_EQ(play.terminal().state, TaskState::killed) << set.count();
  }
}

TEST(Kill, DuringClosingAndReportingChangesNothing) {
  Play play;
  play.launched().ends(0).kill(0s).give(event::ClosingDone{}).kill(0s);
  EXPECT_EQ(play.told(), "STARTING RUNNING FINISHED");
  EXPECT_EQ(play.times<action::KillContainer>(), 0);
  play.acknowledged();
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(SecondKill, WithShorterGraceShortensTheWait) {
  Play play;
  play.launched().kill(60s).wait(1s).kill(3s);
  EXPECT_EQ(play.times<action::StopContainer>(), 1) << "no second SIGTERM";
  EXPECT_EQ(play.left(Timer::grace), Nanoseconds(3s));
  play.wait(3s);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
}

TEST(SecondKill, NeverLengthensTheWait) {
  Play play;
  play.launched().kill(10s).wait(9s).kill(9s);
  EXPECT_EQ(play.left(Timer::grace), Nanoseconds(1500ms));
  play.kill(1h);
  EXPECT_EQ(play.left(Timer::grace), Nanoseconds(1500ms));
}

TEST(SecondKill, WhileDrainingShortensTheGraceToCome) {
  Draining play;
  play.launched().kill(60s, true).wait(1s).kill(3s, true);
  EXPECT_EQ(play.phase(), "draining");
  play.wait(9s);
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(3s));
}

TEST(SecondKill, WithoutDrainingEndsIt) {
  Draining play;
  play.launched().kill(60s, true).wait(1s).kill(3s, false);
  EXPECT_EQ(play.phase(), "stopping");
  EXPECT_FALSE(play.left(Timer::drain));
}

TEST(Destroy, EndsDrainingAndGraceAtOnce) {
  for (const bool drained : {false, true}) {
    Draining play;
    play.launched().kill(60s, true);
    if (drained) play.wait(11s);
    StopRequest destroy;
    destroy.cause = StopCause::destroy;
    destroy.text = "destroyed";
    play.ask(destroy, "t");
    EXPECT_EQ(play.phase(), "killing");
    EXPECT_EQ(play.times<action::KillContainer>(), 1);
    play.ends(137).give(event::ClosingDone{});
    EXPECT_TRUE(says(play.terminal(), "killed by F")) << "the earlier reason";
  }
}

TEST(Kill, GraceOf292YearsOverflowsNothing) {
  Play play;
  play.launched().kill(Nanoseconds::max());
  EXPECT_GT(play.did<action::StopContainer>()->grace, Nanoseconds(24h));
  EXPECT_GT(*play.left(Timer::grace), Nanoseconds(24h));
  play.shutdown(Nanoseconds::max() - 1ns);
  play.kill(1s);
  EXPECT_EQ(play.left(Timer::grace), Nanoseconds(1s));
}

TEST(Kill, NegativeGraceIsNone) {
  Play play;
  play.launched().kill(-5s);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
}

// ---- SHUTDOWN ----------------------------------------------------------------------------------

TEST(Shutdown, WithoutATaskExits) {
  Play play;
  play.shutdown(5s);
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(Shutdown, OfFiveSecondsLeavesThreeToDockerStopAndHalfASecondToTheUpdate) {
  Play play;
  play.launched().shutdown(5s, 10s);
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(3s));
  play.wait(3500ms);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
  play.ends(137);
  EXPECT_EQ(play.did<action::BeginClosing>()->limit, Nanoseconds(1s));
  play.wait(1s);
  EXPECT_EQ(play.told(), "STARTING RUNNING KILLED");
}

TEST(Shutdown, KillTaskTimeoutWhenItIsSmaller) {
  Play play;
  play.launched().shutdown(60s, 10s);
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(10s));
}

TEST(Shutdown, TooShortForAStopKills) {
  Play play;
  play.launched().shutdown(2s);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
}

TEST(Shutdown, DuringTheLaunchCountsFromWhenItCame) {
  Play play;
  play.launch().shutdown(5s, 10s);
  EXPECT_EQ(play.times<action::CancelLaunch>(), 1);
  play.wait(2s).created().give(event::LaunchDone{});
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(1s));
  Play late;
  late.launch().shutdown(5s, 10s).wait(4s).created().give(event::LaunchDone{});
  EXPECT_EQ(late.times<action::KillContainer>(), 1);
}

TEST(Shutdown, WhileDrainingStopsWithinItsBudget) {
  Draining play;
  play.launched().kill(60s, true).wait(4s).shutdown(5s);
  EXPECT_EQ(play.phase(), "stopping");
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(3s));
}

TEST(Shutdown, WhileStoppingShortensTheWait) {
  Play play;
  play.launched().kill(60s).wait(4s).shutdown(5s, 60s);
  EXPECT_EQ(play.times<action::StopContainer>(), 1);
  EXPECT_EQ(play.left(Timer::grace), Nanoseconds(3s));
  play.shutdown(60s, 60s);
  EXPECT_EQ(play.left(Timer::grace), Nanoseconds(3s)) << "a second one gives no more";
}

TEST(Shutdown, WhileKillingClosesInTime) {
  Play play;
  play.launched().kill(0s).shutdown(5s).wait(4s).ends(137);
  EXPECT_EQ(play.did<action::BeginClosing>()->limit, Nanoseconds(500ms));
}

TEST(Shutdown, DuringReportingWaitsOn) {
  Play play;
  play.launched().ends(0).give(event::ClosingDone{}).shutdown(5s);
  EXPECT_EQ(play.state(), "reporting");
  play.acknowledged();
  EXPECT_EQ(play.exit_code(), 0);
}

TEST(Shutdown, StopGraceIsWhatIsLeft) {
  constexpr SteadyTime start{1h};
  EXPECT_EQ(stop_grace(10s, SteadyTime::max(), start), Nanoseconds(10s));
  EXPECT_EQ(stop_grace(10s, start + 5s, start), Nanoseconds(3s));
  EXPECT_EQ(stop_grace(1s, start + 5s, start), Nanoseconds(1s));
  EXPECT_EQ(stop_grace(10s, start + 1s, start), Nanoseconds(0));
  EXPECT_EQ(stop_grace(10s, start - 9s, start), Nanoseconds(0));
}

// ---- signals -----------------------------------------------------------------------------------

TEST(Signal, ExitCodeIsTheSignals) {
  for (const int code : {143, 130, 0}) {
    Play waiting;
    waiting.signal(10s, code);
    EXPECT_EQ(waiting.exit_code(), code);
    Play preparing;
    preparing.launch().signal(10s, code).give(event::LaunchFailed{"cancelled", ""}).acknowledged();
    EXPECT_EQ(preparing.exit_code(), code);
    Play running;
    running.launched().signal(10s, code).ends(0).give(event::ClosingDone{}).acknowledged();
    EXPECT_EQ(running.exit_code(), code);
    EXPECT_EQ(running.terminal().state, TaskState::killed);
    EXPECT_TRUE(says(running.terminal(), "got a signal"));
  }
}

TEST(Signal, SecondOneKillsAtOnce) {
  Play play;
  play.launched().signal(10s, 143).wait(1s).signal(0s, 143);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
}

TEST(Signal, TwiceDuringTheLaunchKillsAfterIt) {
  Play play;
  play.launch().signal(10s, 143).signal(0s, 143).created().give(event::LaunchDone{});
  EXPECT_EQ(play.times<action::StopContainer>(), 0);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
}

TEST(Signal, DoesNotDrainAndSendsNoKilling) {
  Draining play;
  play.machine.set_task_killing_state(true);
  play.launched().signal(10s, 143);
  EXPECT_EQ(play.phase(), "stopping");
  EXPECT_EQ(play.told(), "STARTING RUNNING");
}

// ---- unhealthy, lease, time up -----------------------------------------------------------------

TEST(Unhealthy, StopsWithoutDrainingAndFails) {
  Draining play;
  play.launched().because(StopCause::unhealthy, "unhealthy in Sidecar: 5 consecutive");
  EXPECT_EQ(play.phase(), "stopping");
  play.ends(0).give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::failed);
  EXPECT_EQ(play.terminal().healthy, false);
  EXPECT_TRUE(says(play.terminal(), "unhealthy in Sidecar"));
}

TEST(Lease, RanOutIsKilled) {
  Play play;
  play.launched().because(StopCause::lease, "AWS lease x ran out").ends(1);
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::killed);
  EXPECT_TRUE(says(play.terminal(), "AWS lease x ran out"));
}

struct Limited : Play {
  Limited() { task.max_completion_time = 30s; }
};

TEST(TimeUp, CountsFromTheLaunchAndKillsWithoutGrace) {
  Limited play;
  play.launch().wait(20s).created().give(event::LaunchDone{}).wait(9900ms);
  EXPECT_EQ(play.state(), "running");
  play.wait(200ms);
  EXPECT_EQ(play.phase(), "killing");
  play.ends(137).give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::failed);
  EXPECT_EQ(play.terminal().reason, Reason::max_completion_time_reached);
  EXPECT_TRUE(says(play.terminal(), "30"));
}

TEST(TimeUp, DuringTheLaunch) {
  Limited play;
  play.launch().wait(30s);
  EXPECT_EQ(play.times<action::CancelLaunch>(), 1);
  play.give(event::LaunchFailed{"pull cancelled", ""});
  EXPECT_EQ(play.terminal().state, TaskState::failed);
  EXPECT_EQ(play.terminal().reason, Reason::max_completion_time_reached);
}

TEST(TimeUp, WhileStoppingEndsTheGrace) {
  Limited play;
  play.launched().wait(20s).kill(1h).wait(10s);
  EXPECT_EQ(play.phase(), "killing");
  play.ends(137).give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::killed) << "the earlier reason";
}

/// It means no limit.
TEST(TimeUp, OfCenturiesIsNotShortened) {
  Play play;
  play.task.max_completion_time = Nanoseconds::max();
  play.launched().wait(std::chrono::hours(24 * 366));
  EXPECT_EQ(play.state(), "running");
}

TEST(TimeUp, WhileDrainingEndsIt) {
  Draining play;
  play.task.max_completion_time = 5s;
  play.launched().kill(1h, true).wait(5s);
  EXPECT_EQ(play.phase(), "killing");
}

TEST(TimeUp, NotOnceItHasEnded) {
  Limited play;
  play.launched().wait(29s).ends(0);
  EXPECT_FALSE(play.left(Timer::completion));
}

// ---- Docker in trouble -------------------------------------------------------------------------

TEST(DockerTrouble, FailedStopIsTriedAgainWithGrowingDelays) {
  Play play;
  play.launched().kill(60s);
  for (const Nanoseconds delay : {250ms, 500ms, 1000ms, 2000ms, 4000ms, 4000ms}) {
    play.give(event::StopAnswered{DockerAnswer::failed});
    EXPECT_EQ(play.left(Timer::retry), delay);
    const auto before = play.times<action::StopContainer>();
    play.wait(delay);
    EXPECT_EQ(play.times<action::StopContainer>(), before + 1);
  }
  EXPECT_EQ(play.did<action::StopContainer>()->grace, Nanoseconds(60s - 11750ms))
      << "what is left of the grace period";
}

TEST(DockerTrouble, AStopThatIsBeingWaitedForIsNotRepeated) {
  Play play;
  play.launched().kill(120s).give(event::StopAnswered{DockerAnswer::failed}).wait(250ms);
  EXPECT_EQ(play.times<action::StopContainer>(), 2);
  play.wait(100s);
  EXPECT_EQ(play.times<action::StopContainer>(), 2);
  EXPECT_EQ(play.phase(), "stopping");
}

TEST(DockerTrouble, HangingStopIsFollowedByAKill) {
  Play play;
  play.launched().kill(10s).wait(10500ms);
  EXPECT_EQ(play.times<action::KillContainer>(), 1);
  play.wait(10500ms);
  EXPECT_EQ(play.times<action::KillContainer>(), 2) << "and again, should that hang too";
}

TEST(DockerTrouble, TheGraceRunsOnWhileItFails) {
  Play play;
  play.launched().kill(5s).give(event::StopAnswered{DockerAnswer::failed}).wait(250ms);
  for (int i = 0; i < 5; ++i) {
    play.give(event::StopAnswered{DockerAnswer::failed}).wait(1s);
  }
  play.wait(1s);
  EXPECT_EQ(play.phase(), "killing");
}

TEST(DockerTrouble, DockerSaysStoppedAndTheExitIsChecked) {
  for (const DockerAnswer answer : {DockerAnswer::done, DockerAnswer::not_running}) {
    Play play;
    play.launched().kill(10s).give(event::StopAnswered{answer});
    EXPECT_EQ(play.times<action::CheckContainer>(), 1);
    EXPECT_EQ(play.told(), "STARTING RUNNING") << "the container's end counts, not the answer";
    play.ends(0).give(event::ClosingDone{});
    EXPECT_EQ(play.told(), "STARTING RUNNING KILLED");
  }
}

/// Docker fails at once whatever it is asked, for so long.
void docker_fails(Play& play, Nanoseconds time) {
  std::ptrdiff_t answered = 0;
  for (Nanoseconds passed{0}; passed < time && play.state() == "stopping"; passed += 50ms) {
    const auto calls = play.times<action::StopContainer>() + play.times<action::KillContainer>();
    if (calls > answered && play.phase() == "stopping") {
      play.give(event::StopAnswered{DockerAnswer::failed});
    } else if (calls > answered) {
      play.give(event::KillAnswered{DockerAnswer::failed});
    }
    answered = calls;
    play.wait(50ms);
  }
}

TEST(DockerTrouble, UnreachableForAMinuteMeansMayStillRun) {
  Play play;
  play.launched().kill(10s);
  docker_fails(play, 58s);
  EXPECT_EQ(play.state(), "stopping");
  docker_fails(play, 10s);
  EXPECT_EQ(play.state(), "closing");
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::killed);
  EXPECT_TRUE(says(play.terminal(), "container 0123456789ab may still run"));
  play.ends(0);
  EXPECT_EQ(play.told(), "STARTING RUNNING KILLED");
}

TEST(DockerTrouble, UnreachableAndUnhealthyIsFailed) {
  Play play;
  play.launched().because(StopCause::unhealthy, "unhealthy in Sidecar");
  docker_fails(play, 80s);
  play.give(event::ClosingDone{});
  EXPECT_EQ(play.terminal().state, TaskState::failed);
  EXPECT_TRUE(says(play.terminal(), "may still run"));
}

TEST(DockerTrouble, NeverGivenUpWhileItIsKnownToRun) {
  Play play;
  play.launched().kill(0s);
  for (int i = 0; i < 20; ++i) {
    docker_fails(play, 30s);
    play.give(event::ContainerSeenRunning{});
  }
  EXPECT_EQ(play.phase(), "killing");
  EXPECT_GT(play.times<action::CheckContainer>(), 100) << "it asks whether it runs";
}

TEST(DockerTrouble, ALateAnswerToTheStopShowsThatDockerIsThere) {
  Play play;
  play.launched().kill(1s).wait(1500ms);
  EXPECT_EQ(play.phase(), "killing");
  docker_fails(play, 55s);
  play.give(event::StopAnswered{DockerAnswer::done});
  docker_fails(play, 55s);
  EXPECT_EQ(play.state(), "stopping");
}

}  // namespace
}  // namespace sidecar_executor::task
