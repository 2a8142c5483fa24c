#pragma once
// Pure: which containers have outlived their executor, and what to do about them. Containers are
// known by the labels that the executor gives them (docs/operations.md "Leftovers").

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace sidecar_executor::app {

/// A process of this host, as /proc shows it (proc(5)).
struct ProcessFacts {
  int pid = 0;              ///< as the process itself sees it: the last of NSpid
  std::string start_ticks;  ///< field 22 of stat: clock ticks since boot
  /// The 12 characters behind `sidecar-executor ` in its title (setproctitle); empty for others.
  std::string titled_container;
};

/// What was seen of this host's processes, all of it after the containers had been listed: an
/// executor begins before its container does.
struct HostFacts {
  std::string boot_id;
  std::string pid_namespace;     ///< of this process, `pid:[4026531836]`
  bool first_namespace = false;  ///< the host's own: every process of the host is seen
  /// False when processes are hidden from us: no /proc, one of another namespace, or hidepid.
  bool complete = false;
  bool docker_is_local = true;  ///< the daemon is on this host: a unix socket
  std::vector<ProcessFacts> processes;
};

/// A container that has our labels, or some of them.
struct Candidate {
  std::string id;
  std::string name;
  std::string task_id;
  std::string state;  ///< Docker's: created, running, paused, restarting, removing, exited, dead
  // Labels pid, pid-start and pid-namespace. Versions before the last label did not set it.
  std::string pid;
  std::string pid_start;
  std::string pid_namespace;
  std::optional<std::chrono::nanoseconds>
      ended_for;  ///< since its end; never started: its creation
};

enum class ExecutorState {
  alive,
  gone,
  unknown,  ///< it may run where we cannot see it
  foreign,  ///< no executor of ours made this container
};

struct ExecutorFinding {
  ExecutorState state = ExecutorState::unknown;
  std::string why;  ///< `its executor (pid 4711) is gone`
};

/// `expected_name`: what the executor calls a container of the task: an image made by `docker
/// commit` hands our labels on to containers that are none of ours.
ExecutorFinding find_executor(const Candidate& container, const std::string& expected_name,
                              const HostFacts& host);

bool still_runs(const Candidate& container);  ///< running, paused or restarting

struct ReapRules {
  /// Ended ones that ended so long ago are removed; nullopt: ended ones are not looked at.
  std::optional<std::chrono::nanoseconds> remove_older_than;
};

enum class Verdict { stop, remove, leave, unknown };

struct Judgement {
  Verdict verdict = Verdict::leave;
  std::string why;  ///< for people, without the container's names
};

Judgement judge(const Candidate& container, const std::string& expected_name, const HostFacts& host,
                const ReapRules& rules);

}  // namespace sidecar_executor::app
