#include "support/system.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>

namespace sx_test {
namespace {

using Clock = std::chrono::steady_clock;

/// Starts a program with its stdout on a pipe; ends it when it goes out of scope.
class Child {
 public:
  explicit Child(const std::vector<std::string>& argv) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    std::vector<char*> args;
    args.reserve(argv.size() + 1);
    for (const auto& a : argv) args.push_back(const_cast<char*>(a.c_str()));
    args.push_back(nullptr);
    if (::posix_spawnp(&pid_, args[0], &actions, nullptr, args.data(), environ) != 0) pid_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    out_ = ends[0];
  }
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    ::close(out_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Next bytes; empty at the end of the output or when `until` has passed (then `late`).
  std::string read(Clock::time_point until, bool& late) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd p{out_, POLLIN, 0};
    if (left <= 0 || ::poll(&p, 1, static_cast<int>(left)) == 0) {
      late = true;
      return {};
    }
    std::string bytes(64 * 1024, '\0');
    const ssize_t got = ::read(out_, bytes.data(), bytes.size());
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  [[nodiscard]] bool started() const { return pid_ > 0; }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
};

std::string fresh_id() {
  static std::atomic<int> counter{0};
  const auto stamp = std::chrono::system_clock::now().time_since_epoch().count();
  return "sx-test-" + std::to_string(::getpid()) + "-" + std::to_string(counter++) + "-" +
         std::to_string(stamp);
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string();
}

/// Of every executor that this process had started: their containers are labelled with it. Tests
/// may run several at a time.
class Sandboxes {
 public:
  void add(const std::string& path) {
    const std::lock_guard lock(mutex_);
    all_.insert(path);
  }
  bool contains(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return all_.contains(path);
  }

