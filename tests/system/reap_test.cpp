// Leftovers of a whole host, with the real dockerd: a killed executor's container is found, stopped
// and removed; what lives, or is somebody else's, is not touched.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "docker/container_spec.hpp"
#include "support/system.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

const char* const dies_on_term =
    "/bin/sh -c 'trap \"exit 0\" TERM; while true; do sleep 0.1; done'";

CommandResult reap(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {SX_EXECUTOR, "reap"});
  return run_command(arguments);
}

bool runs(const std::string& container) {
  return run_command({"docker", "inspect", "--format", "{{.State.Running}}", container}).output ==
         "true\n";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool is_running_update(const json::object& event) {
  return event.at("event") == "update" && event.at("status").at("state") == "TASK_RUNNING";
}

class ReapTest : public SystemTest {
 protected:
  static TaskBuilder task() {
    TaskBuilder out(dies_on_term);
    out.docker()["network"] = "NONE";
    return out;
  }
  static std::string container_of(const TaskBuilder& task) {
    const auto all = containers_of(task.id());
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? "" : all[0];
  }
};

/// One daemon of its own for all of it: `reap` looks at the whole host.
TEST_F(ReapTest, FindsStopsAndRemovesWhatAKilledExecutorLeft) {
  const PrivateDocker docker(PrivateDocker::LiveRestore::no);
  // With labels like ours, as an image made by `docker commit` hands them on; and without.
  for (const std::string name : {"committed", "plain"}) {
    std::vector<std::string> command{"docker", "run", "-d", "--name", name, "--network", "none"};
    if (name == "committed") {
      command.insert(command.end(), {"--label", "io.sidecar-executor.pid=999999", "--label",
                                     "io.sidecar-executor.pid-start=1@x", "--label",
                                     "io.sidecar-executor.task-id=t"});
    }
    command.insert(command.end(), {image(), "/bin/sh", "-c", "sleep 600"});
    ASSERT_EQ(run_command(command).code, 0);
  }
  const TaskBuilder killed = task();
  RunOptions options;
  CommandResult while_alive;
  options.on_event = [&](const json::object& event) {
    if (!is_running_update(event)) return;
    while_alive = reap({"--stop", "--remove", "--older-than", "0s"});
    EXPECT_TRUE(runs(container_of(killed)));
    const auto& pid = event.at("status").at("container_status").at("executor_pid");
    ::kill(static_cast<pid_t>(pid.to_number<int>()), SIGKILL);
  };
  const auto run = run_task(killed, options);
  EXPECT_EQ(run.events.back().at("executor_signal"), SIGKILL) << run.transcript();
  EXPECT_EQ(while_alive.code, 0) << while_alive.output;
  EXPECT_EQ(while_alive.output, "0 to stop, 0 to remove, 2 left alone\n");
  const std::string id = container_of(killed);
  ASSERT_TRUE(runs(id));

  const auto dry = reap({});
  EXPECT_EQ(dry.code, 2) << dry.output;
  EXPECT_TRUE(has(dry.output, "would stop    " + id.substr(0, 12) + "  " + killed.id() +
                                  "  running; its executor (pid "))
      << dry.output;
  EXPECT_TRUE(has(dry.output, "not the name that the executor gives")) << dry.output;
  EXPECT_TRUE(has(dry.output, "dry run, nothing was done: 1 to stop (add --stop), 1 left alone"));
  EXPECT_EQ(reap({"--stop", "--task-id", "another"}).code, 0);
  EXPECT_TRUE(runs(id));

  const auto stop = reap({"--stop", "--task-id", killed.id()});
  EXPECT_EQ(stop.code, 0) << stop.output;
  EXPECT_TRUE(has(stop.output, "stopped       " + id.substr(0, 12))) << stop.output;
  EXPECT_FALSE(runs(id));

  const auto young = reap({"--remove", "--older-than", "6h"});
  EXPECT_EQ(young.code, 0) << young.output;
  EXPECT_EQ(containers_of(killed.id()).size(), 1U) << "ended just now";
  EXPECT_TRUE(has(reap({"--older-than", "0s"}).output, "would remove  " + id.substr(0, 12)));
  EXPECT_EQ(containers_of(killed.id()).size(), 1U) << "only said";
  const auto remove = reap({"--remove", "--older-than", "0s"});
  EXPECT_EQ(remove.code, 0) << remove.output;
  EXPECT_TRUE(has(remove.output, "removed       " + id.substr(0, 12))) << remove.output;
  EXPECT_TRUE(containers_of(killed.id()).empty());
  EXPECT_TRUE(runs("committed"));
  EXPECT_TRUE(runs("plain"));
}

/// An agent in a container: its executors have pids of their own, which the host sees as others.
TEST_F(ReapTest, AnExecutorInAnotherPidNamespaceIsNotMistaken) {
  const std::string wrapper = "/tmp/sx-pidns-" + std::to_string(::getpid()) + ".sh";
  std::ofstream(wrapper) << "#!/bin/sh\nexec unshare --pid --fork --kill-child " SX_EXECUTOR "\n";
  ::chmod(wrapper.c_str(), 0755);
  const TaskBuilder inner = task();
  RunOptions options;
  options.agent_arguments = {"--executor", wrapper};
  std::string from_outside;
  std::string from_beside;
  options.on_event = [&](const json::object& event) {
    if (!is_running_update(event)) return;
    const std::string id = container_of(inner);
    EXPECT_EQ(run_command({"docker", "inspect", "--format",
                           "{{index .Config.Labels \"io.sidecar-executor.pid\"}}", id})
                  .output,
              "1\n");
    from_outside = reap({"--task-id", inner.id()}).output;
    reap({"--stop", "--task-id", inner.id()});
    EXPECT_TRUE(runs(id)) << "seen from outside";
    const auto beside = run_command({"unshare", "--pid", "--fork", "--mount-proc", SX_EXECUTOR,
                                     "reap", "--stop", "--task-id", inner.id()});
    from_beside = beside.output;
    EXPECT_TRUE(runs(id)) << "not to be seen from beside";
    run_command({"docker", "kill", id});
  };
  const auto run = run_task(inner, options);
  ::unlink(wrapper.c_str());
  EXPECT_TRUE(has(from_outside, "its executor (pid 1) is alive")) << from_outside;
  EXPECT_TRUE(has(from_beside, "another pid namespace")) << from_beside;
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
}

TEST_F(ReapTest, OfASandboxLeavesALivingExecutorAlone) {
  const TaskBuilder living = task();
  CommandResult seen;
  std::string sandbox;
  RunOptions options;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox") sandbox = event.at("path").as_string();
    if (!is_running_update(event)) return;
    const std::string id = container_of(living);
    seen = reap({"--sandbox", sandbox});
    EXPECT_TRUE(runs(id));
    run_command({"docker", "kill", id});
  };
  const auto run = run_task(living, options);
  EXPECT_EQ(seen.code, 0);
  EXPECT_TRUE(has(seen.output, "Left alone, its executor is alive")) << seen.output;
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
}

TEST_F(ReapTest, ExitCodes) {
  EXPECT_EQ(run_command({"env", "DOCKER_HOST=unix:///no/such.sock", SX_EXECUTOR, "reap"}).code, 69);
  const auto away = run_command({"env", "DOCKER_HOST=unix:///no/such.sock", SX_EXECUTOR, "reap",
                                 "--sandbox", "/no/such/sandbox"});
  EXPECT_EQ(away.code, 69);
  EXPECT_TRUE(has(away.output, "unix:///no/such.sock")) << away.output;
  const auto bad = run_command({"env", "DOCKER_HOST=ssh://x", SX_EXECUTOR, "reap"});
  EXPECT_EQ(bad.code, 69);
  EXPECT_TRUE(has(bad.output, "ssh://x")) << bad.output;
  EXPECT_EQ(reap({"--remove"}).code, 64) << "of what age?";
  EXPECT_EQ(reap({"--older-than", "6 days"}).code, 64);
  EXPECT_EQ(reap({"--sandbox", "/x", "--stop"}).code, 64);
}

}  // namespace
}  // namespace sx_test
