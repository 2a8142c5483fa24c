// The half of the runner that turns the agent's words into events of the lifecycle.
#include <unistd.h>

#include <algorithm>

#include "base/go_duration.hpp"
#include "base/text.hpp"
#include "base/timeouts.hpp"
#include "docker/host_files.hpp"
#include "task/runner.hpp"

namespace sidecar_executor::task {
using mesos::Reason;
using mesos::TaskState;

void Runner::on_agent(const mesos::Event& event) {
  std::visit([this](const auto& e) { said(e); }, event);
}

void Runner::said(const mesos::Subscribed& e) {
  log_.info("Executor subscribed to events",
            {{"agent", e.agent_hostname},
             {"task_killing_state", e.task_killing_state ? "true" : "false"}});
  agent_hostname_ = e.agent_hostname;
  lifecycle_.set_task_killing_state(e.task_killing_state);
}

void Runner::refuse_launch(const std::string& task_id, TaskState state, Reason reason,
                           std::string message) {
  log_.error("Task refused", {{"task_id", task_id}, {"why", message}});
  post(event::LaunchRefused{task_id, state, reason, std::move(message)});
}

void Runner::said(const mesos::Launch& e) {
  if (e.task_id.empty()) {
    log_.error("LAUNCH without a task id, nobody can be told", {{"problem", e.problem}});
    return;
  }
  // A refused one too: an agent that restarts before its update was acknowledged drops the task
  // else.
  session_.task_launched(e.task_id, e.task ? e.task->json : e.json);
  if (!e.task) return refuse_launch(e.task_id, TaskState::error, Reason::task_invalid, e.problem);
  const mesos::TaskInfo& task = *e.task;
  // Anything but the first LAUNCH is the machine's to refuse.
  if (!std::holds_alternative<state::Waiting>(lifecycle_.state())) {
    TaskTraits other;
    other.task_id = task.task_id;
    return post(event::Launched{std::move(other)});
  }
  log_.info("Task received", {{"task_id", task.task_id}, {"name", task.name}});
  begin_report(task);
  if (!config_.setup_problem.empty()) {
    return refuse_launch(task.task_id, TaskState::failed, Reason::container_launch_failed,
                         config_.setup_problem);
  }
  if (const auto why = mesos::why_not_launchable(task)) {
    return refuse_launch(task.task_id, TaskState::error, Reason::task_invalid, *why);
  }
  auto spec = docker::make_container_spec(task, spec_inputs(task.task_id));
  if (!spec) {
    return refuse_launch(task.task_id, TaskState::error, Reason::task_invalid,
                         spec.error().message);
  }
  for (const auto& note : spec->notes) log_.debug(note);
  for (const auto& warning : spec->warnings) log_.warning(warning);
  for (const auto& warning : spec->log_warnings) log_.warning(warning);
  task_ = task;
  task_->json.clear();  // the session keeps it for as long as it is needed
  spec_ = std::move(*spec);
  report_limits();
  if (task.check) check_status_ = mesos::CheckStatus{task.check->type(), std::nullopt};
  TaskTraits traits;
  traits.task_id = task.task_id;
  traits.max_completion_time = task.max_completion_time;
  traits.notes = launch_notes();
  traits.draining_duration = config_.settings.sidecar_draining_duration;
  traits.drain_answer =
      std::min<Nanoseconds>(config_.settings.http_timeout, timeouts::drain_answer);
  post(event::Launched{std::move(traits)});
}

docker::SpecInputs Runner::spec_inputs(const std::string& task_id) const {
  docker::SpecInputs inputs;
  inputs.settings = &config_.settings;
  inputs.executor_environment = config_.environment;
  inputs.read_file = docker::read_host_file;
  inputs.sandbox = config_.agent.sandbox;
  // The Docker host is the agent's host: DOCKER_HOST elsewhere would break port mappings too.
  inputs.host_cpus = static_cast<double>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  inputs.own_labels = config_.own_labels;
  inputs.own_labels.emplace_back("io.sidecar-executor.task-id", task_id);
  return inputs;
}

void Runner::said(const mesos::LaunchGroup& e) {
  for (std::size_t i = 0; i < e.task_ids.size() && i < e.jsons.size(); ++i) {
    session_.task_launched(e.task_ids[i], e.jsons[i]);
  }
  post(event::GroupLaunched{e.task_ids});
}

void Runner::said(const mesos::Kill& e) {
  StopRequest request;
  request.cause = StopCause::kill;
  request.grace = kill_timeout();
  if (task_ && task_->kill_grace_period) request.grace = *task_->kill_grace_period;
  if (e.grace_period) request.grace = *e.grace_period;
  request.drain = true;
  request.text =
      "killed on request of the framework (grace period " + format_for_people(request.grace) + ")";
  log_.info("KILL received", {{"task_id", e.task_id}, {"grace", format_for_people(request.grace)}});
  post(event::StopAsked{std::move(request), e.task_id});
}

void Runner::said(const mesos::Message& e) {
  const auto user = mesos::parse_destroy_message(e.data, lifecycle_.task_id());
  if (!user) {
    log_.info("Framework message that means nothing to the executor, ignoring",
              {{"bytes", std::to_string(e.data.size())}});
    return;
  }
  StopRequest request;
  request.cause = StopCause::destroy;
  request.text = "destroyed on request of the framework" +
                 (user->empty() ? "" : " (user " + one_line(*user, 100) + ")");
  log_.info("Destroy message received", {{"user", *user}});
  post(event::StopAsked{std::move(request), lifecycle_.task_id()});
}

void Runner::said(const mesos::Shutdown&) {
  log_.info("SHUTDOWN received", {{"grace", format_for_people(config_.agent.shutdown_grace)}});
  StopRequest request;
  request.cause = StopCause::shutdown;
  request.grace = kill_timeout();
  request.budget = config_.agent.shutdown_grace;
  request.text = "the agent shut the executor down";
  post(event::StopAsked{std::move(request), std::nullopt});
}

void Runner::said(const mesos::Heartbeat&) { log_.debug("Heartbeat"); }
void Runner::said(const mesos::ErrorEvent& e) {
  log_.error("The agent reports an error", {{"message", e.message}});
}
void Runner::said(const mesos::UnknownEvent& e) {
  log_.debug("Unknown event, ignoring", {{"type", e.type}});
}

void Runner::agent_lost(const std::string& why) {
  event::AgentLost lost;
  lost.grace = kill_timeout();
  lost.text = "the agent is gone (" + why + ")";
  if (!config_.setup_problem.empty() &&
      std::holds_alternative<state::Waiting>(lifecycle_.state())) {
    StopRequest request;
    request.exit_code = 78;  // EX_CONFIG: bad settings that could not be reported
    return post(event::StopAsked{std::move(request), std::nullopt});
  }
  post(std::move(lost));
}

}  // namespace sidecar_executor::task
