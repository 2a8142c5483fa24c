// A run from its start to its end: sandbox, environment, process.
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/host_name.hpp>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "agent.hpp"

namespace mini_agent {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// What the executor sent just before it ended is still read.
constexpr auto kLastWords = std::chrono::milliseconds(30);

void set_variable(std::vector<std::string>& environment, const std::string& assignment) {
  const std::string name = assignment.substr(0, assignment.find('=') + 1);
  for (auto& existing : environment) {
    if (existing.starts_with(name)) {
      existing = assignment;
      return;
    }
  }
  environment.push_back(assignment);
}

std::string file_name_of(const std::string& id) {
  std::string name = id.substr(0, 60);
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_';
    if (!plain) c = '_';
  }
  return name;
}

// Whole microseconds.
double seconds_since(std::chrono::steady_clock::time_point start) {
  const auto passed = std::chrono::steady_clock::now() - start;
  return static_cast<double>(
             std::chrono::duration_cast<std::chrono::microseconds>(passed).count()) /
         1e6;
}

}  // namespace

MiniAgent::MiniAgent(boost::asio::io_context& io, Options options, Task task, Observer observer)
    : io_(io),
      options_(std::move(options)),
      task_(std::move(task)),
      observer_(std::move(observer)),
      agent_server_(io, [this](const CallRequest& request) { return answer(request); }),
      master_server_(
          io, [this](const CallRequest& request) { return answer_as_master(request, cluster_); }),
      process_(io),
      drop_acks_(options_.faults.drop_acks),
      killed_before_subscribe_(options_.kill_before_subscribe) {
  if (options_.hostname.empty()) options_.hostname = boost::asio::ip::host_name();
  view_ = {.framework_id = task_.framework_id,
           .executor_id = task_.executor_id,
           .token = options_.token};
  identity_ = {.hostname = options_.hostname,
               .container_id = random_uuid(),
               .checkpoint = options_.checkpoint,
               .capabilities = options_.capabilities};
  cluster_ = {.agent_id = task_.agent_id,
              .agent_hostname = options_.hostname,
              .master_hostname = options_.master_hostname,
              .slaves = options_.slaves,
              .state_padding_mb = options_.state_padding_mb};
}

MiniAgent::~MiniAgent() {
  alive_.reset();
  for (const auto& timer : timers_) timer->cancel();
}

void MiniAgent::start() {
  prepare_sandbox();
  if (!options_.tls.certificate.empty()) agent_server_.use_tls(options_.tls);
  cluster_.agent_port = identity_.port = agent_server_.listen(options_.agent_port);
  cluster_.master_port = master_server_.listen(options_.master_port);
  if (!options_.domain_socket.empty()) agent_server_.listen_unix(options_.domain_socket);
  start_sidecar();
  start_vault();
  const std::string here = "127.0.0.1:";
  emit("listening", {{"agent", here + std::to_string(cluster_.agent_port)},
                     {"master", here + std::to_string(cluster_.master_port)},
                     {"task_id", task_.task_id},
                     {"executor_id", task_.executor_id},
                     {"framework_id", task_.framework_id},
                     {"agent_id", task_.agent_id}});
  answer_503_for_a_while();
  if (options_.timeout) {
    after(*options_.timeout, [this] {
      timed_out_ = true;
      stop();
    });
  }
  beat();
  start_executor();
}

