#pragma once
// Performs what the lifecycle decides, with the adapters; turns what they see into its events.

#include <sys/types.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/settings.hpp"
#include "docker/engine.hpp"
#include "docker/exit_watch.hpp"
#include "mesos/agent_session.hpp"
#include "net/output_pump.hpp"
#include "sidecar/client.hpp"
#include "sidecar/health_watch.hpp"
#include "task/check_machine.hpp"
#include "task/launch.hpp"
#include "task/lifecycle.hpp"
#include "task/relay_run.hpp"
#include "task/report.hpp"
#include "task/report_file.hpp"
#include "vault/aws_lease.hpp"
#include "vault/environment.hpp"

namespace sidecar_executor::task {

struct RunnerConfig {
  Settings settings;
  mesos::AgentEnvironment agent;
  docker::EngineAddress docker;
  Lookup environment;
  /// Bad settings and variables: the LAUNCH is answered with TASK_FAILED and this text.
  std::string setup_problem;
  std::vector<std::pair<std::string, std::string>> own_labels;  ///< without the task's id
};

class Runner {
 public:
  Runner(asio::io_context& loop, RunnerConfig config, Log& log, OutputBuffer& err);

  /// Subscribes and goes on until everything is over; then the loop has nothing left to run.
  void start();
  /// Valid once the loop has run out.
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  // Events into the machine, in order, never from inside a step.
  void post(Event event);
  void drain_events();
  void perform(const Actions& actions);

  // One for each action.
  void on(const action::Report& a);
  void on(const action::BeginLaunch&);
  void on(const action::CancelLaunch&);
  void on(const action::WatchHealth&);
  void on(const action::StopWatchingHealth&);
  void on(const action::Drain&);
  void on(const action::StopContainer& a);
  void on(const action::KillContainer&);
  void on(const action::CheckContainer&);
  void on(const action::BeginClosing& a);
  void on(const action::Revoke&);
  void on(const action::SetTimer& a);
  void on(const action::CancelTimer& a);
  void on(const action::Ignore& a);
  void on(const action::Exit& a);

  // What the agent says.
  void on_agent(const mesos::Event& event);
  void said(const mesos::Subscribed& e);
  void said(const mesos::Launch& e);
  void said(const mesos::LaunchGroup& e);
  void said(const mesos::Kill& e);
  void said(const mesos::Acknowledged&) {}
  void said(const mesos::Message& e);
  void said(const mesos::Shutdown&);
  void said(const mesos::Heartbeat&);
  void said(const mesos::ErrorEvent& e);
  void said(const mesos::UnknownEvent& e);
  void agent_lost(const std::string& why);

  void refuse_launch(const std::string& task_id, mesos::TaskState state, mesos::Reason reason,
                     std::string message);
  void watch_signals();
  void on_signal(int number);
  [[nodiscard]] Nanoseconds kill_timeout() const { return config_.settings.kill_task_timeout; }

  asio::awaitable<void> greet_docker();
  asio::awaitable<void> launch();
  asio::awaitable<Result<std::vector<std::string>>> seeds();
  [[nodiscard]] docker::SpecInputs spec_inputs(const std::string& task_id) const;
  // runner_report.cpp
  void begin_report(const mesos::TaskInfo& task);
  void report_limits();
  void health_known(bool healthy, std::string text);
  void write_summary();
  // runner_vault.cpp
  void read_vault_settings();
  void add_vault(LaunchInputs& inputs);
  asio::awaitable<Result<std::vector<std::string>>> resolve(std::vector<std::string> environment);
  asio::awaitable<Result<ExtraEnvironment>> aws_keys();
  asio::awaitable<void> watch_lease();
  asio::awaitable<void> revoke();
  [[nodiscard]] std::optional<Error> vault_problem();
  asio::awaitable<void> watch_health();
  // runner_checks.cpp
  void begin_checks();
  asio::awaitable<void> watch_health_check();
  asio::awaitable<void> watch_check();
  bool take(const HealthMachine::Decision& decision, const CheckResult& seen);
  void stop_unhealthy(std::string why);
  asio::awaitable<void> drain();
  using Labels = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] const Labels& labels() const;
  [[nodiscard]] bool checked_by_sidecar() const;
  [[nodiscard]] std::optional<sidecar::Client> sidecar_client() const;
  asio::awaitable<void> stop(Nanoseconds grace);
  asio::awaitable<void> kill();
  asio::awaitable<void> close_task(bool copy_logs, Nanoseconds limit);
  asio::awaitable<void> finish();
  void begin_relay();
  asio::awaitable<void> flush_logs(bool copy, Nanoseconds limit);
  asio::awaitable<void> copy_container_logs(Nanoseconds limit);
  void container_seen(const docker::ContainerState& state);
  void container_ended(const docker::ContainerExit& exit);
  void spawn(asio::awaitable<void> work);
  [[nodiscard]] std::string launch_notes() const;
  [[nodiscard]] std::int64_t memory_limit() const;

  asio::io_context& loop_;
  RunnerConfig config_;
  Log& log_;
  OutputBuffer& err_;
  net::OutputPump out_pump_;
  net::OutputPump err_pump_;
  Lifecycle lifecycle_;
  mesos::AgentSession session_;
  docker::Engine engine_;
  docker::ExitWatch exit_watch_;
  asio::signal_set signals_;

  std::optional<mesos::TaskInfo> task_;
  std::optional<docker::ContainerSpec> spec_;
  docker::ContainerState container_;
  std::optional<mesos::CheckStatus> check_status_;  // of a task with a check
  std::string running_data_;                        // sent once, with TASK_RUNNING
  std::string agent_hostname_;                      // of SUBSCRIBED
  net::Cancellation launch_cancel_;
  net::Cancellation health_cancel_;
  net::Cancellation drain_cancel_;
  net::Cancellation closing_cancel_;
  net::Cancellation lease_cancel_;
  net::Cancellation revoke_cancel_;
  vault::Environment vault_;
  std::optional<vault::AwsLease> aws_lease_;  // with EXECUTOR_AWS_ROLE, from the launch on
  std::optional<RelayRun> relay_;
  std::optional<Now> running_since_;
  std::optional<Now> stop_since_;
  Report report_;
  ReportFile report_file_;
  bool terminal_sent_ = false;
  bool shutting_down_ = false;
  bool term_seen_ = false;
  bool closing_ = false;  // close_task() is at work
  std::deque<Event> events_;
  bool draining_ = false;
  std::array<std::optional<net::Deadline>, 6> timers_;
  int exit_code_ = 1;
};

}  // namespace sidecar_executor::task
