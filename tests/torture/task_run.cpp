#include "torture/task_run.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "base/encoding.hpp"
#include "torture/director.hpp"
#include "torture/fault_relay.hpp"
#include "torture/limits.hpp"
#include "torture/oracle.hpp"
#include "torture/task_setup.hpp"

namespace sx_torture {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using sx_test::read_file;
using sx_test::run_command;

constexpr int kClockJump = 3600;  // seconds

/// What a request to dockerd tells about where the task is.
std::optional<Moment> moment_of(const std::string& line, bool answered) {
  const auto has = [&line](const char* part) { return line.find(part) != std::string::npos; };
  if (has("/images/create")) return answered ? std::nullopt : std::optional(Moment::pull_asked);
  if (has("/containers/create")) return answered ? Moment::create_answered : Moment::create_asked;
  if (has("/start")) return answered ? Moment::start_answered : Moment::start_asked;
  if (has("/stop")) return answered ? Moment::stop_answered : Moment::stop_asked;
  if (answered) return std::nullopt;
  if (has("/images/")) return Moment::image_asked;
  if (has("/logs")) return Moment::logs_asked;
  if (has("GET ") && has("/containers/") && has("/json")) return Moment::inspect_asked;
  return std::nullopt;
}

/// One task while it runs.
class Run {
 public:
  Run(Scenario scenario, Daemon& daemon, std::string folder)
      : scenario_(std::move(scenario)),
        daemon_(daemon),
        folder_(std::move(folder)),
        limits_(scenario_.limit, scenario_.seed, folder_),
        director_(scenario_.faults,
                  {[this](const Fault& f) { begin(f); }, [this](const Fault& f) { end(f); }}),
        docker_(folder_ + "/d.sock", daemon.socket(),
                [this](const std::string& line, bool answered) { asked(line, answered); }) {}

  Observed observe() {
    const auto task = task_of(scenario_);
    Observed out;
    out.task_id = task.id();
    const int absences = daemon_.absences();
    out.run = sx_test::run_task(task, options());
    out.dockerd_was_away = daemon_.absences() != absences;
    director_.finish();
    out.story = director_.story();
    look_back(out);
    return out;
  }

 private:
  void asked(const std::string& line, bool answered) {
    if (!answered) director_.note("docker: " + line.substr(0, line.find(" HTTP")));
    if (const auto moment = moment_of(line, answered)) director_.moment(*moment);
  }

  void begin(const Fault& fault) {
    switch (fault.harm) {
      case Harm::docker_cut:
        return docker_.cut();
      case Harm::docker_hang:
        return docker_.set(FaultRelay::Mode::hang);
      case Harm::docker_slow:
        return docker_.set(FaultRelay::Mode::slow);
      case Harm::docker_refuse:
        docker_.set(FaultRelay::Mode::refuse);
        return docker_.cut();
      case Harm::docker_garbage:
        return docker_.garble();
      case Harm::docker_500:
        return docker_.refuse_one();
      case Harm::daemon_killed:
      case Harm::daemon_stopped:
      case Harm::daemon_frozen:
        if (!daemon_.leave(fault)) director_.note("dockerd is away already");
        return;
      case Harm::syslog_cut:
        return collector_.cut();
      case Harm::syslog_hang:
        return collector_.set(FaultRelay::Mode::hang);
      case Harm::syslog_slow:
        return collector_.set(FaultRelay::Mode::slow);
      case Harm::syslog_refuse:
        collector_.set(FaultRelay::Mode::refuse);
        return collector_.cut();
      case Harm::syslog_garbage:
        return collector_.garble();
      case Harm::executor_frozen:
        return signal(SIGSTOP);
      case Harm::hang_up:
        return signal(SIGHUP);
      case Harm::terminate:
        return signal(SIGTERM);
      case Harm::interrupt:
        return signal(SIGINT);
      case Harm::user:
        return signal(SIGUSR1);
      case Harm::clock_forward:
        return shift_clock(kClockJump);
      case Harm::clock_back:
        return shift_clock(-kClockJump);
    }
  }

  void end(const Fault& fault) {
    if (fault.harm == Harm::executor_frozen) return signal(SIGCONT);
    if (sets_clock(fault)) return shift_clock(0);
    if (fault.harm >= Harm::syslog_cut && fault.harm <= Harm::syslog_garbage)
      return collector_.set(FaultRelay::Mode::pass);
    if (fault.harm <= Harm::docker_500) docker_.set(FaultRelay::Mode::pass);
  }

  /// Moved into place: the executor reads it whenever it looks at its clock.
  void shift_clock(int seconds) const {
    std::ofstream(folder_ + "/shift.new") << seconds;
    fs::rename(folder_ + "/shift.new", folder_ + "/shift");
  }

  /// A pid may be another's once the executor has ended.
  void signal(int number) {
    if (pid_ > 0) ::kill(pid_, number);
  }