void MiniAgent::prepare_sandbox() {
  if (options_.sandbox.empty()) {
    const char* temporary = std::getenv("TMPDIR");
    const fs::path base = fs::path(temporary && *temporary ? temporary : "/tmp") / "mini-agent";
    fs::create_directories(base);
    std::string name = (base / (file_name_of(task_.task_id) + "-XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
    fs::permissions(name, fs::perms(0755));
    sandbox_ = name;
  } else {
    fs::create_directories(options_.sandbox);
    sandbox_ = fs::canonical(options_.sandbox).string();
  }
  emit("sandbox", {{"path", sandbox_}});
}

std::vector<std::string> MiniAgent::executor_environment() const {
  const char* path = std::getenv("PATH");
  std::vector<std::string> result = {
      "LIBPROCESS_IP=127.0.0.1",
      "LIBPROCESS_PORT=0",
      "MESOS_AGENT_ENDPOINT=127.0.0.1:" + std::to_string(cluster_.agent_port),
      std::string("MESOS_CHECKPOINT=") + (options_.checkpoint ? "1" : "0"),
      "MESOS_DIRECTORY=" + sandbox_,
      "MESOS_EXECUTOR_ID=" + task_.executor_id,
      "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=" + options_.shutdown_grace,
      "MESOS_FRAMEWORK_ID=" + task_.framework_id,
      "MESOS_HTTP_COMMAND_EXECUTOR=0",
      "MESOS_SANDBOX=" + sandbox_,
      "MESOS_SLAVE_ID=" + task_.agent_id,
      "MESOS_SLAVE_PID=slave(1)@127.0.0.1:" + std::to_string(cluster_.agent_port),
      std::string("PATH=") + (path ? path : "/usr/sbin:/usr/bin:/sbin:/bin"),
      "PWD=" + sandbox_};
  const auto set = [&result](const std::string& assignment) { set_variable(result, assignment); };
  if (options_.checkpoint) {
    set("MESOS_RECOVERY_TIMEOUT=" + options_.recovery_timeout);
    set("MESOS_SUBSCRIPTION_BACKOFF_MAX=" + options_.backoff_max);
  }
  if (options_.token) set("MESOS_EXECUTOR_AUTHENTICATION_TOKEN=" + *options_.token);
  if (!options_.domain_socket.empty()) set("MESOS_DOMAIN_SOCKET=" + options_.domain_socket);
  for (const auto& assignment : task_.environment) set(assignment);
  if (!options_.wrapper.empty()) set("SIDECAR_EXECUTOR_PATH=" + options_.executor);
  if (sidecar_) set("EXECUTOR_SIDECAR_URL=" + sidecar_->url());
  if (vault_) set("VAULT_ADDR=" + vault_->address());
  for (const auto& assignment : options_.environment) set(assignment);
  return result;
}

void MiniAgent::start_executor() {
  ProcessStart what{{options_.executor}, executor_environment(), sandbox_};
  if (!options_.wrapper.empty()) what.command = {"/bin/sh", "-c", options_.wrapper};
  if (!options_.spawn) {
    json::array variables;
    for (const auto& assignment : what.environment) variables.push_back(json::value(assignment));
    return emit("environment", {{"variables", variables}});
  }
  start_ = Clock::now();
  process_.start(what, [this](ProcessEnd end) { executor_ended(end); });
  emit("executor_pid", {{"pid", process_.pid()},
                        {"mono", std::chrono::duration<double>(start_.time_since_epoch()).count()},
                        {"command", what.command.back()}});
}

void MiniAgent::kill_executor(const std::string& why) {
  if (!process_.running()) return;
  emit("executor_killed", {{"why", why}});
  process_.kill_all();
}

void MiniAgent::executor_ended(ProcessEnd end) {
  process_end_ = end;
  json::object details{{"code", nullptr}, {"signal", nullptr}};
  details[end.signal ? "signal" : "code"] = end.signal ? end.signal : end.exit_code;
  emit("executor_exit", details);
  after(kLastWords, [this] { conclude(); });
}

void MiniAgent::report_from_agent(const char* state, const std::string& message, const char* reason,
                                  const char* source) {
  if (outcome_) return;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  outcome_ = json::object{{"task_id", json::object{{"value", task_.task_id}}},
                          {"state", state},
                          {"message", message},
                          {"source", source},
                          {"reason", reason},
                          {"agent_id", json::object{{"value", task_.agent_id}}},
                          {"executor_id", json::object{{"value", task_.executor_id}}},
                          {"timestamp", now},
                          {"uuid", random_uuid_bytes_in_base64()}};
  emit("agent_update", {{"status", *outcome_}});
}

void MiniAgent::conclude() {
  if (finished_) return;
  report_from_agent("TASK_FAILED", "Executor terminated", "REASON_EXECUTOR_TERMINATED");
  finish(timed_out_ ? kTimedOut : violations_.empty() ? code_of_outcome() : kRefused);
}

int MiniAgent::code_of_outcome() const {
  const json::string& state = outcome_->at("state").as_string();
  return state == "TASK_FINISHED" ? kFinished : state == "TASK_KILLED" ? kKilled : kFailed;
}

void MiniAgent::stop() {
  if (!process_.running()) return conclude();
  kill_executor(timed_out_ ? "--timeout" : "stopped");  // its end concludes
}

void MiniAgent::finish(int code) {
  if (finished_) return;
  exit_code_ = code;
  json::object details{{"code", code}, {"sandbox", sandbox_}, {"updates", updates_}};
  for (const char* name : {"state", "message", "reason"}) {
    const json::value* value = outcome_ ? outcome_->if_contains(name) : nullptr;
    details[name] = value ? *value : json::value();
  }
  details["executor_code"] = nullptr;
  details["executor_signal"] = nullptr;
  if (process_end_ && process_end_->signal) details["executor_signal"] = process_end_->signal;
  if (process_end_ && !process_end_->signal) details["executor_code"] = process_end_->exit_code;
  json::array violations;
  for (const auto& text : violations_) violations.push_back(json::value(text));
  details["violations"] = violations;
  if (vault_) vault_->close();
  emit("exit", details);
  finished_ = true;
  agent_server_.close_listeners();
  master_server_.close_listeners();
  if (sidecar_) sidecar_->close();
  stream_.reset();
  agent_server_.drop_connections();
  master_server_.drop_connections();
  for (const auto& timer : timers_) timer->cancel();
}

void MiniAgent::emit(const char* event, json::object details) {
  json::object line{{"t", 0.0}, {"event", event}};
  if (process_.pid() > 0 || !options_.spawn) line["t"] = seconds_since(start_);
  for (auto& member : details) line[member.key()] = std::move(member.value());
  observer_(line);
}

void MiniAgent::violation(const std::string& what) {
  remember(what);
  emit("violation", {{"text", what}});
}

// Each text once, and not without end: an executor may try again for ever.
void MiniAgent::remember(const std::string& violation_text) {
  constexpr std::size_t kMost = 50;
  const bool known =
      std::find(violations_.begin(), violations_.end(), violation_text) != violations_.end();
  if (!known && violations_.size() < kMost) violations_.push_back(violation_text);
}

void MiniAgent::after(Nanoseconds time, std::function<void()> action) {
  if (finished_) return;
  const auto timer = std::make_shared<boost::asio::steady_timer>(io_, time);
  timers_.insert(timer);
  timer->async_wait([this, timer, alive = std::weak_ptr<bool>(alive_),
                     action = std::move(action)](boost::system::error_code error) {
    if (error || alive.expired()) return;
    timers_.erase(timer);
    if (!finished_) action();
  });
}

}  // namespace mini_agent
