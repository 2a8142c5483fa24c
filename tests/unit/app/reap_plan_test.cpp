// Which containers have outlived their executor: every way to be alive, and to be somebody else's.
#include "app/reap_plan.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::app {
namespace {

using namespace std::chrono_literals;

constexpr const char* name = "mesos-name";
constexpr const char* id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

Candidate running() {
  return {id, name, "task-1", "running", "4711", "9000@boot-1", "pid:[1]", std::nullopt};
}

Candidate ended(std::chrono::nanoseconds ago) {
  auto out = running();
  out.state = "exited";
  out.ended_for = ago;
  return out;
}

/// Root on the host itself; the executor is not among the processes.
HostFacts host() {
  HostFacts out;
  out.boot_id = "boot-1";
  out.pid_namespace = "pid:[1]";
  out.first_namespace = true;
  out.complete = true;
  out.processes = {{1, "10", ""}, {4712, "9000", ""}, {4711, "9001", ""}};
  return out;
}

Judgement judged(const Candidate& container, const HostFacts& facts, const ReapRules& rules = {}) {
  return judge(container, name, facts, rules);
}

TEST(ReapPlanTest, ARunningContainerWhoseExecutorIsGoneIsStopped) {
  const auto judgement = judged(running(), host());
  EXPECT_EQ(judgement.verdict, Verdict::stop);
  EXPECT_EQ(judgement.why, "running; its executor (pid 4711) is gone");
  for (const char* state : {"paused", "restarting"}) {
    auto container = running();
    container.state = state;
    EXPECT_EQ(judged(container, host()).verdict, Verdict::stop) << state;
  }
}

TEST(ReapPlanTest, SamePidAndSameStartIsAlive) {
  auto facts = host();
  facts.processes.push_back({4711, "9000", ""});
  EXPECT_EQ(judged(running(), facts).verdict, Verdict::leave);
  EXPECT_EQ(judged(running(), facts).why, "running; its executor (pid 4711) is alive");
  EXPECT_EQ(judged(ended(100h), facts, {1h}).verdict, Verdict::leave);
}

TEST(ReapPlanTest, ATitleThatNamesTheContainerIsAlive) {
  auto facts = host();
  facts.processes.push_back({99, "1", "0123456789ab"});
  EXPECT_EQ(judged(running(), facts).verdict, Verdict::leave);
  facts.processes.back().titled_container = "0123456789ac";
  EXPECT_EQ(judged(running(), facts).verdict, Verdict::stop);
}

TEST(ReapPlanTest, BeforeARebootIsGone) {
  auto facts = host();
  facts.boot_id = "boot-2";
  facts.processes.push_back({4711, "9000", ""});
  EXPECT_EQ(judged(ended(7h), facts, {6h}).verdict, Verdict::remove);
  EXPECT_NE(judged(ended(7h), facts, {6h}).why.find("reboot"), std::string::npos);
}

TEST(ReapPlanTest, WhatRunsWithAnotherBootIdIsNotStopped) {
  auto facts = host();
  facts.boot_id = "boot-2";
  EXPECT_EQ(judged(running(), facts).verdict, Verdict::unknown) << "a forwarded socket";
  facts.processes.push_back({7, "9000", "0123456789ab"});
  EXPECT_EQ(judged(running(), facts).verdict, Verdict::leave) << "an agent in a container";
}

TEST(ReapPlanTest, WhoCannotSeeTheExecutorDoesNotTouchItsContainer) {
  auto hidden = host();
  hidden.complete = false;
  EXPECT_EQ(judged(running(), hidden).verdict, Verdict::unknown);
  EXPECT_EQ(judged(ended(100h), hidden, {1h}).verdict, Verdict::unknown);

  auto inside = host();
  inside.first_namespace = false;
  EXPECT_EQ(judged(running(), inside).verdict, Verdict::stop) << "the executor's own namespace";
  inside.pid_namespace = "pid:[2]";
  EXPECT_EQ(judged(running(), inside).verdict, Verdict::unknown);
  EXPECT_NE(judged(running(), inside).why.find("on the host itself"), std::string::npos);
  inside.pid_namespace = "pid:[1]";
  auto old = running();
  old.pid_namespace.clear();
  EXPECT_EQ(judged(old, inside).verdict, Verdict::unknown) << "before the label was set";

  auto remote = host();
  remote.docker_is_local = false;
  EXPECT_EQ(judged(running(), remote).verdict, Verdict::stop) << "the boot id is this host's";
  remote.boot_id = "boot-2";
  EXPECT_EQ(judged(running(), remote).verdict, Verdict::unknown);
}

TEST(ReapPlanTest, FromTheFirstNamespaceAllAreSeen) {
  auto inner = running();
  inner.pid_namespace = "pid:[77]";
  inner.pid = "12";
  EXPECT_EQ(judged(inner, host()).verdict, Verdict::stop);
  auto facts = host();
  facts.processes.push_back({12, "9000", ""});
  EXPECT_EQ(judged(inner, facts).verdict, Verdict::leave);
}

TEST(ReapPlanTest, WhatIsNotOursIsLeftAlone) {
  const auto expect_foreign = [](auto change) {
    auto container = running();
    change(container);
    const auto judgement = judged(container, host(), {0h});
    EXPECT_EQ(judgement.verdict, Verdict::leave) << judgement.why;
    EXPECT_EQ(find_executor(container, name, host()).state, ExecutorState::foreign);
  };
  expect_foreign([](Candidate& c) { c.name = "copy-of-a-committed-image"; });
  expect_foreign([](Candidate& c) { c.task_id.clear(); });
  for (const char* pid : {"", "0", "-3", "4711x", "99999999999999"})
    expect_foreign([pid](Candidate& c) { c.pid = pid; });
  for (const char* mark : {"", "9000", "9000@", "@boot-1", "@"})
    expect_foreign([mark](Candidate& c) { c.pid_start = mark; });
}

TEST(ReapPlanTest, EndedOnesAreRemovedWhenTheyAreOldEnough) {
  EXPECT_EQ(judged(ended(6h), host(), {6h}).verdict, Verdict::remove);
  EXPECT_EQ(judged(ended(6h), host(), {6h}).why, "ended 6h ago; its executor (pid 4711) is gone");
  EXPECT_EQ(judged(ended(6h - 1s), host(), {6h}).verdict, Verdict::leave);
  EXPECT_NE(judged(ended(1h), host(), {6h}).why.find("kept for 6h"), std::string::npos);
  EXPECT_EQ(judged(ended(600h), host(), {}).verdict, Verdict::leave) << "nobody asked";
  auto never = ended(7h);
  never.state = "created";
  EXPECT_EQ(judged(never, host(), {6h}).verdict, Verdict::remove);
  EXPECT_NE(judged(never, host(), {6h}).why.find("never started"), std::string::npos);
}

TEST(ReapPlanTest, WithoutAKnownEndNothingIsRemoved) {
  auto container = ended(100h);
  container.ended_for.reset();
  EXPECT_EQ(judged(container, host(), {0h}).verdict, Verdict::leave);
  container = ended(100h);
  container.state = "removing";
  EXPECT_EQ(judged(container, host(), {0h}).verdict, Verdict::leave);
}

}  // namespace
}  // namespace sidecar_executor::app