  [[nodiscard]] sx_test::RunOptions options() {
    sx_test::RunOptions out;
    out.limit = longest(scenario_);
    out.on_event = [this](const json::object& event) { happened(event); };
    out.agent_arguments = {"--sandbox", limits_.sandbox(),          "--shutdown-grace",
                           "20secs",    "--reregistration-timeout", "10"};
    for (const auto& one : scenario_.switches)
      out.agent_arguments.insert(out.agent_arguments.end(), one.arguments.begin(),
                                 one.arguments.end());
    if (!limits_.wrapper().empty())
      out.agent_arguments.insert(out.agent_arguments.end(), {"--wrapper", limits_.wrapper()});
    if (scenario_.vault != VaultGives::nothing) {
      std::ofstream(folder_ + "/vault.json") << vault_content(scenario_);
      out.agent_arguments.insert(
          out.agent_arguments.end(),
          {"--vault", folder_ + "/vault.json", "--vault-issued", folder_ + "/issued"});
    }
    out.executor_environment = environment_of(
        scenario_, {folder_, scenario_.direct ? "" : docker_.docker_host(), collector_.port()});
    if (any(scenario_, sets_clock)) {
      out.executor = SX_SHIFTED_EXECUTOR;
      out.executor_environment.emplace_back("SX_CLOCK_SHIFT", folder_ + "/shift");
    }
    return out;
  }

  void happened(const json::object& event) {
    const auto& name = event.at("event").as_string();
    if (name == "executor_pid") pid_ = event.at("pid").to_number<pid_t>();
    if (name == "executor_exit") pid_ = 0;
    if (name == "launched") director_.moment(Moment::launched);
    if (name == "kill_sent" || name == "shutdown_sent") asked_to_stop(event);
    if (name == "exit") keep_sandbox();
    if (name == "update") updated(std::string(event.at("status").at("state").as_string()));
  }

  void updated(const std::string& state) {
    director_.note(state);
    const pid_t pid = pid_;
    if (pid > 0) shown_ += read_file("/proc/" + std::to_string(pid) + "/cmdline") + "\n";
    if (state == "TASK_STARTING") {
      director_.moment(Moment::starting);
    } else if (state == "TASK_RUNNING") {
      director_.moment(Moment::running);
    } else if (state != "TASK_KILLING") {
      ended_ = true;
      director_.moment(Moment::ended);
    }
  }

  /// Agents do not send it again; a framework would.
  void asked_to_stop(const json::object& event) {
    if (event.at("delivered").as_bool() || ended_) return;
    director_.note("KILL or SHUTDOWN was lost: SIGTERM instead");
    scenario_.faults.push_back({Harm::terminate, Moment::launched, Ms(0), Ms(0)});
    signal(SIGTERM);
  }

  void keep_sandbox() const {
    std::error_code ignored;
    fs::copy(limits_.sandbox(), folder_ + "/kept", fs::copy_options::recursive, ignored);
  }

  void look_back(Observed& out) {
    out.scenario = scenario_;
    out.secrets = secrets_of(scenario_);
    std::istringstream issued(read_file(folder_ + "/issued"));
    for (std::string line; std::getline(issued, line);) {
      if (!line.empty()) out.secrets.push_back(line);
    }
    out.written = shown_ + out.run.transcript();
    for (const auto& update : out.run.updates) {
      if (const auto* data = update.status.if_contains("data"))
        out.written += sidecar_executor::base64_decode(data->as_string())
                           .value_or(std::string(data->as_string()));
    }
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/kept", ignored)) {
      if (entry.is_regular_file()) out.written += read_file(entry.path());
    }
    daemon_.while_present([&] { look_at_containers(out); });
  }

  void look_at_containers(Observed& out) const {
    const std::string mine = "label=io.sidecar-executor.task-id=" + out.task_id;
    std::istringstream running(run_command({"docker", "ps", "-q", "--filter", mine}).output);
    for (std::string id; running >> id;) out.running.push_back(id);
    if (scenario_.work == Work::out_of_memory) {
      const auto soon = std::to_string(std::time(nullptr) + 1);  // it may be about to hear of it
      out.dockerd_saw_oom =
          !run_command({"docker", "events", "--since", "10m", "--until", soon, "--filter", mine,
                        "--filter", "event=oom", "--format", "{{.Action}}"})
               .output.empty();
    }
    const auto all = sx_test::containers_of(out.task_id);
    if (all.empty()) return;
    std::vector<std::string> inspect{"docker", "inspect", "--format",
                                     "{{json .Config.Labels}} {{.Path}} {{json .Args}}"};
    inspect.insert(inspect.end(), all.begin(), all.end());
    out.written += run_command(inspect).output;
    std::vector<std::string> remove{"docker", "rm", "-f"};
    remove.insert(remove.end(), all.begin(), all.end());
    run_command(remove);
  }

  Scenario scenario_;
  Daemon& daemon_;
  std::string folder_;
  Limits limits_;
  std::atomic<pid_t> pid_{0};
  bool ended_ = false;
  std::string shown_;  ///< command lines
  FaultRelay collector_;
  Director director_;
  FaultRelay docker_;
};

}  // namespace

Observed run_scenario(const Scenario& scenario, Daemon& daemon, const std::string& folder) {
  fs::create_directories(folder);
  return Run(scenario, daemon, folder).observe();
}

}  // namespace sx_torture
