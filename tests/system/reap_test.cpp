// Leftovers of a whole host, with the real dockerd: a killed executor's container is found, stopped
// and removed; what lives, or is somebody else's, is not touched.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "docker/container_spec.hpp"
#include "support/system.hpp"
#include "support/system_private_docker.hpp"

namespace sx_test {
namespace {

const std::string dies_on_term_script = "trap \"exit 0\" TERM; while true; do sleep 0.1; done";
const std::string dies_on_term = "/bin/sh -c '" + dies_on_term_script + "'";

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
  EXPECT_EQ(while_alive.output, "0 stopped, 0 removed, 2 left alone\n");
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
  EXPECT_TRUE(has(seen.output, "leave ") && has(seen.output, ") is alive")) << seen.output;
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
}

/// What executor.sh of a task in one container must not do to the task in another one.
TEST_F(ReapTest, OfASandboxLeavesAnExecutorAloneThatCannotBeSeen) {
  const TaskBuilder living = task();
  CommandResult seen;
  std::string sandbox;
  RunOptions options;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox") sandbox = event.at("path").as_string();
    if (!is_running_update(event)) return;
    const std::string id = container_of(living);
    seen = run_command(
        {"unshare", "--pid", "--fork", "--mount-proc", SX_EXECUTOR, "reap", "--sandbox", sandbox});
    EXPECT_TRUE(runs(id));
    run_command({"docker", "kill", id});
  };
  const auto run = run_task(living, options);
  EXPECT_EQ(seen.code, 1) << seen.output;
  EXPECT_TRUE(has(seen.output, "unknown ") && has(seen.output, "another pid namespace"))
      << seen.output;
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
}

/// An agent in a container: script, executor and reap share its pid namespace, and that is enough.
TEST_F(ReapTest, ExecutorShInAPidNamespaceStopsWhatAKilledExecutorLeft) {
  const TaskBuilder killed = task();
  RunOptions options;
  options.agent_arguments = {
      "--wrapper", "exec unshare --pid --fork --kill-child --mount-proc /bin/sh " SX_SOURCE_DIR
                   "/scripts/executor.sh"};
  std::string copy;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox")
      copy = std::string(event.at("path").as_string()) + "/sidecar-executor";
    if (!is_running_update(event)) return;
    for (const auto& process : std::filesystem::directory_iterator("/proc")) {
      std::error_code none;
      if (std::filesystem::read_symlink(process.path() / "exe", none) == copy)
        ::kill(std::stoi(process.path().filename().string()), SIGKILL);
    }
  };
  const auto run = run_task(killed, options);
  EXPECT_EQ(run.executor_exit, 137) << run.transcript();
  EXPECT_FALSE(runs(container_of(killed))) << run.transcript();
  EXPECT_TRUE(has(run.err, "1 stopped, 0 left alone")) << run.err;
}

TEST_F(ReapTest, OfASandboxStopsThatExecutorsContainerOnly) {
  const std::string boot = read_file("/proc/sys/kernel/random/boot_id");
  const std::string mark = "1@" + boot.substr(0, boot.find('\n'));
  const auto start = [&](const std::string& executor) {
    const std::string task_id = "sx-same-sandbox-" + executor + "-" + std::to_string(::getpid());
    const auto label = [](const std::string& key, const std::string& value) {
      return "--label=io.sidecar-executor." + key + "=" + value;
    };
    const auto made =
        run_command({"docker", "run", "-d", "--network", "none", "--name",
                     sidecar_executor::docker::container_name(task_id), label("task-id", task_id),
                     label("pid", "999999"), label("pid-start", mark),
                     label("sandbox", "/mnt/mesos/sandbox"), label("executor-id", executor),
                     label("framework-id", "f"), image(), "/bin/sh", "-c", dies_on_term_script});
    EXPECT_EQ(made.code, 0) << made.output;
    own_container(made.output.substr(0, 64));
    return made.output.substr(0, 64);
  };
  const std::string ours = start("ours");
  const std::string other = start("other");
  const auto of = [](const char* executor, const char* framework) {
    return run_command({"env", std::string("MESOS_EXECUTOR_ID=") + executor,
                        std::string("MESOS_FRAMEWORK_ID=") + framework, SX_EXECUTOR, "reap",
                        "--sandbox", "/mnt/mesos/sandbox"});
  };
  EXPECT_EQ(of("ours", "another").output, "");
  EXPECT_TRUE(runs(ours));
  const auto seen = of("ours", "f");
  EXPECT_EQ(seen.code, 0) << seen.output;
  EXPECT_TRUE(has(seen.output, "1 stopped, 0 left alone\n")) << seen.output;
  EXPECT_FALSE(runs(ours));
  EXPECT_TRUE(runs(other));
}

/// `reap --stop | head -1`: the reader goes away, and the work is done all the same.
TEST_F(ReapTest, AReaderThatGoesAwayDoesNotEndIt) {
  const std::string base = "/tmp/sx-reap-reader-" + std::to_string(::getpid());
  const std::string script =
      "mkfifo \"$1\" && "
      "{ read go <\"$1\"; "
      "env --default-signal=PIPE DOCKER_HOST=ssh://x \"$0\" reap; echo \"code $?\" >\"$2\"; } "
      "| { exec <&-; echo go >\"$1\"; }; cat \"$2\"; rm -f \"$1\" \"$2\"";
  const auto seen =
      run_command({"/bin/sh", "-c", script, SX_EXECUTOR, base + ".fifo", base + ".code"});
  EXPECT_EQ(seen.output, "code 69\n");
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
  for (const char* option : {"--task-id", "--sandbox"}) {
    const auto empty = run_command(
        {"/bin/sh", "-c", "DOCKER_HOST=ssh://x \"$0\" reap \"$1\" '' 2>&1", SX_EXECUTOR, option});
    EXPECT_EQ(empty.code, 64) << option << " of an empty variable is not the whole host";
    EXPECT_TRUE(has(empty.output, std::string(option) + ": is empty; leave the option out"))
        << empty.output;
  }
}

}  // namespace
}  // namespace sx_test
