// dockerd goes away at an exact point of a task's life, and comes back: before it did what it was
// asked to, and after it did it but before the executor knew (behaviour.md 4, 5, 6; issue 4:
// "dockerd stopped for 20 s and restarted in every phase"). Nothing runs twice, nothing is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "support/system.hpp"
#include "support/system_docker_proxy.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

using namespace std::chrono_literals;
using LiveRestore = PrivateDocker::LiveRestore;

struct Phase {
  const char* name;
  const char* call;    ///< part of the request's line
  const char* answer;  ///< null: before the request is passed on; else part of the answer
  const char* end;     ///< last update's state
  const char* said;    ///< part of its message
};

const Phase phases[] = {
    {"ImageCheck", "GET /v1.41/images/", nullptr, "TASK_FINISHED", "exited with code 0"},
    {"BeforeThePull", "/images/create", nullptr, "TASK_FINISHED", "exited with code 0"},
    {"DuringThePull", "/images/create", "Pull", "TASK_FINISHED", "exited with code 0"},
    {"BeforeTheCreate", "/containers/create", nullptr, "TASK_FINISHED", "exited with code 0"},
    {"AfterTheCreate", "/containers/create", "HTTP", "TASK_FINISHED", "exited with code 0"},
    {"BetweenCreateAndStart", "next-exit", nullptr, "TASK_FINISHED", "exited with code 0"},
    {"BeforeTheStart", "/start", nullptr, "TASK_FINISHED", "exited with code 0"},
    {"AfterTheStart", "/start", "HTTP", "TASK_FINISHED", "exited with code 0"},
    {"StartedNotInspected", "GET /v1.41/containers/", nullptr, "TASK_FINISHED",
     "exited with code 0"},
    {"Running", nullptr, nullptr, "TASK_FINISHED", "exited with code 0"},
    {"BeforeTheStop", "/stop", nullptr, "TASK_KILLED", "container ended with exit code 3"},
    {"AfterTheStop", "/stop", "HTTP", "TASK_KILLED", "container ended with exit code 3"},
    {"AfterTheExit", "next-exit", "StatusCode", "TASK_FAILED", "exited with code 7"},
};

bool is(const Phase& phase, const char* part) {
  return std::string_view(phase.name).find(part) != std::string_view::npos;
}

/// Opened once; who comes before waits.
class Door {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool wait(std::chrono::seconds limit = 100s) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, limit, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class DockerPhaseTest : public ::testing::Test {
 protected:
  /// AfterTheExit is to be waited for before it ends.
  static std::string go_of(bool exits) { return exits ? "exit" : "go"; }
  /// Notes each of its runs; ends with 0 after go(), with 3 on TERM.
  TaskBuilder task_of(const Phase& phase) const {
    const std::string run = "echo run >>/x/" + std::string(phase.name) + "; ";
    const bool exits = is(phase, "AfterTheExit");
    const std::string until = is(phase, "Stop") ? "true" : "[ ! -e /x/" + go_of(exits) + " ]";
    TaskBuilder task("/bin/sh -c 'trap \"exit 3\" TERM; " + run + "while " + until +
                     "; do sleep 0.1; done" + (exits ? "; exit 7'" : "'"));
    task.docker()["network"] = "NONE";
    task.container()["volumes"] = json::array{
        {{"container_path", "/x"}, {"host_path", docker.folder() + "/shared"}, {"mode", "RW"}}};
    if (is(phase, "Pull")) task.image(image_to_pull(phase));
    return task;
  }
  [[nodiscard]] std::string shared(const std::string& name) const {
    return docker.folder() + "/shared/" + name;
  }
  void go() const { std::ofstream(shared("go")) << "\n"; }

