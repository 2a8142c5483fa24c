#include "task/runner.hpp"

#include <bsd/unistd.h>
#include <unistd.h>

#include <csignal>

#include "base/go_duration.hpp"
#include "base/text.hpp"
#include "base/timeouts.hpp"
#include "net/spawn.hpp"
#include "task/phase_clock.hpp"

namespace sidecar_executor::task {
using mesos::TaskState;

namespace {

event::DockerAnswer answer_of(const Result<docker::StopResult>& result) {
  if (!result) return event::DockerAnswer::failed;
  return *result == docker::StopResult::done ? event::DockerAnswer::done
                                             : event::DockerAnswer::not_running;
}

bool says_paused(const Error& error) {
  return to_lower(error.message).find("paused") != std::string::npos;
}

std::vector<mesos::IpAddress> addresses_of(const docker::ContainerState& container) {
  std::vector<mesos::IpAddress> out;
  out.reserve(container.addresses.size());
  for (const auto& address : container.addresses) out.push_back({address.ip, address.v6});
  return out;
}

}  // namespace

Runner::Runner(asio::io_context& loop, RunnerConfig config, Log& log, OutputBuffer& err)
    : loop_(loop),
      config_(std::move(config)),
      log_(log),
      err_(err),
      out_pump_(loop.get_executor(), log.output()),
      err_pump_(loop.get_executor(), err),
      session_(loop.get_executor(), config_.agent, log,
               {[this](const mesos::Event& e) { on_agent(e); },
                [this](bool connected) { post(event::AgentConnection{connected}); },
                [this] { post(event::AllAcknowledged{}); },
                [this](const std::string& why) { agent_lost(why); }}),
      engine_(loop.get_executor(), config_.docker),
      exit_watch_(loop.get_executor(), engine_, log,
                  {[this](const docker::ContainerExit& e) { container_ended(e); },
                   [this](const docker::ContainerState& s) { container_seen(s); }}),
      signals_(loop, SIGTERM, SIGINT, SIGUSR1),
      report_file_(loop.get_executor(), config_.agent.sandbox, report_, log) {
  report_.began = std::chrono::system_clock::now();
}

void Runner::start() {
  watch_signals();
  read_vault_settings();
  log_.info("Subscribing to agent for events", {{"agent", config_.agent.agent.display()}});
  spawn(session_.run());
  if (config_.setup_problem.empty()) spawn(greet_docker());
}

/// While the agent is spoken to, so that LAUNCH finds the API version known. If Docker does not
/// answer now, the launch tries again and says what is wrong.
asio::awaitable<void> Runner::greet_docker() {
  const auto answer = co_await engine_.negotiate();
  if (answer) {
    log_.info("Docker answers", {{"host", engine_.address().display()}, {"server", *answer}});
  }
}

/// Exceptions are bugs: the loop ends with them, main says so, and executor.sh or reap looks after
/// the container.
void Runner::spawn(asio::awaitable<void> work) {
  net::spawn(loop_.get_executor(), std::move(work));
}

// ---- the machine -------------------------------------------------------------------------------

void Runner::post(Event event) {
  events_.push_back(std::move(event));
  drain_events();
}

void Runner::drain_events() {
  if (draining_) return;
  draining_ = true;
  while (!events_.empty()) {
    const Event event = std::move(events_.front());
    events_.pop_front();
    const auto before = name_of(lifecycle_.state());
    const Actions actions = lifecycle_.step(event, now());
    const auto after = name_of(lifecycle_.state());
    if (before != after) {
      log_.debug("State changed", {{"from", std::string(before)}, {"to", std::string(after)}});
    }
    if (after == "stopping" && !stop_since_) {
      stop_since_ = now();
      report_.phases.begin("stop", stop_since_->wall);
    }
    perform(actions);
  }
  draining_ = false;
}

void Runner::perform(const Actions& actions) {
  for (const auto& action : actions) {
    std::visit([this](const auto& a) { on(a); }, action);
  }
}

void Runner::on(const action::Report& a) {
  const bool ours = task_ && a.task_id == task_->task_id;
  mesos::StatusUpdate update;
  update.task_id = a.task_id;
  update.state = a.state;
  update.reason = a.reason;
  update.message = a.message;
  update.healthy = a.healthy;
  if (ours && !container_.id.empty()) {
    update.container_status =
        mesos::ContainerStatus{addresses_of(container_), static_cast<std::uint32_t>(::getpid())};
  }
  if (ours) update.check_status = check_status_;
  if (a.state == TaskState::running) update.data = std::exchange(running_data_, {});
  log_.info("Status update", {{"task_id", a.task_id},
                              {"state", std::string(mesos::to_string(a.state))},
                              {"reason", std::string(mesos::to_string(a.reason))},
                              {"message", a.message}});
  const bool last = mesos::is_terminal(a.state) && a.task_id == lifecycle_.task_id();
  if (ours) report_.state = mesos::to_string(a.state);
  // The sandbox is complete before anybody is told to look into it.
  if (last) write_summary();
  terminal_sent_ = terminal_sent_ || last;
  session_.report(update);
}

void Runner::on(const action::BeginLaunch&) { spawn(launch()); }
void Runner::on(const action::CancelLaunch&) { launch_cancel_.cancel(); }

void Runner::on(const action::WatchHealth&) {
  if (checked_by_sidecar()) {
    spawn(watch_health());
  } else {
    log_.info("Not checked by Sidecar, label SidecarDiscover says no");
  }
  begin_checks();
}

void Runner::on(const action::StopWatchingHealth&) { health_cancel_.cancel(); }
void Runner::on(const action::Drain&) { spawn(drain()); }

void Runner::on(const action::StopContainer& a) { spawn(stop(a.grace)); }
void Runner::on(const action::KillContainer&) { spawn(kill()); }
void Runner::on(const action::CheckContainer&) { exit_watch_.check_now(); }
void Runner::on(const action::BeginClosing& a) { spawn(close_task(a.copy_logs, a.limit)); }

void Runner::on(const action::SetTimer& a) {
  const Timer timer = a.timer;
  timers_[static_cast<std::size_t>(timer)].emplace(
      loop_.get_executor(), a.after, [this, timer] { post(event::TimerFired{timer}); });
}

void Runner::on(const action::CancelTimer& a) {
  timers_[static_cast<std::size_t>(a.timer)].reset();
}
void Runner::on(const action::Ignore& a) { log_.info(a.text); }

void Runner::on(const action::Exit& a) {
  exit_code_ = a.code;
  if (terminal_sent_ && session_.unacknowledged() > 0) {
    err_.write("sidecar-executor: the terminal update was not acknowledged by the agent\n");
    log_.error("The terminal update was not acknowledged",
               {{"waiting", std::to_string(session_.unacknowledged())}});
  }
  // Nobody else has been told.
  if (!terminal_sent_ && !config_.setup_problem.empty())
    err_.write("sidecar-executor: " + config_.setup_problem + "\n");
  log_.info("Sidecar Executor exiting", {{"code", std::to_string(a.code)}});
  shutting_down_ = true;
  spawn(finish());
}

/// Everything that still waits is told to end; then the loop runs out.
asio::awaitable<void> Runner::finish() {
  session_.close();
  exit_watch_.close();
  // A container that is just being removed still needs Docker; close_task() ends it then.
  if (!closing_ || !config_.settings.remove_container) engine_.close();
  launch_cancel_.cancel();
  health_cancel_.cancel();
  drain_cancel_.cancel();
  closing_cancel_.cancel();
  lease_cancel_.cancel();
  revoke_cancel_.cancel();
  if (relay_) relay_->give_up();
  signals_.cancel();
  for (auto& timer : timers_) timer.reset();
  constexpr auto for_the_last_lines = std::chrono::milliseconds(500);
  co_await out_pump_.drained(for_the_last_lines);
  co_await err_pump_.drained(for_the_last_lines);
  out_pump_.close();
  err_pump_.close();
}

// ---- launch ------------------------------------------------------------------------------------

asio::awaitable<void> Runner::launch() {
  LaunchInputs inputs;
  inputs.spec = *spec_;
  inputs.make_spec = [this](const ExtraEnvironment& extra) {
    auto with_extra = spec_inputs(task_->task_id);
    with_extra.extra_environment = extra;
    return docker::make_container_spec(*task_, with_extra);
  };
  if (config_.settings.seed_sidecar) inputs.seeds = [this] { return seeds(); };
  inputs.force_pull = task_->container->docker->force_pull_image;
  inputs.environment = config_.environment;
  inputs.docker_repository = config_.settings.docker_repository;
  add_vault(inputs);
  Launch launch(engine_, exit_watch_, log_, std::move(inputs), launch_cancel_, report_.phases,
                {[this](const std::string& id) {
                   container_.id = report_.container_id = id;
                   post(event::ContainerCreated{id.substr(0, 12)});
                 },
                 [this](std::string text) { spec_->warnings.push_back(std::move(text)); }});
  auto done = co_await launch.run();
  if (!done) {
    const LaunchError& failure = done.error();
    report_.launch_failure = report_.last_error = failure.error.message;
    log_.error("Launch failed", {{"error", failure.error.message}});
    container_.id = failure.may_still_run;
    post(event::LaunchFailed{failure.error.message, failure.may_still_run});
    co_return;
  }
  container_ = std::move(done->container);
  running_data_ = std::move(done->data);
  if (running_data_.size() > mesos::data_limit)
    log_.warning("The container's description is too large for TASK_RUNNING, which goes without");
  running_since_ = now();
  report_.image_id = container_.image_id;
  report_.image_digest = done->image_digest;
  report_.phases.begin("run", running_since_->wall);
  const std::string id12 = container_.id.substr(0, 12);
  ::setproctitle("-sidecar-executor %s (%s)", id12.c_str(), spec_->image.c_str());
  if (!container_.status.empty()) begin_relay();
  spawn(exit_watch_.run(container_));
  std::string message = "container " + id12 + " runs";
  if (const auto notes = launch_notes(); !notes.empty()) message += "; " + notes;
  post(event::LaunchDone{memory_limit(), std::move(message), checked_by_sidecar()});
}

std::string Runner::launch_notes() const {
  std::string out;
  for (const auto& warning : spec_->warnings) out += (out.empty() ? "warning: " : "; ") + warning;
  return out;
}

std::int64_t Runner::memory_limit() const {
  const auto* host = spec_->body.if_contains("HostConfig");
  const auto* memory =
      host != nullptr && host->is_object() ? host->as_object().if_contains("Memory") : nullptr;
  return memory != nullptr && memory->is_int64() ? memory->as_int64() : 0;
}

void Runner::container_seen(const docker::ContainerState& state) {
  const bool first = container_.status.empty();  // Docker could not tell at the launch
  container_ = state;
  if (first) {
    report_.image_id = container_.image_id;
    begin_relay();
  }
  post(event::ContainerSeenRunning{});
}

void Runner::container_ended(const docker::ContainerExit& exit) {
  drain_cancel_.cancel();                        // nothing is left to drain
  if (container_.status.empty()) begin_relay();  // Docker has told nothing but this
  if (relay_) relay_->container_ended();
  log_.info("Container ended",
            {{"exit_code", exit.exit_code ? std::to_string(*exit.exit_code) : "unknown"},
             {"oom_killed", exit.oom_killed ? "true" : "false"}});
  const Now at = now();
  const auto add_phase = [this](const char* name, const Now& began, const Now& ended) {
    report_.phases.add({name, began.wall, ended.steady - began.steady});
  };
  if (running_since_) add_phase("run", *running_since_, stop_since_.value_or(at));
  if (stop_since_) add_phase("stop", *stop_since_, at);
  ContainerEnd end;
  end.exit_code = exit.exit_code;
  end.oom_killed = exit.oom_killed;
  end.removed = exit.removed;
  end.docker_error = exit.docker_error;
  end.finished_at = exit.finished_at;
  end.ran_for = exit.ran_for;
  report_.end = end;
  container_.finished_at = exit.log_end;
  post(event::ContainerEnded{std::move(end)});
}

// ---- stopping ----------------------------------------------------------------------------------

asio::awaitable<void> Runner::stop(Nanoseconds grace) {
  exit_watch_.expect_end();
  log_.info("Stopping container",
            {{"id", container_.id.substr(0, 12)}, {"grace", format_for_people(grace)}});
  auto result = co_await engine_.stop(container_.id, grace);
  if (!result && says_paused(result.error())) {
    log_.info("Container is paused, unpausing it to stop it");
    co_await engine_.unpause(container_.id);
    result = co_await engine_.stop(container_.id, grace);
  }
  if (!result)
    log_.warning("Docker did not stop the container", {{"error", result.error().message}});
  post(event::StopAnswered{answer_of(result)});
}

asio::awaitable<void> Runner::kill() {
  exit_watch_.expect_end();
  log_.info("Killing container", {{"id", container_.id.substr(0, 12)}});
  auto result = co_await engine_.kill(container_.id, "SIGKILL");
  if (!result && says_paused(result.error())) {
    co_await engine_.unpause(container_.id);
    result = co_await engine_.kill(container_.id, "SIGKILL");
  }
  if (!result)
    log_.warning("Docker did not kill the container", {{"error", result.error().message}});
  post(event::KillAnswered{answer_of(result)});
}

asio::awaitable<void> Runner::close_task(bool copy, Nanoseconds limit) {
  closing_ = true;
  exit_watch_.close();
  co_await flush_logs(copy, limit);
  post(event::ClosingDone{});
  // After the terminal update: a slow daemon must not hold that up.
  if (config_.settings.remove_container && !container_.id.empty()) {
    const auto removed = co_await engine_.remove(container_.id, false);
    if (!removed) {
      log_.warning("Container could not be removed, ignoring",
                   {{"error", removed.error().message}});
    }
  }
  closing_ = false;
  if (shutting_down_) engine_.close();
}

// ---- signals -----------------------------------------------------------------------------------

void Runner::watch_signals() {
  signals_.async_wait([this](const boost::system::error_code& ec, int number) {
    if (ec || shutting_down_) return;
    on_signal(number);
    if (!shutting_down_) watch_signals();
  });
}

void Runner::on_signal(int number) {
  const std::string name = signal_name(number);
  log_.info("Signal received", {{"signal", name}});
  StopRequest request;
  request.cause = StopCause::signal;
  request.grace = kill_timeout();
  request.text = "the executor got " + name;
  if (number != SIGUSR1) {
    request.exit_code = 128 + number;
    // Whoever asks a second time does not want to wait.
    if (std::exchange(term_seen_, true)) request.grace = Nanoseconds(0);
  }
  post(event::StopAsked{request, std::nullopt});
}

}  // namespace sidecar_executor::task
