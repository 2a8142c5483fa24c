#include "app/reap_plan.hpp"

#include <algorithm>
#include <charconv>

#include "base/go_duration.hpp"
#include "base/text.hpp"

namespace sidecar_executor::app {
namespace {

int number_of(const std::string& text) {
  int number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  return ec == std::errc{} && end == text.data() + text.size() ? number : 0;
}

struct StartMark {
  std::string ticks;
  std::string boot_id;
};

/// `<ticks>@<boot id>`.
std::optional<StartMark> mark_of(const std::string& text) {
  const auto at = text.find('@');
  if (at == std::string::npos || at == 0 || at + 1 == text.size()) return std::nullopt;
  return StartMark{text.substr(0, at), text.substr(at + 1)};
}

/// A process that says by its title that it looks after this container: a task may overwrite
/// labels, and an agent in a container may have a boot id of its own (systemd-nspawn, LXC).
bool is_titled(const Candidate& container, const HostFacts& host) {
  return std::any_of(host.processes.begin(), host.processes.end(), [&](const auto& p) {
    return !p.titled_container.empty() && container.id.starts_with(p.titled_container);
  });
}

/// The process that the labels name, in whichever pid namespace it runs.
bool is_labelled(const Candidate& container, const StartMark& mark, const HostFacts& host) {
  const int pid = number_of(container.pid);
  return mark.boot_id == host.boot_id &&
         std::any_of(host.processes.begin(), host.processes.end(),
                     [&](const auto& p) { return p.pid == pid && p.start_ticks == mark.ticks; });
}

/// What keeps us from being sure that a process that we do not see is not there; empty: nothing.
std::string blind_spot(const Candidate& container, const StartMark& mark, const HostFacts& host) {
  // After a reboot no container of ours runs by itself (restart policy no). What runs is another
  // host's, whose socket was forwarded, or somebody started it again.
  if (mark.boot_id != host.boot_id)
    return host.docker_is_local && !still_runs(container)
               ? ""
               : "its executor was started on another host or before a reboot; run reap on the "
                 "host "
                 "of its agent, or docker stop it";
  if (!host.complete)
    return "the processes of this host cannot be seen (run reap as root, with the /proc of its "
           "own pid namespace)";
  if (host.first_namespace || container.pid_namespace == host.pid_namespace) return "";
  return "its executor may run in another pid namespace; run reap on the host itself";
}

std::string named(const Candidate& container) {
  return "its executor (pid " + one_line(container.pid, 20) + ") ";
}

std::string state_of(const Candidate& container) {
  if (!container.ended_for || still_runs(container)) return one_line(container.state, 20);
  const bool never = container.state == "created";
  return (never ? "created " : "ended ") + format_for_people(*container.ended_for) + " ago" +
         (never ? ", never started" : "");
}

}  // namespace

bool still_runs(const Candidate& container) {
  return container.state == "running" || container.state == "paused" ||
         container.state == "restarting";
}

ExecutorFinding find_executor(const Candidate& container, const std::string& expected_name,
                              const HostFacts& host) {
  const auto mark = mark_of(container.pid_start);
  if (container.task_id.empty() || number_of(container.pid) <= 0 || !mark)
    return {ExecutorState::foreign, "its labels are not those of an executor"};
  if (container.name != expected_name)
    return {ExecutorState::foreign,
            "it has an executor's labels, but not the name that the executor gives (" +
                expected_name + ")"};
  if (is_titled(container, host) || is_labelled(container, *mark, host))
    return {ExecutorState::alive, named(container) + "is alive"};
  if (auto blind = blind_spot(container, *mark, host); !blind.empty())
    return {ExecutorState::unknown, std::move(blind)};
  const bool rebooted = mark->boot_id != host.boot_id;
  return {ExecutorState::gone,
          named(container) + (rebooted ? "ended with a reboot of this host" : "is gone")};
}

Judgement judge(const Candidate& container, const std::string& expected_name, const HostFacts& host,
                const ReapRules& rules) {
  const auto executor = find_executor(container, expected_name, host);
  const std::string why = state_of(container) + "; " + executor.why;
  if (executor.state == ExecutorState::unknown) return {Verdict::unknown, why};
  if (executor.state != ExecutorState::gone) return {Verdict::leave, why};
  if (still_runs(container)) return {Verdict::stop, why};
  // Docker is removing it, or nobody asked for ended ones, or their end is not known.
  if (container.state == "removing" || !rules.remove_older_than || !container.ended_for)
    return {Verdict::leave, why};
  if (*container.ended_for < *rules.remove_older_than)
    return {Verdict::leave, why + ", kept for " + format_for_people(*rules.remove_older_than)};
  return {Verdict::remove, why};
}

}  // namespace sidecar_executor::app
