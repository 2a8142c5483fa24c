// The real process does not grow: behind some hundred polls of Sidecar, each a change of health
// with its update, and reconnects of the event stream, it is as big as behind the first few. The
// component tests show the 10,000 of issue 4, one part at a time.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "support/sanitized.hpp"
#include "support/system.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;

struct Size {
  long rss = 0;        ///< KiB
  long anonymous = 0;  ///< KiB
  long descriptors = 0;
};

Size size_of(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  Size size;
  std::istringstream memory(read_file(proc + "/smaps_rollup"));
  for (std::string line; std::getline(memory, line);) {
    if (line.starts_with("Rss:")) size.rss = std::stol(line.substr(4));
    if (line.starts_with("Anonymous:")) size.anonymous = std::stol(line.substr(10));
  }
  size.descriptors = std::distance(std::filesystem::directory_iterator(proc + "/fd"), {});
  return size;
}

/// The biggest of each: a connection more or less at one moment tells nothing.
Size most(const std::vector<Size>& sizes) {
  Size biggest;
  for (const auto& size : sizes) {
    biggest.rss = std::max(biggest.rss, size.rss);
    biggest.anonymous = std::max(biggest.anonymous, size.anonymous);
    biggest.descriptors = std::max(biggest.descriptors, size.descriptors);
  }
  return biggest;
}

/// Checked by Sidecar ten times a second, the most that the executor does.
TaskBuilder checked_task() {
  TaskBuilder task("/bin/sh -c 'trap \"exit 0\" TERM; while true; do sleep 0.1; done'");
  task.docker()["parameters"].as_array().pop_back();  // SidecarDiscover=false
  task.executor_env("EXECUTOR_SIDECAR_BACKOFF", "0");
  task.executor_env("EXECUTOR_SIDECAR_POLL_INTERVAL", "0");
  return task;
}

class ProcessGrowthTest : public SystemTest {};

TEST_F(ProcessGrowthTest, PollsHealthChangesAndReconnects) {
  constexpr std::size_t measured = 30;
  constexpr int polls = 170;
  std::vector<Size> early;
  std::vector<Size> late;
  pid_t executor = 0;
  int subscriptions = 0;
  RunOptions options;
  options.agent_arguments = {"--sidecar-status", "2,0", "--disconnect-every", "0.1",
                             "--backoff-max",    "0.02"};
  options.on_event = [&](const json::object& event) {
    const auto& name = event.at("event").as_string();
    if (name == "executor_pid") executor = event.at("pid").to_number<pid_t>();
    if (name == "subscribed") ++subscriptions;
    if (name != "sidecar_polled") return;
    const int n = event.at("n").to_number<int>();
    if (n > 10 && early.size() < measured) early.push_back(size_of(executor));
    if (n > polls && late.size() < measured) late.push_back(size_of(executor));
    // No draining, and 0 as the exit code.
    if (late.size() == measured) ::kill(executor, SIGUSR1);
  };
  const auto run = run_task(checked_task(), options);
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
  EXPECT_EQ(run.executor_exit, 0);
  ASSERT_EQ(late.size(), measured);
  // It was as busy as it was to be.
  EXPECT_GE(subscriptions, 100);
  EXPECT_GE(run.updates.size(), 150U);

  const Size before = most(early);
  const Size after = most(late);
  ASSERT_GT(before.anonymous, 0);
  ASSERT_GT(before.descriptors, 3);
  // A reconnect that leaked would show here a hundred times.
  EXPECT_LE(after.descriptors, before.descriptors + 3);
  if (!sidecar_executor::test::sanitized) {
    EXPECT_LE(after.anonymous, before.anonymous + 64);
    // The binary's own pages come in as they are first needed.
    EXPECT_LE(after.rss, before.rss + 256);
  }
  std::cout << "early: rss " << before.rss << " KiB, anonymous " << before.anonymous << " KiB, "
            << before.descriptors << " descriptors; late: " << after.rss << ", " << after.anonymous
            << ", " << after.descriptors << "; " << subscriptions << " subscriptions, "
            << run.updates.size() << " updates\n";
}

}  // namespace
}  // namespace sx_test
