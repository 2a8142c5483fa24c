#include "task/outcome.hpp"

#include <algorithm>
#include <array>
#include <csignal>

#include "base/go_duration.hpp"

namespace sidecar_executor::task {
using mesos::Reason;
using mesos::TaskState;

namespace {

/// Signals 1 to 37 count as "killed by a signal" when a shell's 128+n is seen; above that
/// a program's own exit code is likelier (the range is the Go executor's).
constexpr int last_signal = 37;

struct SignalName {
  int number;
  std::string_view name;
  bool crash;
};

constexpr std::array signals{
    SignalName{SIGHUP, "SIGHUP", false},   SignalName{SIGINT, "SIGINT", false},
    SignalName{SIGQUIT, "SIGQUIT", false}, SignalName{SIGILL, "SIGILL", true},
    SignalName{SIGTRAP, "SIGTRAP", true},  SignalName{SIGABRT, "SIGABRT", true},
    SignalName{SIGBUS, "SIGBUS", true},    SignalName{SIGFPE, "SIGFPE", true},
    SignalName{SIGKILL, "SIGKILL", false}, SignalName{SIGUSR1, "SIGUSR1", false},
    SignalName{SIGSEGV, "SIGSEGV", true},  SignalName{SIGUSR2, "SIGUSR2", false},
    SignalName{SIGPIPE, "SIGPIPE", false}, SignalName{SIGALRM, "SIGALRM", false},
    SignalName{SIGTERM, "SIGTERM", false}, SignalName{SIGSTKFLT, "SIGSTKFLT", false},
    SignalName{SIGCHLD, "SIGCHLD", false}, SignalName{SIGCONT, "SIGCONT", false},
    SignalName{SIGSTOP, "SIGSTOP", false}, SignalName{SIGTSTP, "SIGTSTP", false},
    SignalName{SIGTTIN, "SIGTTIN", false}, SignalName{SIGTTOU, "SIGTTOU", false},
    SignalName{SIGURG, "SIGURG", false},   SignalName{SIGXCPU, "SIGXCPU", true},
    SignalName{SIGXFSZ, "SIGXFSZ", true},  SignalName{SIGVTALRM, "SIGVTALRM", false},
    SignalName{SIGPROF, "SIGPROF", false}, SignalName{SIGWINCH, "SIGWINCH", false},
    SignalName{SIGIO, "SIGIO", false},     SignalName{SIGPWR, "SIGPWR", false},
    SignalName{SIGSYS, "SIGSYS", true},
};

bool is_crash(int number) {
  return std::any_of(signals.begin(), signals.end(),
                     [number](const SignalName& s) { return s.number == number && s.crash; });
}

/// The signal in a shell's or Docker's 128+n, 0 when the code is none.
int signal_in(int exit_code) {
  const int number = exit_code - 128;
  return number >= 1 && number <= last_signal ? number : 0;
}

std::string explain_code(int code) {
  switch (code) {
    case 125:
      return " (125: the container's tool failed before running the command)";
    case 126:
      return " (126: the command could not be executed: not executable, or wrong architecture)";
    case 127:
      return " (127: command not found in the image)";
    default:
      return "";
  }
}

/// `exit code 143 (SIGTERM)`.
std::string describe_end(const ContainerEnd& end) {
  if (!end.exit_code) return "exit code unknown";
  std::string text = "exit code " + std::to_string(*end.exit_code);
  if (const int number = signal_in(*end.exit_code)) text += " (" + signal_name(number) + ")";
  return text;
}

std::string limit_text(std::int64_t bytes) {
  if (bytes <= 0) return "the limit is not one that the executor set";
  constexpr std::int64_t mib = 1024 * 1024;
  if (bytes % mib == 0) return "limit " + std::to_string(bytes / mib) + " MiB";
  return "limit " + std::to_string(bytes) + " bytes";
}

Outcome stopped(const EndFacts& facts) {
  const StopRequest& stop = *facts.stop;
  Outcome out;
  out.exit_code = stop.exit_code;
  out.state = TaskState::killed;
  switch (stop.cause) {
    case StopCause::time_up:
      out.state = TaskState::failed;
      out.reason = Reason::max_completion_time_reached;
      break;
    case StopCause::unhealthy:
      out.state = TaskState::failed;
      out.healthy = false;
      break;
    default:
      break;
  }
  out.message = stop.text.empty() ? "stopped on request" : stop.text;
  if (!facts.may_still_run.empty()) {
    out.message +=
        "; Docker could not be reached, container " + facts.may_still_run + " may still run";
    return out;
  }
  if (!facts.end) {
    out.message += "; the container had not been started";
    if (!facts.launch_failure.empty()) out.message += " (" + facts.launch_failure + ")";
    if (out.state == TaskState::killed) out.reason = Reason::task_killed_during_launch;
    return out;
  }
  out.message += "; container ended with " + describe_end(*facts.end) + " " +
                 format_for_people(facts.stop_took) + " after the request";
  if (facts.drained) out.message += ", drained";
  if (facts.end->oom_killed)
    out.message += "; it had also run out of memory (" + limit_text(facts.memory_limit) + ")";
  return out;
}

Outcome by_exit_code(const EndFacts& facts) {
  const ContainerEnd& end = *facts.end;
  const std::string after = " after " + format_for_people(facts.ran_for);
  Outcome out;
  if (!end.exit_code) {
    out.message = "container ended" + after + ", exit code unknown";
    return out;
  }
  const int code = *end.exit_code;
  const int number = signal_in(code);
  if (code == 0) {
    out.state = TaskState::finished;
    out.message = "exited with code 0" + after;
  } else if (number != 0 && is_crash(number)) {
    out.message =
        "crashed with " + signal_name(number) + " (exit code " + std::to_string(code) + ")" + after;
  } else if (number != 0) {
    out.state = TaskState::killed;
    out.message = "ended by " + signal_name(number) + " (exit code " + std::to_string(code) + ")" +
                  after + ", not requested by Mesos";
  } else {
    out.message = "exited with code " + std::to_string(code) + explain_code(code) + after;
  }
  return out;
}

Outcome own_end(const EndFacts& facts) {
  const ContainerEnd& end = *facts.end;
  Outcome out;
  if (end.oom_killed && end.exit_code.value_or(1) != 0) {
    // The words `Memory limit exceeded` are what Singularity looks for.
    out.reason = Reason::container_limitation_memory;
    out.message = "Memory limit exceeded: " + limit_text(facts.memory_limit) + ", " +
                  describe_end(end) + " after " + format_for_people(facts.ran_for);
    return out;
  }
  out = by_exit_code(facts);
  if (!end.docker_error.empty()) out.message += "; Docker says: " + end.docker_error;
  if (end.removed) out.message += "; the container was removed by somebody else";
  return out;
}

}  // namespace

std::string signal_name(int number) {
  for (const auto& signal : signals) {
    if (signal.number == number) return std::string(signal.name);
  }
  return "signal " + std::to_string(number);
}

StopRequest merge(const StopRequest& earlier, const StopRequest& later) {
  StopRequest out = earlier;
  out.grace = std::min(earlier.grace, later.grace);
  out.budget = std::min(earlier.budget, later.budget);
  out.drain = earlier.drain && later.drain;
  return out;
}

Outcome decide(const EndFacts& facts) {
  Outcome out;
  const bool own = facts.end && !facts.stop;
  if (facts.stop) {
    out = stopped(facts);
  } else if (own) {
    out = own_end(facts);
  } else {
    out.reason = Reason::container_launch_failed;
    out.message =
        facts.launch_failure.empty() ? "the container could not be started" : facts.launch_failure;
    if (!facts.may_still_run.empty())
      out.message += "; container " + facts.may_still_run + " may still run";
  }
  if (!facts.notes.empty()) out.message += "; " + facts.notes;
  // Words of Singularity's own at the beginning; the text may come from anywhere.
  for (const std::string_view taken : {"UNHEALTHY_NEW_TASK", "OVERDUE_NEW_TASK"}) {
    if (out.message.starts_with(taken)) out.message.insert(0, "it says: ");
  }
  return out;
}

}  // namespace sidecar_executor::task
