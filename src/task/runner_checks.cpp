// The part of the runner that does the checks of the TaskInfo itself, beside Sidecar's.
#include "base/stamp.hpp"
#include "task/check_watch.hpp"
#include "task/runner.hpp"

namespace sidecar_executor::task {

/// One way to end a task that is not healthy, whoever says so.
void Runner::stop_unhealthy(std::string why) {
  StopRequest request;
  request.cause = StopCause::unhealthy;
  request.grace = task_->kill_grace_period.value_or(kill_timeout());
  request.text = std::move(why);
  post(event::StopAsked{std::move(request), std::nullopt});
}

void Runner::begin_checks() {
  if (task_->health_check) spawn(watch_health_check());
  if (task_->check) spawn(watch_check());
}

asio::awaitable<void> Runner::watch_health_check() {
  const mesos::HealthCheck& definition = *task_->health_check;
  const auto began = std::chrono::steady_clock::now();
  HealthMachine machine(definition);
  CheckWatch::Inputs inputs;
  inputs.name = std::string(to_string(definition.check.type())) + " health check";
  inputs.check = definition.check;
  inputs.target = [this] { return check_target(container_); };
  inputs.on_result = [this, &machine, began](const CheckResult& seen) {
    return take(machine.observe(seen, std::chrono::steady_clock::now() - began), seen);
  };
  CheckWatch watch(engine_, log_, std::move(inputs));
  co_await watch.run(health_cancel_);
}

/// False when the limit is reached and there is nothing more to watch.
bool Runner::take(const HealthMachine::Decision& decision, const CheckResult& seen) {
  if (decision.ignored) {
    log_.info("A failed health check within the grace period, ignoring",
              {{"result", describe(seen)}});
  }
  if (decision.changed) {
    health_known(*decision.changed, describe(seen) + " at its health check, since " +
                                        format_utc(std::chrono::system_clock::now()));
    log_.info("Health changed", {{"healthy", *decision.changed ? "true" : "false"},
                                 {"health_check", describe(seen)}});
  }
  if (decision.limit_reached) {
    log_.warning("The health check failed once too often", {{"result", describe(seen)}});
    // The limit's own update says it all.
    stop_unhealthy(decision.message);
  } else if (decision.changed) {
    post(event::HealthChanged{*decision.changed, decision.message, HealthSource::health_check});
  }
  return !decision.limit_reached;
}

asio::awaitable<void> Runner::watch_check() {
  const mesos::Check& check = *task_->check;
  const std::string name = std::string(to_string(check.type())) + " check";
  StatusMachine machine(check.type());
  CheckWatch::Inputs inputs;
  inputs.name = name;
  inputs.check = check;
  inputs.target = [this] { return check_target(container_); };
  inputs.on_result = [this, &machine, &name](const CheckResult& seen) {
    if (const auto status = machine.observe(seen)) {
      check_status_ = *status;
      post(event::CheckChanged{name + ": " + describe(seen)});
    }
    return true;
  };
  CheckWatch watch(engine_, log_, std::move(inputs));
  co_await watch.run(health_cancel_);
}

}  // namespace sidecar_executor::task