 private:
  std::mutex mutex_;
  std::set<std::string> all_;
};

Sandboxes& sandboxes() {
  static Sandboxes all;
  return all;
}

void take_line(const std::string& line, RunResult& result, const RunOptions& options) {
  boost::system::error_code ec;
  auto value = json::parse(line, ec);
  if (ec || !value.is_object()) {
    ADD_FAILURE() << "mini-agent printed a line that is no JSON object: " << line;
    return;
  }
  json::object& event = value.as_object();
  const std::string kind = text_of(event, "event");
  if (kind == "update") {
    Update update;
    if (const auto* t = event.if_contains("t"); t != nullptr) update.at = t->to_number<double>();
    update.status = event["status"].as_object();
    update.state = text_of(update.status, "state");
    update.reason = text_of(update.status, "reason");
    update.message = text_of(update.status, "message");
    update.task_id = text_of(update.status["task_id"].as_object(), "value");
    result.updates.push_back(std::move(update));
  } else if (kind == "sandbox") {
    result.sandbox = text_of(event, "path");
    sandboxes().add(result.sandbox);
  } else if (kind == "exit") {
    if (const auto* code = event.if_contains("executor_code");
        code != nullptr && code->is_int64()) {
      result.executor_exit = static_cast<int>(code->as_int64());
    }
  }
  if (options.on_event) options.on_event(event);
  result.events.push_back(std::move(event));
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& argv, std::chrono::seconds limit) {
  CommandResult result;
  Child child(argv);
  if (!child.started()) return result;
  const auto until = Clock::now() + limit;
  for (bool late = false;;) {
    const std::string bytes = child.read(until, late);
    if (late) {
      ADD_FAILURE() << argv[0] << " did not end within " << limit.count() << " s";
      return result;
    }
    if (bytes.empty()) break;
    result.output += bytes;
  }
  result.code = child.wait();
  return result;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TaskBuilder::TaskBuilder(std::string shell_command) : id_(fresh_id()) {
  task_ = {{"name", "system test"},
           {"task_id", {{"value", id_}}},
           {"agent_id", {{"value", "agent-1"}}},
           {"resources",
            json::array{{{"name", "cpus"}, {"type", "SCALAR"}, {"scalar", {{"value", 0.1}}}},
                        {{"name", "mem"}, {"type", "SCALAR"}, {"scalar", {{"value", 64.0}}}}}},
           {"executor",
            {{"executor_id", {{"value", "executor-" + id_}}},
             {"type", "CUSTOM"},
             {"command",
              {{"value", "sidecar-executor"}, {"environment", {{"variables", json::array()}}}}}}},
           {"container",
            {{"type", "DOCKER"},
             {"docker",
              {{"image", "sx-test:1"},
               {"network", "BRIDGE"},
               {"privileged", false},
               {"force_pull_image", false},
               {"parameters", json::array()}}}}}};
  if (!shell_command.empty()) parameter("label", "executor.ShellCommand=" + shell_command);
  // Sidecar does not run here; its absence must not matter, but its messages would be noise.
  parameter("label", "SidecarDiscover=false");
}

TaskBuilder& TaskBuilder::executor_env(const std::string& name, const std::string& value) {
  task_["executor"]
      .as_object()["command"]
      .as_object()["environment"]
      .as_object()["variables"]
      .as_array()
      .push_back(json::object{{"name", name}, {"type", "VALUE"}, {"value", value}});
  return *this;
}

TaskBuilder& TaskBuilder::parameter(const std::string& key, const std::string& value) {
  docker()["parameters"].as_array().push_back(json::object{{"key", key}, {"value", value}});
  return *this;
}

TaskBuilder& TaskBuilder::image(const std::string& image) {
  docker()["image"] = image;
  return *this;
}

TaskBuilder& TaskBuilder::memory(double mib) {
  task_["resources"].as_array()[1].as_object()["scalar"].as_object()["value"] = mib;
  return *this;
}

std::vector<std::string> RunResult::states() const {
  std::vector<std::string> names;
  names.reserve(updates.size());
  for (const auto& update : updates) names.push_back(update.state);
  return names;
}

const Update& RunResult::last() const {
  static const Update none;
  return updates.empty() ? none : updates.back();
}

std::string RunResult::transcript() const {
  std::string text = "mini-agent exit " + std::to_string(agent_exit) + "\n";
  for (const auto& event : events) text += json::serialize(event) + "\n";
  return text + "--- stdout\n" + out + "--- stderr\n" + err;
}

RunResult run_task(const std::string& task_json, const RunOptions& options) {
  char path[] = "/tmp/sx-task-XXXXXX";
  const int fd = ::mkstemp(path);
  if (fd < 0) {
    ADD_FAILURE() << "mkstemp failed";
    return {};
  }
  ::close(fd);
  std::ofstream(path) << task_json;
  std::vector<std::string> argv{
      SX_MINI_AGENT, "--json",
      "--executor",  options.executor.empty() ? SX_EXECUTOR : options.executor,
      "--timeout",   std::to_string(options.limit.count())};
  if (const char* host = ::getenv("DOCKER_HOST")) {
    argv.insert(argv.end(), {"--env", std::string("DOCKER_HOST=") + host});
  }
  for (const auto& [name, value] : options.executor_environment) {
    argv.emplace_back("--env");
    argv.emplace_back(name).append("=").append(value);
  }
  argv.insert(argv.end(), options.agent_arguments.begin(), options.agent_arguments.end());
  argv.emplace_back(path);

  RunResult result;
  Child child(argv);
  const auto until = Clock::now() + options.limit + std::chrono::seconds(10);
  std::string pending;
  for (bool late = false;;) {
    const std::string bytes = child.read(until, late);
    if (late) ADD_FAILURE() << "mini-agent did not end in time";
    if (bytes.empty()) break;
    pending += bytes;
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      take_line(pending.substr(0, end), result, options);
      pending.erase(0, end + 1);
    }
  }
  result.agent_exit = child.wait();
  ::unlink(path);
  if (!result.sandbox.empty()) {
    result.out = read_file(result.sandbox + "/stdout");
    result.err = read_file(result.sandbox + "/stderr");
    run_command({"rm", "-rf", result.sandbox});
  }
  return result;
}

RunResult run_task(const TaskBuilder& task, const RunOptions& options) {
  return run_task(task.text(), options);
}

std::vector<std::string> containers_of(const std::string& task_id) {
  const auto listed = run_command({"docker", "ps", "-aq", "--no-trunc", "--filter",
                                   "label=io.sidecar-executor.task-id=" + task_id});
  std::vector<std::string> ids;
  std::istringstream lines(listed.output);
  for (std::string id; std::getline(lines, id);) ids.push_back(id);
  return ids;
}

std::string container_name_of(const std::string& task_id) {
  const auto ids = containers_of(task_id);
  if (ids.empty()) return {};
  std::string name = run_command({"docker", "inspect", "--format", "{{.Name}}", ids[0]}).output;
  while (!name.empty() && (name.back() == '\n' || name.back() == '/')) name.pop_back();
  return name.empty() ? name : name.substr(1);
}

void SystemTest::SetUpTestSuite() {
  const auto made =
      run_command({SX_SOURCE_DIR "/scripts/make-image.sh", "sx-test:1"}, std::chrono::seconds(120));
  ASSERT_EQ(made.code, 0)
      << "the test image could not be made; run through scripts/with-docker.sh\n"
      << made.output;
}

std::string SystemTest::image() { return "sx-test:1"; }

void SystemTest::TearDown() {
  for (const auto& container : containers_) run_command({"docker", "rm", "-f", container});
  // Nothing that this test's executors started may outlive it, running or ended. The daemon may
  // hold other tests' containers: ours are those of the sandboxes that we made.
  const auto listed = run_command(
      {"docker", "ps", "-a", "--no-trunc", "--filter", "label=io.sidecar-executor.version",
       "--format", "{{.ID}} {{.State}} {{.Label \"io.sidecar-executor.sandbox\"}}"});
  std::vector<std::string> remove{"docker", "rm", "-f"};
  std::istringstream lines(listed.output);
  std::string id;
  std::string state;
  for (std::string sandbox; lines >> id >> state && std::getline(lines >> std::ws, sandbox);) {
    if (!sandboxes().contains(sandbox)) continue;
    // Podman says "stopped" until its cleanup process has come by.
    EXPECT_TRUE(state == "exited" || state == "stopped")
        << state << ": container " << id << " of an executor of this test is left";
    remove.push_back(id);
  }
  if (remove.size() > 3) run_command(remove);
}

}  // namespace sx_test
