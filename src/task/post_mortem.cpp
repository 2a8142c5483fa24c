#include "task/post_mortem.hpp"

#include <array>
#include <string_view>

#include "base/go_duration.hpp"
#include "base/text.hpp"
#include "task/launch_hint.hpp"

namespace sidecar_executor::task {
namespace {

/// What programs say with their last words.
constexpr std::array said{
    Hint{"error while loading shared libraries",
         "a library that the program needs is not in the image"},
    Hint{"exec format error",
         "the image is built for another CPU architecture, or a script lacks its #! line"},
    Hint{"address already in use",
         "the port that it wants to listen on is taken: with network HOST by any process of the "
         "host, see ss -ltnp"},
    Hint{"unable to create native thread",
         "it may start no more threads: see parameter pids-limit and the limits of the host"},
    Hint{"outofmemoryerror: metaspace",
         "Java's metaspace was full: raise -XX:MaxMetaspaceSize, and the task's mem with it"},
    Hint{"outofmemoryerror", "Java's heap was full: raise -Xmx, and the task's mem with it"},
    Hint{"no space left on device", "a disk that it writes to is full: see df on the host"},
    Hint{"read-only file system",
         "it writes to a place that is mounted read-only: see the volumes"},
    Hint{"permission denied",
         "it may not use a file or a folder: see owner and mode of what its volumes bind, and the "
         "user that the container runs as"},
    Hint{"no such host", "it could not look up a name: see dns and the network of the task"},
    Hint{"connection refused", "something that it needs does not listen"},
};

/// runc's last words, `exec /run.sh: no such file or directory`, of a file that is there.
bool lacks_interpreter(std::string_view words) {
  words = words.substr(0, words.find_last_not_of('\n') + 1);
  words.remove_prefix(words.rfind('\n') + 1);  // its last line; npos + 1 is 0
  return words.starts_with("exec /") && words.ends_with(": no such file or directory");
}

std::string pad(std::string_view name) {
  std::string out(name);
  out.resize(12, ' ');
  return out;
}

void line(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += "  " + pad(name) + one_line(value, 2000) + "\n";
}

std::string phases_text(const Phases& phases) {
  std::string out;
  for (const auto& phase : phases.done()) {
    if (!out.empty()) out += ", ";
    out += phase.name + " " + format_for_people(phase.took);
  }
  return out;
}

std::string_view meaning_of(const std::string& words) {
  if (lacks_interpreter(words)) {
    return "the interpreter of the command's #! line, or the loader of its libraries, is not in "
           "the image";
  }
  return first_advice(said, words);
}

/// `what` the program said, and what that means when it says one of the usual things.
std::string last_words(const Report& report, const std::string& what) {
  const std::string_view meaning = meaning_of(to_lower(report.last_words));
  if (!meaning.empty()) return std::string(meaning) + "; its last words are in this sandbox";
  return what + (report.logs_copied ? ", in this sandbox's stdout and stderr"
                                    : ", if anything: nothing of it could be copied here");
}

/// Stopped because a check affirmed that it is not healthy.
std::string why_unhealthy(const Report& report) {
  for (const auto& change : report.health) {
    if (change.healthy) return last_words(report, "what it said when its health went bad");
  }
  return "it was never healthy: does it listen where its health check asks, and does it need more "
         "time to start (EXECUTOR_SIDECAR_BACKOFF, grace_period_seconds)?";
}

}  // namespace

std::string likely_cause(const Report& report) {
  if (!report.outcome) return {};
  const Outcome& outcome = *report.outcome;
  switch (outcome.reason) {
    case mesos::Reason::container_limitation_memory:
      return "the container needs more memory than the task asks for: raise mem, or look for a "
             "leak";
    case mesos::Reason::max_completion_time_reached:
      return "the task ran longer than its max_completion_time allows";
    case mesos::Reason::container_launch_failed:
      if (outcome.message.starts_with("bad settings: "))
        return "the variables that the message names: of the task, or of executor-environment.sh";
      return launch_hint(report.launch_failure);
    case mesos::Reason::task_invalid:
      return "the task definition: see the message";
    default:
      break;
  }
  if (outcome.state == mesos::TaskState::failed && outcome.healthy == false) {
    return why_unhealthy(report);
  }
  if (outcome.state == mesos::TaskState::failed &&
      outcome.message.starts_with("exited with code")) {
    return last_words(report, "what the program said last");
  }
  if (outcome.message.starts_with("crashed with")) {
    return last_words(report, "a crash inside the program: what it said last");
  }
  if (outcome.message.starts_with("ended by SIGKILL")) {
    return "somebody killed it outside Mesos, or the kernel did for want of memory on the host: "
           "see dmesg";
  }
  if (outcome.message.starts_with("ended by SIGTERM")) {
    return "somebody stopped it outside Mesos: docker stop, a Docker that was stopped without "
           "live-restore, or the program itself";
  }
  return {};
}

std::string format_summary(const Report& report) {
  std::string out = "---- sidecar-executor: how this task ended " + std::string(37, '-') + "\n";
  line(out, "task",
       report.task_id + (report.task_name.empty() || report.task_name == report.task_id
                             ? ""
                             : " (" + report.task_name + ")"));
  line(out, "image", report.image);
  line(out, "container", report.container_id.substr(0, 12));
  line(out, "took", phases_text(report.phases));
  if (report.outcome) {
    const Outcome& outcome = *report.outcome;
    std::string state(mesos::to_string(outcome.state));
    const auto reason = mesos::to_string(outcome.reason);
    if (!reason.empty()) state += ", " + std::string(reason);
    line(out, "state", state);
    line(out, "message", outcome.message);
  }
  line(out, "health", report.health.empty() ? "" : report.health.back().text);
  line(out, "logs", report.log_note);
  line(out, "look at", likely_cause(report));
  out += std::string(80, '-') + "\n";
  return out;
}

}  // namespace sidecar_executor::task
