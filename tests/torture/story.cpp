// A scenario in words.
#include <sstream>

#include "torture/scenario.hpp"

namespace sx_torture {
namespace {

std::string in_seconds(Ms time) {
  std::ostringstream out;
  out << static_cast<double>(time.count()) / 1000 << " s";
  return out.str();
}

const char* name_of(Limit limit) {
  switch (limit) {
    case Limit::none:
      return "";
    case Limit::memory_16_mb:
      return "executor: 16 MB of memory";
    case Limit::files_30:
      return "executor: 30 open files";
    case Limit::full_disk:
      return "sandbox: full disk";
  }
  return "?";
}

const char* name_of(Syslog syslog) {
  switch (syslog) {
    case Syslog::none:
      return "";
    case Syslog::udp_nobody:
      return "syslog: UDP to nobody";
    case Syslog::tcp:
      return "syslog: TCP";
    case Syslog::tcp_nobody:
      return "syslog: TCP to nobody";
    case Syslog::unix_nobody:
      return "syslog: no such socket";
  }
  return "?";
}

const char* name_of(VaultGives vault) {
  switch (vault) {
    case VaultGives::nothing:
      return "";
    case VaultGives::secrets:
      return "vault: secrets";
    case VaultGives::no_secrets:
      return "vault: fails for good";
  }
  return "?";
}

}  // namespace

const char* name_of(Harm harm) {
  static constexpr const char* names[] = {"docker cut",       "docker hangs",     "docker slow",
                                          "docker refuses",   "docker garbage",   "docker 500",
                                          "dockerd killed",   "dockerd stopped",  "dockerd frozen",
                                          "syslog cut",       "syslog hangs",     "syslog slow",
                                          "syslog refuses",   "syslog garbage",   "executor frozen",
                                          "executor SIGHUP",  "executor SIGTERM", "executor SIGINT",
                                          "executor SIGUSR1", "clock forward",    "clock back"};
  return names[static_cast<std::size_t>(harm)];
}

const char* name_of(Moment moment) {
  static constexpr const char* names[] = {
      "LAUNCH",          "TASK_STARTING", "image asked",    "pull asked",         "create asked",
      "create answered", "start asked",   "start answered", "inspect asked",      "TASK_RUNNING",
      "logs asked",      "stop asked",    "stop answered",  "the terminal update"};
  return names[static_cast<std::size_t>(moment)];
}

const char* name_of(Work work) {
  static constexpr const char* names[] = {"exits",           "runs until TERM",
                                          "ignores TERM",    "floods the log",
                                          "no such command", "runs out of memory"};
  return names[static_cast<std::size_t>(work)];
}

std::vector<std::string> harms_of(const Scenario& s) {
  std::vector<std::string> out;
  out.reserve(s.switches.size() + s.faults.size() + 3);
  for (const auto& one : s.switches) out.push_back(one.name);
  for (const auto& fault : s.faults) out.emplace_back(name_of(fault.harm));
  out.emplace_back(name_of(s.limit));
  out.emplace_back(name_of(s.syslog));
  if (s.max_completion > 0) out.emplace_back("max_completion_time");
  if (s.work == Work::out_of_memory) out.emplace_back("container: out of memory");
  if (s.pressure) out.emplace_back("executor: 16 MB, flood, big Sidecar");
  std::erase(out, "");
  return out;
}

std::string describe(const Scenario& s) {
  std::ostringstream out;
  out << "seed " << s.seed << ": " << name_of(s.work);
  if (s.work == Work::exits || s.work == Work::out_of_memory)
    out << " with " << s.exit_code << " after " << in_seconds(s.life);
  out << ", ";
  if (s.bursts > 1) out << s.bursts << " times ";
  out << s.lines << " lines, kill timeout " << s.kill_timeout << " s";
  if (s.max_completion > 0) out << ", max_completion_time " << s.max_completion << " s";
  const std::pair<bool, const char*> flags[] = {{s.debug, "debug"},
                                                {s.pull, "forced pull"},
                                                {s.remove_container, "remove container"},
                                                {s.logs_to_stdout, "logs to stdout"},
                                                {s.direct, "no proxy before dockerd"},
                                                {s.agent_lost, "agent lost for good"}};
  for (const auto& [on, name] : flags) {
    if (on) out << ", " << name;
  }
  out << "\n";
  for (const char* name : {name_of(s.limit), name_of(s.syslog), name_of(s.vault)}) {
    if (*name != '\0') out << "  " << name << "\n";
  }
  for (const auto& one : s.switches) {
    out << "  " << (one.name.empty() ? "with" : one.name) << ":";
    for (const auto& argument : one.arguments) out << " " << argument;
    out << "\n";
  }
  for (const auto& fault : s.faults) {
    out << "  " << name_of(fault.harm) << " at " << name_of(fault.at);
    if (fault.after.count() > 0) out << " + " << in_seconds(fault.after);
    if (fault.length.count() > 0) out << " for " << in_seconds(fault.length);
    out << "\n";
  }
  return out.str();
}

}  // namespace sx_torture
