#include "task/check_machine.hpp"

#include <algorithm>

namespace sidecar_executor::task {
namespace {

struct Describe {
  std::string operator()(const Exited& seen) const {
    return "exit code " + std::to_string(seen.code) +
           (seen.last_line.empty() ? "" : " (" + seen.last_line + ")");
  }
  std::string operator()(const Answered& seen) const {
    return "HTTP status " + std::to_string(seen.status);
  }
  std::string operator()(const Connected&) const { return "connected"; }
  std::string operator()(const NotConnected& seen) const { return seen.why; }
  std::string operator()(const NoResult& seen) const { return seen.why; }
  std::string operator()(const NotPerformed& seen) const { return seen.why; }
};

/// nullopt: it had none.
std::optional<std::int64_t> value_of(const CheckResult& seen) {
  if (const auto* exited = std::get_if<Exited>(&seen)) return exited->code;
  if (const auto* answered = std::get_if<Answered>(&seen)) return answered->status;
  if (std::holds_alternative<Connected>(seen)) return 1;
  if (std::holds_alternative<NotConnected>(seen)) return 0;
  return std::nullopt;
}

}  // namespace

std::string describe(const CheckResult& seen) { return std::visit(Describe{}, seen); }

HealthMachine::HealthMachine(mesos::HealthCheck definition) : definition_(std::move(definition)) {}

bool HealthMachine::passes(const CheckResult& seen) const {
  if (const auto* exited = std::get_if<Exited>(&seen)) return exited->code == 0;
  if (const auto* answered = std::get_if<Answered>(&seen)) {
    const auto* http = std::get_if<mesos::HttpCheck>(&definition_.check.kind);
    if (http == nullptr || http->statuses.empty())
      return answered->status >= 200 && answered->status <= 399;
    return std::find(http->statuses.begin(), http->statuses.end(), answered->status) !=
           http->statuses.end();
  }
  return std::holds_alternative<Connected>(seen);
}

HealthMachine::Decision HealthMachine::observe(const CheckResult& seen, Nanoseconds running_for) {
  if (std::holds_alternative<NotPerformed>(seen)) return {};
  return passes(seen) ? passed() : failed(seen, running_for);
}

HealthMachine::Decision HealthMachine::passed() {
  Decision out;
  if (!std::holds_alternative<Healthy>(state_)) {
    out.changed = true;
    out.message = std::string(to_string(definition_.check.type())) + " health check passed";
  }
  state_ = Healthy{};
  return out;
}

HealthMachine::Decision HealthMachine::failed(const CheckResult& seen, Nanoseconds running_for) {
  Decision out;
  const bool unproven = std::holds_alternative<Unproven>(state_);
  if (unproven && definition_.grace_period > Nanoseconds(0) &&
      running_for <= definition_.grace_period) {
    out.ignored = true;
    return out;
  }
  if (auto* failing = std::get_if<Failing>(&state_)) {
    ++failing->times;
  } else {
    state_ = Failing{};
    out.changed = false;
  }
  const std::int64_t times = std::get<Failing>(state_).times;
  const std::string name(to_string(definition_.check.type()));
  out.limit_reached = times >= definition_.consecutive_failures;
  if (out.limit_reached) {
    out.message = "unhealthy by its " + name + " health check: " + std::to_string(times) +
                  " consecutive failed check" + (times == 1 ? "" : "s") + " (" + describe(seen) +
                  ")";
  } else if (out.changed) {
    out.message = name + " health check failed: " + describe(seen);
  }
  return out;
}

std::optional<mesos::CheckStatus> StatusMachine::observe(const CheckResult& seen) {
  if (std::holds_alternative<NotPerformed>(seen)) return std::nullopt;
  const mesos::CheckStatus status{last_.type, value_of(seen)};
  if (status == last_) return std::nullopt;
  last_ = status;
  return status;
}

}  // namespace sidecar_executor::task
