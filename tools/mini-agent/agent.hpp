// One run: an agent with one framework, one executor and its task.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "events.hpp"
#include "executor_process.hpp"
#include "http_server.hpp"
#include "options.hpp"
#include "sidecar.hpp"
#include "state_endpoints.hpp"
#include "task_file.hpp"
#include "vault.hpp"

namespace mini_agent {

enum ExitCode {
  kFinished = 0,
  kFailed = 1,
  kKilled = 2,
  kRefused = 3,
  kUsage = 64,
  kCannotStart = 69,
  kTimedOut = 70
};

class MiniAgent {
 public:
  // Called for everything that happens; README.md lists the objects. "t": seconds since the
  // executor was started.
  using Observer = std::function<void(const boost::json::object& event)>;

  MiniAgent(boost::asio::io_context& io, Options options, Task task, Observer observer);
  ~MiniAgent();

  // Listens and starts the executor; io.run() returns when the run is over. Throws
  // std::exception when that cannot be done.
  void start();
  void interrupt();  // KILL, then SHUTDOWN, then SIGKILL
  void terminate();  // SHUTDOWN, SIGKILL after the grace period
  void stop();       // ends the run at once

  bool finished() const { return finished_; }
  int exit_code() const { return exit_code_; }
  unsigned short port() const { return cluster_.agent_port; }
  unsigned short master_port() const { return cluster_.master_port; }
  std::vector<std::string> executor_environment() const;

 private:
  struct TaskState {
    std::string last_state;  // empty: staging
    bool terminal = false;
    bool framework_done = false;  // the framework acknowledged the terminal update
    std::set<std::string> uuids;
  };
  using Clock = std::chrono::steady_clock;

  // agent.cpp: what the executor asks for
  HttpAnswer answer(const CallRequest& request);
  HttpAnswer answer_call(const CallRequest& request);
  void note_refusal(const Verdict& verdict, const CallRequest& request);
  void subscribed(std::shared_ptr<EventStream> stream, const boost::json::object& subscribe);
  boost::json::object subscription(const boost::json::object& subscribe);
  bool lost_in_restart(const boost::json::object& subscribe) const;
  void stream_ended(const std::string& why);
  void update(const boost::json::object& status, const char* via);
  void check_update(const TaskState* task, const boost::json::object& status);
  void acknowledge(const boost::json::object& status);
  void send_acknowledged(const boost::json::object& status);
  bool send(const boost::json::object& event);

  // agent_script.cpp: what the framework and the operator do
  void launch();
  void after_update(const std::string& state, bool first_of_its_kind);
  void start_clock();
  void kill_task(std::optional<Nanoseconds> grace);
  void shut_down(const char* why);
  void send_message();
  void beat();

  // agent_faults.cpp
  void inject_faults();
  void end_stream();
  void refuse_for_a_while();
  void go_down();
  void come_back();
  void answer_503_for_a_while();

  // agent_run.cpp: sandbox, process, end
  void prepare_sandbox();
  void start_sidecar();
  void start_vault();
  void start_executor();
  void kill_executor(const std::string& why);
  void executor_ended(ProcessEnd end);
  void conclude();
  void finish(int code);
  void report_from_agent(const char* state, const std::string& message, const char* reason,
                         const char* source = "SOURCE_AGENT");
  int code_of_outcome() const;

  void emit(const char* event, boost::json::object details = {});
  void violation(const std::string& what);
  void remember(const std::string& violation_text);
  void after(Nanoseconds time, std::function<void()> action);

  boost::asio::io_context& io_;
  Options options_;
  Task task_;
  Observer observer_;
  HttpServer agent_server_, master_server_;
  std::unique_ptr<StandInSidecar> sidecar_;
  std::unique_ptr<StandInVault> vault_;
  ExecutorProcess process_;
  Cluster cluster_;
  AgentIdentity identity_;
  AgentView view_;
  std::string sandbox_;
  Clock::time_point start_ = Clock::now();
  std::set<std::shared_ptr<boost::asio::steady_timer>> timers_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::shared_ptr<EventStream> stream_;
  int subscriptions_ = 0, interrupts_ = 0;
  long records_ = 0, drop_acks_ = 0, updates_ = 0;
  bool launched_ = false, clock_started_ = false, killed_once_ = false;
  bool shutting_down_ = false, killed_before_subscribe_ = false;
  bool faults_done_ = false, silent_ = false, down_ = false, back_in_time_ = true;
  bool timed_out_ = false;
  bool finished_ = false;
  int exit_code_ = kFailed;
  std::map<std::string, TaskState> tasks_;
  std::optional<boost::json::object> outcome_;  // the TaskStatus that ended the task
  std::optional<ProcessEnd> process_end_;
  std::vector<std::string> violations_;
};

}  // namespace mini_agent