  static std::string image_to_pull(const Phase& phase) {
    const char* registry = ::getenv("SX_REGISTRY");
    if (registry == nullptr) ADD_FAILURE() << "run through scripts/with-registry.sh";
    std::string name(phase.name);
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return std::tolower(c); });
    return std::string(registry == nullptr ? "" : registry) + "/phase/" + name + ":1";
  }
  /// In the registry, not here.
  static void offer(const Phase& phase) {
    if (!is(phase, "Pull")) return;
    const std::string image = image_to_pull(phase);
    EXPECT_EQ(run_command({"docker", "tag", "sx-test:1", image}).code, 0);
    EXPECT_EQ(run_command({"docker", "push", "-q", image}).code, 0);
    EXPECT_EQ(run_command({"docker", "rmi", image}).code, 0);
  }

  /// The task up to its end; `reached` is called once at the phase, and then Docker is away: it
  /// returns when the connection may break.
  RunResult run_through(const Phase& phase, const std::function<void()>& reached) {
    std::atomic<bool> once{false};
    const DockerProxy proxy(
        docker.folder() + "/" + phase.name, docker.host(),
        [&](const std::string& line, std::string_view answer) {
          if (phase.call == nullptr || line.find(phase.call) == std::string::npos) return false;
          if (answer.empty() != (phase.answer == nullptr)) return false;
          if (phase.answer != nullptr && answer.find(phase.answer) == std::string_view::npos)
            return false;
          if (once.exchange(true)) return false;
          reached();
          return true;
        });
    RunOptions options;
    options.executor_environment.emplace_back("DOCKER_HOST", proxy.host());
    options.executor_environment.emplace_back("DOCKER_API_VERSION", "1.41");
    options.limit = 100s;
    // Not at once: the first process of a container ignores a TERM before its trap.
    if (is(phase, "Stop")) options.agent_arguments = {"--kill-after", "1", "--kill-grace", "40"};
    options.on_event = [&](const json::object& event) {
      if (event.at("event") != "update" || event.at("status").at("state") != "TASK_RUNNING") return;
      if (is(phase, "AfterTheExit")) std::ofstream(shared(go_of(true))) << "\n";
      if (phase.call == nullptr && !once.exchange(true)) reached();
    };
    auto run = run_task(task_of(phase), options);
    EXPECT_TRUE(once) << phase.name << " was not reached\n" << run.transcript();
    return run;
  }

  void expect_whole(const Phase& phase, const RunResult& run) const {
    std::vector<std::string> states{"TASK_STARTING", "TASK_RUNNING"};
    if (is(phase, "Stop")) states.emplace_back("TASK_KILLING");
    states.emplace_back(phase.end);
    EXPECT_EQ(run.states(), states) << phase.name << "\n" << run.transcript();
    EXPECT_NE(run.last().message.find(phase.said), std::string::npos)
        << phase.name << ": " << run.last().message;
    EXPECT_EQ(run.executor_exit, 0) << phase.name;
    EXPECT_EQ(read_file(shared(phase.name)), "run\n") << phase.name << " ran so often";
  }

  PrivateDocker docker{LiveRestore::yes};
};

struct Absence {
  const char* name;
  std::function<void(PrivateDocker&)> leave;
  std::function<void(PrivateDocker&)> come_back;
  std::chrono::seconds away;

  friend std::ostream& operator<<(std::ostream& out, const Absence& a) { return out << a.name; }
};

/// As long as an upgrade takes, or longer than a call may take; one task in each phase.
class DockerAwayTest : public DockerPhaseTest, public ::testing::WithParamInterface<Absence> {};

TEST_P(DockerAwayTest, OneTaskInEachPhase) {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t there = 0;
  Door away;
  std::vector<std::thread> tasks;
  tasks.reserve(std::size(phases));
  std::vector<RunResult> runs(std::size(phases));
  for (const Phase& phase : phases) offer(phase);
  for (std::size_t i = 0; i < std::size(phases); ++i) {
    tasks.emplace_back([&, i] {
      runs[i] = run_through(phases[i], [&] {
        {
          const std::lock_guard lock(mutex);
          ++there;
        }
        changed.notify_all();
        EXPECT_TRUE(away.wait());
      });
    });
  }
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, 60s, [&] { return there == std::size(phases); }));
  }
  GetParam().leave(docker);
  const auto until = std::chrono::steady_clock::now() + GetParam().away;
  away.open();
  std::this_thread::sleep_until(until);  // the absence itself is what is tested
  GetParam().come_back(docker);
  go();
  for (auto& task : tasks) task.join();
  for (std::size_t i = 0; i < std::size(phases); ++i) expect_whole(phases[i], runs[i]);
}

INSTANTIATE_TEST_SUITE_P(
    Each, DockerAwayTest,
    ::testing::Values(Absence{"KilledFor20s", [](PrivateDocker& d) { d.kill(); },
                              [](PrivateDocker& d) { d.start(LiveRestore::yes); }, 20s},
                      Absence{"StoppedAndBackAtOnce", [](PrivateDocker& d) { d.stop(); },
                              [](PrivateDocker& d) { d.start(LiveRestore::yes); }, 0s},
                      Absence{"HangsFor12s", [](PrivateDocker& d) { d.hang(); },
                              [](PrivateDocker& d) { d.go_on(); }, 12s}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace sx_test
