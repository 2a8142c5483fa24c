// The second witness, on children of this process.
#include "docker/process_watch.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "child_process.hpp"
#include "support/run.hpp"

namespace sidecar_executor::docker {
namespace {

using namespace std::chrono_literals;

TEST(CgroupNames, BothVersionsAndAllPaths) {
  EXPECT_TRUE(cgroup_names("9:name=systemd:/docker/" + container_id + "\n0::/\n", container_id));
  EXPECT_TRUE(cgroup_names("0::/system.slice/docker-" + container_id + ".scope\n", container_id));
  EXPECT_TRUE(cgroup_names("0::/../" + container_id + "\n", container_id));
  EXPECT_FALSE(cgroup_names("0::/docker/" + std::string(64, 'b') + "\n", container_id));
  EXPECT_FALSE(cgroup_names("0::/docker/" + container_id.substr(0, 12) + "\n", container_id));
  EXPECT_FALSE(cgroup_names("0::/docker/abc\n", "abc")) << "only a full id is unique";
  EXPECT_FALSE(cgroup_names("", ""));
}

class ProcessWatchTest : public ::testing::Test {
 protected:
  Result<ProcessWatch> open(int pid) {
    return ProcessWatch::open(loop.executor(), pid, container_id, proc.path());
  }
  test::Loop loop;
  FakeProc proc;
  ChildProcess child;
  net::Cancellation stop;
};

TEST_F(ProcessWatchTest, SeesTheEnd) {
  proc.in_container(child.pid());
  auto watch = open(child.pid());
  ASSERT_TRUE(watch) << watch.error().message;
  auto ended = loop.start([&] { return watch->ended(stop); });
  loop.poll();
  EXPECT_FALSE(ended.ended());
  child.end();
  EXPECT_TRUE(loop.finish(ended, 5s));
}

TEST_F(ProcessWatchTest, AnEndBeforeTheWaitIsSeenToo) {
  proc.in_container(child.pid());
  auto watch = open(child.pid());
  ASSERT_TRUE(watch);
  child.end();
  EXPECT_TRUE(loop.run([&] { return watch->ended(stop); }, 5s));
}

TEST_F(ProcessWatchTest, EndsWhenCancelled) {
  proc.in_container(child.pid());
  auto watch = open(child.pid());
  ASSERT_TRUE(watch);
  auto ended = loop.start([&] { return watch->ended(stop); });
  loop.poll();
  stop.cancel();
  EXPECT_FALSE(loop.finish(ended, 5s));
  EXPECT_FALSE(loop.run([&] { return watch->ended(stop); }, 5s)) << "cancelled before";
}

TEST_F(ProcessWatchTest, AProcessThatIsNotTheContainersIsNoWitness) {
  proc.write(child.pid(), "0::/user.slice\n");
  const auto watch = open(child.pid());
  ASSERT_FALSE(watch);
  EXPECT_NE(watch.error().message.find("not in a cgroup"), std::string::npos);
}

TEST_F(ProcessWatchTest, NoSuchProcess) {
  const pid_t gone = child.pid();
  proc.in_container(gone);
  child.end();
  child.reap();
  for (const pid_t pid : {gone, 0, -1}) EXPECT_FALSE(open(pid)) << pid;
}

TEST_F(ProcessWatchTest, NoProc) { EXPECT_FALSE(open(child.pid())); }

}  // namespace
}  // namespace sidecar_executor::docker
