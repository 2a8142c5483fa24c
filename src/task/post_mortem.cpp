#include "task/post_mortem.hpp"

#include <array>
#include <string_view>

#include "base/go_duration.hpp"
#include "base/text.hpp"

namespace sidecar_executor::task {
namespace {

struct Hint {
  std::string_view part;  // lower case, of Docker's or runc's text
  std::string_view advice;
};

/// First match wins: the more special texts stand first.
constexpr std::array hints{
    Hint{"address already in use",
         "another process or container on this host holds the port: see ss -ltnp"},
    Hint{"port is already allocated",
         "another container on this host holds the port: see docker ps"},
    Hint{"bind source path does not exist",
         "the host path of a volume does not exist on this agent"},
    Hint{"invalid mount config", "a volume of the task is wrong: see container.volumes"},
    Hint{"not a directory", "a volume mounts a file onto a folder or a folder onto a file"},
    Hint{"exec format error",
         "the image is built for another CPU architecture, or a script lacks its #! line"},
    Hint{"executable file not found",
         "the command is not in the image: see label executor.ShellCommand and the image's PATH"},
    Hint{"no such file or directory",
         "the command, or the interpreter of its #! line, is not in the image"},
    Hint{"permission denied", "the command is not executable, or its file belongs to another user"},
    Hint{"minimum memory limit", "Docker refuses so small a memory limit: raise the task's mem"},
    Hint{"no basic auth credentials",
         "the registry wants a login and none was found: see EXECUTOR_DOCKER_REPOSITORY and "
         "DOCKER_CONFIG"},
    Hint{"unauthorized",
         "the registry refused the credentials: see EXECUTOR_DOCKER_REPOSITORY and the Docker "
         "config file"},
    Hint{"pull access denied",
         "no such repository, or it needs a login: see EXECUTOR_DOCKER_REPOSITORY and the Docker "
         "config file"},
    Hint{"manifest unknown", "the registry has no such tag"},
    Hint{"not found", "no such image, network or volume: see the names in the task"},
    Hint{"connection refused", "the other side does not listen: is the daemon or registry up?"},
    Hint{"no space left on device",
         "the disk of Docker's data folder is full: see docker system df"},
};

std::string pad(std::string_view name) {
  std::string out(name);
  out.resize(12, ' ');
  return out;
}

void line(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += "  " + pad(name) + one_line(value, 2000) + "\n";
}

std::string phases_text(const std::vector<PhaseTime>& phases) {
  std::string out;
  for (const auto& phase : phases) {
    if (!out.empty()) out += ", ";
    out += phase.name + " " + format_for_people(phase.took);
  }
  return out;
}

std::string last_words(const Summary& summary, const std::string& what) {
  return what + (summary.logs_copied ? ", above in this sandbox's stdout and stderr"
                                     : ", if anything: nothing of it could be copied here");
}

}  // namespace

std::string docker_error_hint(const std::string& error) {
  const std::string text = to_lower(error);
  for (const auto& hint : hints) {
    if (text.find(hint.part) != std::string::npos) return std::string(hint.advice);
  }
  return {};
}

std::string likely_cause(const Summary& summary) {
  if (!summary.outcome) return {};
  const Outcome& outcome = *summary.outcome;
  switch (outcome.reason) {
    case mesos::Reason::container_limitation_memory:
      return "the container needs more memory than the task asks for: raise mem, or look for a "
             "leak";
    case mesos::Reason::max_completion_time_reached:
      return "the task ran longer than its max_completion_time allows";
    case mesos::Reason::container_launch_failed:
      return docker_error_hint(summary.launch_failure);
    case mesos::Reason::task_invalid:
      return "the task definition: see the message";
    default:
      break;
  }
  if (outcome.state == mesos::TaskState::failed &&
      outcome.message.starts_with("exited with code")) {
    return last_words(summary, "what the program said last");
  }
  if (outcome.message.starts_with("crashed with")) {
    return last_words(summary, "a crash inside the program: what it said last");
  }
  if (outcome.message.starts_with("ended by SIGKILL")) {
    return "somebody killed it outside Mesos, or the kernel did for want of memory on the host: "
           "see dmesg";
  }
  return {};
}

std::string format_summary(const Summary& summary) {
  std::string out = "---- sidecar-executor: how this task ended " + std::string(37, '-') + "\n";
  line(out, "task",
       summary.task_id + (summary.task_name.empty() || summary.task_name == summary.task_id
                              ? ""
                              : " (" + summary.task_name + ")"));
  line(out, "image", summary.image);
  line(out, "container", summary.container_id.substr(0, 12));
  line(out, "took", phases_text(summary.phases));
  if (summary.outcome) {
    const Outcome& outcome = *summary.outcome;
    std::string state(mesos::to_string(outcome.state));
    const auto reason = mesos::to_string(outcome.reason);
    if (!reason.empty()) state += ", " + std::string(reason);
    line(out, "state", state);
    line(out, "message", outcome.message);
  }
  line(out, "health", summary.last_health);
  line(out, "logs", summary.log_note);
  line(out, "look at", likely_cause(summary));
  out += std::string(80, '-') + "\n";
  return out;
}

}  // namespace sidecar_executor::task
