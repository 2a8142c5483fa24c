#include "agent_run.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "clock.hpp"

namespace sx_bench {
namespace json = boost::json;

namespace {

constexpr int kPatienceMs = 60'000;

volatile sig_atomic_t interrupted = 0;

void wait_readable(int fd, const char* what) {
  pollfd one{fd, POLLIN, 0};
  const int ready = ::poll(&one, 1, kPatienceMs);
  if (interrupted != 0) throw std::runtime_error("interrupted");
  if (ready <= 0) throw std::runtime_error(std::string("nothing within a minute: ") + what);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const auto& text : strings) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

struct SpawnActions {
  SpawnActions() { ::posix_spawn_file_actions_init(&actions); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t actions{};
};

json::object variable(const std::string& name, const std::string& value) {
  return {{"name", name}, {"type", "VALUE"}, {"value", value}};
}

json::object scalar(const char* name, double value) {
  return {{"name", name}, {"type", "SCALAR"}, {"scalar", {{"value", value}}}};
}

/// As a framework sends it.
json::object task_info(const BenchTask& task) {
  const json::array parameters{
      {{"key", "label"},
       {"value", std::string("SidecarDiscover=") + (task.discovered ? "true" : "false")}},
      {{"key", "label"}, {"value", "executor.ShellCommand=/bin/sh -c '" + task.shell + "'"}}};
  return {{"name", "bench"},
          {"task_id", {{"value", task.id}}},
          {"agent_id", {{"value", "agent-1"}}},
          {"resources", {scalar("cpus", 0.1), scalar("mem", 32)}},
          {"executor",
           {{"executor_id", {{"value", "executor-" + task.id}}},
            {"type", "CUSTOM"},
            {"command",
             {{"value", "sidecar-executor"},
              {"environment", {{"variables", json::array{variable("TASK_ID", task.id)}}}}}}}},
          {"container",
           {{"type", "DOCKER"},
            {"docker",
             {{"image", "sx-bench:1"},
              {"network", "BRIDGE"},
              {"privileged", false},
              {"force_pull_image", false},
              {"parameters", parameters}}}}}};
}

std::string write_task(const BenchTask& task) {
  char path[] = "/tmp/sx-bench-task-XXXXXX";
  const FileDescriptor fd(::mkstemp(path));
  if (fd.get() < 0) throw std::runtime_error("mkstemp failed");
  std::ofstream(path) << json::serialize(task_info(task));
  return path;
}

}  // namespace

void catch_signals() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };  // no SA_RESTART: waits end
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(number, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

void rest(double seconds) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(seconds);
  time.tv_nsec = static_cast<long>((seconds - std::floor(seconds)) * 1e9);
  if (::nanosleep(&time, nullptr) != 0) throw std::runtime_error("interrupted");
}

std::string task_prefix() { return "sx-bench-" + std::to_string(::getpid()) + "-"; }

BenchTask make_task(std::string shell) {
  static int counter = 0;
  const auto stamp = std::chrono::system_clock::now().time_since_epoch().count();
  return {task_prefix() + std::to_string(counter++) + "-" + std::to_string(stamp), std::move(shell),
          false};
}

AgentRun::AgentRun(const Programs& programs, const BenchTask& task, const Start& start)
    : task_file_(write_task(task)) {
  std::vector<std::string> argv{
      programs.mini_agent, "--json", "--executor", programs.executor,
      "--timeout",         "400",    "--env",      "DOCKER_HOST=" + start.docker_host};
  argv.insert(argv.end(), start.arguments.begin(), start.arguments.end());
  argv.push_back(task_file_);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
  out_.reset(ends[0]);
  const FileDescriptor write_end(ends[1]);
  SpawnActions spawn;
  ::posix_spawn_file_actions_addopen(&spawn.actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&spawn.actions, write_end.get(), 1);
  // Own group: Ctrl-C is for the bench, which then shuts them down.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const auto args = pointers(argv);
  const int error =
      ::posix_spawn(&pid_.value, args[0], &spawn.actions, &attributes, args.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_.value = -1;
    throw std::runtime_error("cannot start " + programs.mini_agent);
  }
}

AgentRun::~AgentRun() {
  if (pid_.value > 0) {
    ::kill(pid_.value, SIGTERM);
    ::waitpid(pid_.value, nullptr, 0);
  }
  std::error_code ignored;
  if (!task_file_.empty()) std::filesystem::remove(task_file_, ignored);
  if (!sandbox_.empty()) std::filesystem::remove_all(sandbox_, ignored);
}

std::optional<json::object> AgentRun::next() {
  for (;;) {
    if (const auto end = pending_.find('\n'); end != std::string::npos) {
      json::object event = json::parse(pending_.substr(0, end)).as_object();
      pending_.erase(0, end + 1);
      remember(event);
      return event;
    }
    wait_readable(out_.get(), "mini-agent");
    char buffer[16384];
    const ssize_t n = ::read(out_.get(), buffer, sizeof(buffer));
    if (n == 0) return std::nullopt;
    if (n > 0) pending_.append(buffer, static_cast<std::size_t>(n));
  }
}

void AgentRun::remember(const json::object& event) {
  const auto& name = event.at("event").as_string();
  if (name == "sandbox") {
    sandbox_ = event.at("path").as_string();
  } else if (name == "executor_pid") {
    executor_pid_ = static_cast<pid_t>(event.at("pid").to_number<int>());
    start_ = event.at("mono").to_number<double>();
    executor_.reset(static_cast<int>(::syscall(SYS_pidfd_open, executor_pid_, 0)));
  } else if (name == "violation" || name == "refused") {
    throw std::runtime_error("the executor broke the protocol: " + json::serialize(event));
  }
}

json::object AgentRun::until(const std::string& wanted, const std::string& state) {
  std::string seen;
  while (auto event = next()) {
    if (event->at("event").as_string() == wanted) {
      const json::value whole(*event);
      boost::system::error_code ec;
      const json::value* found =
          whole.find_pointer(wanted == "update" ? "/status/state" : "/state", ec);
      if (state.empty() || (found != nullptr && found->as_string() == state)) return *event;
    }
    seen += json::serialize(*event) + "\n";
  }
  throw std::runtime_error("mini-agent ended without " + wanted + " " + state + ":\n" + seen);
}

double AgentRun::executor_gone() {
  wait_readable(executor_.get(), "the executor's end");
  return now();
}

bool AgentRun::executor_ended() const {
  pollfd one{executor_.get(), POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

void AgentRun::interrupt() const { ::kill(pid_.value, SIGINT); }

json::object AgentRun::finish() {
  json::object last = until("exit");
  while (next()) continue;
  ::waitpid(std::exchange(pid_.value, -1), nullptr, 0);
  return last;
}

double AgentRun::when(const json::object& event) const {
  return start_ + event.at("t").to_number<double>();
}

double cpu_of_executor(const std::string& path, const std::vector<std::string>& environment,
                       const std::string& folder) {
  SpawnActions spawn;
  const int append = O_WRONLY | O_CREAT | O_APPEND;
  ::posix_spawn_file_actions_addchdir_np(&spawn.actions, folder.c_str());
  ::posix_spawn_file_actions_addopen(&spawn.actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&spawn.actions, 1, "stdout", append, 0644);
  ::posix_spawn_file_actions_addopen(&spawn.actions, 2, "stderr", append, 0644);
  const std::vector<std::string> command{path};
  const auto args = pointers(command);
  const auto env = pointers(environment);
  pid_t pid = -1;
  if (::posix_spawn(&pid, path.c_str(), &spawn.actions, nullptr, args.data(), env.data()) != 0) {
    throw std::runtime_error("cannot start " + path);
  }
  int status = 0;
  rusage used{};
  if (::wait4(pid, &status, 0, &used) != pid) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    throw std::runtime_error("interrupted");
  }
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

}  // namespace sx_bench
