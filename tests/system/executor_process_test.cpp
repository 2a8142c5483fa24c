// What a host sees of an executor: its process, and the labels that lead from a container to it.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "system/inside.hpp"

namespace sx_test {
namespace {

const std::string label_prefix = "io.sidecar-executor.";

std::string without_newline(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// proc(5): field 22 of stat; the name in field 2 may hold blanks and parentheses.
std::string start_time_of(const std::string& process) {
  const std::string stat = read_file(process + "/stat");
  std::istringstream rest(stat.substr(stat.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= 22; ++i) rest >> field;
  return field;
}

class ExecutorProcessTest : public SystemTest {
 protected:
  /// Calls `look` with the container's id and the executor's /proc/PID while the task runs.
  RunResult run_and_look(TaskBuilder& task,
                         const std::function<void(const std::string&, const std::string&)>& look) {
    bool looked = false;
    auto options = while_it_runs(task.id(), [&](const std::string& container) {
      looked = true;
      look(container, "/proc/" + pid_);
    });
    options.on_event = [this, next = options.on_event](const json::object& event) {
      if (event.at("event") == "executor_pid") pid_ = json::serialize(event.at("pid"));
      if (event.at("event") == "listening") agent_ = event;
      next(event);
    };
    auto run = run_task(task, options);
    EXPECT_TRUE(looked) << run.transcript();
    EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
    return run;
  }

  static TaskBuilder task() { return TaskBuilder("/bin/sh -c '" + std::string(until_done) + "'"); }

  std::string pid_;
  json::object agent_;  ///< what mini-agent says that it is
};

/// It is set before the framework hears that the task runs. reap reads it, too.
TEST_F(ExecutorProcessTest, ItsTitleNamesContainerAndImage) {
  auto asked = task();
  run_and_look(asked, [](const std::string& container, const std::string& process) {
    std::string title = read_file(process + "/cmdline");
    title.resize(std::min(title.size(), title.find('\0')));
    // libbsd's, when the title is as long as the command line was.
    if (title.ends_with(' ')) title.pop_back();
    EXPECT_EQ(title, "sidecar-executor " + container.substr(0, 12) + " (" + image() + ")");
  });
}

TEST_F(ExecutorProcessTest, LabelsOfTheContainerLeadToIt) {
  auto asked = task();
  std::map<std::string, std::string> labels;
  std::string start_time;
  const auto run =
      run_and_look(asked, [&](const std::string& container, const std::string& process) {
        const auto inspected = inspect_container(container);
        for (const auto& [name, value] : inspected.at("Config").at("Labels").as_object()) {
          if (name.starts_with(label_prefix))
            labels[std::string(name).substr(label_prefix.size())] = value.as_string();
        }
        start_time = start_time_of(process);
      });
  labels.erase("test-image");  // of scripts/make-image.sh
  const auto agents = [this](const char* name) { return std::string(agent_.at(name).as_string()); };
  std::string version = without_newline(run_command({SX_EXECUTOR, "--version"}).output);
  version.erase(0, version.find(' ') + 1);
  const std::map<std::string, std::string> expected{
      {"version", version},
      {"task-id", asked.id()},
      {"framework-id", agents("framework_id")},
      {"executor-id", "executor-" + asked.id()},
      {"agent-id", "agent-1"},
      {"sandbox", run.sandbox},
      {"pid", pid_},
      {"pid-start",
       start_time + "@" + without_newline(read_file("/proc/sys/kernel/random/boot_id"))},
      {"pid-namespace", std::filesystem::read_symlink("/proc/self/ns/pid").string()}};
  EXPECT_EQ(labels, expected);
}

/// $0 is the executor. There is no agent: it looks for one for 15 s.
constexpr const char* look_at_its_memory = R"sh(
  user="setpriv --reuid=65534 --regid=65534 --clear-groups"
  echo "another program: environ of $($user sh -c 'stat -c %u /proc/$$/environ')"
  agent="MESOS_AGENT_ENDPOINT=127.0.0.1:1 MESOS_FRAMEWORK_ID=f MESOS_EXECUTOR_ID=e"
  sh -c 'echo $$; exec "$@" 2>&1' - env -i $agent $user "$0" | {
    read -r pid
    while read -r line; do
      case $line in *"Subscribing to agent"*) break ;; esac
    done
    for file in environ mem; do
      echo "executor: $file of $(stat -c %u /proc/$pid/$file)"
      $user sh -c ": </proc/$pid/$file" 2>/dev/null && echo "$file can be opened"
    done
    kill $pid
  })sh";

/// Secrets are in its memory, and its environment may hold some. Root reads all, so it runs as
/// somebody else: what would be that user's belongs to root, for it is not dumpable (proc(5)).
TEST(ExecutorMemoryTest, IsClosedToItsOwnUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become somebody else";
  // A program that its user may not read would never be dumpable: a copy that everybody may.
  const std::string copy = "/tmp/sx-memory-" + std::to_string(::getpid());
  ASSERT_EQ(run_command({"install", "-m", "755", SX_EXECUTOR, copy}).code, 0);
  const auto seen = run_command({"/bin/sh", "-c", look_at_its_memory, copy});
  run_command({"rm", "-f", copy});
  EXPECT_EQ(seen.output,
            "another program: environ of 65534\n"
            "executor: environ of 0\nexecutor: mem of 0\n");
}

}  // namespace
}  // namespace sx_test
