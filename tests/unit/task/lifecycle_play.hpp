#pragma once
// The lifecycle on a stage: scenario tests tell it what happens and look at what it does. Timers
// fire by themselves when time passes.

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "task/lifecycle.hpp"

namespace sidecar_executor::task {

class Play {
 public:
  Play() { task.task_id = "t"; }

  // What happens.
  template <typename E>
  Play& give(E what) {
    last = machine.step(Event(std::move(what)), now());
    for (const auto& action : last) {
      if (const auto* set = std::get_if<action::SetTimer>(&action)) {
        timers_[index(set->timer)] = clock_ + set->after;
      } else if (const auto* cancelled = std::get_if<action::CancelTimer>(&action)) {
        timers_[index(cancelled->timer)].reset();
      } else if (const auto* report = std::get_if<action::Report>(&action)) {
        reports.push_back(*report);
      }
      all.push_back(action);
    }
    return *this;
  }
  Play& launch() { return give(event::Launched{task}); }
  Play& created() { return give(event::ContainerCreated{"0123456789ab"}); }
  Play& launched() {
    return launch().created().give(event::LaunchDone{64 * 1024 * 1024, "it runs", in_sidecar});
  }
  /// `finished`: when Docker says that it ended; this host's does.
  Play& ends(int exit_code, std::optional<WallTime> finished = std::nullopt) {
    event::ContainerEnded ended;
    ended.end.exit_code = exit_code;
    ended.end.finished_at = finished;
    return give(std::move(ended));
  }
  Play& ask(StopRequest request, std::optional<std::string> task_id = std::nullopt) {
    return give(event::StopAsked{std::move(request), std::move(task_id)});
  }
  Play& kill(Nanoseconds grace, bool drain = false, const std::string& task_id = "t") {
    StopRequest request;
    request.grace = grace;
    request.drain = drain;
    request.text = "killed by F";
    return ask(std::move(request), task_id);
  }
  Play& shutdown(Nanoseconds budget, Nanoseconds grace = std::chrono::seconds(10)) {
    StopRequest request;
    request.cause = StopCause::shutdown;
    request.grace = grace;
    request.budget = budget;
    request.text = "the agent shut down";
    return ask(std::move(request));
  }
  Play& signal(Nanoseconds grace, int exit_code) {
    StopRequest request;
    request.cause = StopCause::signal;
    request.grace = grace;
    request.exit_code = exit_code;
    request.text = "the executor got a signal";
    return ask(std::move(request));
  }
  Play& because(StopCause cause, const std::string& text) {
    StopRequest request;
    request.cause = cause;
    request.grace = std::chrono::seconds(10);
    request.text = text;
    return ask(std::move(request));
  }
  /// Time passes; timers fire on the way.
  Play& wait(Nanoseconds time) {
    const SteadyTime end = clock_ + time;
    for (;;) {
      const auto next = std::min_element(timers_.begin(), timers_.end(), [](auto a, auto b) {
        return a.value_or(SteadyTime::max()) < b.value_or(SteadyTime::max());
      });
      if (!*next || **next > end) break;
      clock_ = **next;
      next->reset();
      give(event::TimerFired{static_cast<Timer>(next - timers_.begin())});
    }
    clock_ = end;
    return *this;
  }
  /// Somebody sets the host's clock.
  Play& set_wall_clock(std::chrono::seconds by) {
    wall_set_ += by;
    return *this;
  }
  /// To the very end, with an agent that acknowledges.
  Play& acknowledged() { return give(event::Revoked{}).give(event::AllAcknowledged{}); }

  // What it did.
  [[nodiscard]] Now now() const {
    return {clock_, WallTime(std::chrono::hours(400'000) + clock_.time_since_epoch() + wall_set_)};
  }
  [[nodiscard]] std::string state() const { return std::string(name_of(machine.state())); }
  [[nodiscard]] std::string phase() const {
    constexpr std::array names{"draining", "stopping", "killing"};
    const auto* stopping = std::get_if<state::Stopping>(&machine.state());
    return stopping == nullptr ? state() : names[static_cast<std::size_t>(stopping->phase)];
  }
  /// The last time it did so; nullptr: never.
  template <typename A>
  [[nodiscard]] const A* did() const {
    const A* found = nullptr;
    for (const auto& action : all) {
      if (const auto* a = std::get_if<A>(&action)) found = a;
    }
    return found;
  }
  template <typename A>
  [[nodiscard]] std::ptrdiff_t times() const {
    return std::count_if(all.begin(), all.end(),
                         [](const Action& a) { return std::holds_alternative<A>(a); });
  }
  [[nodiscard]] std::optional<Nanoseconds> left(Timer timer) const {
    const auto& due = timers_[index(timer)];
    return due ? std::optional<Nanoseconds>(*due - clock_) : std::nullopt;
  }
  /// `STARTING RUNNING KILLED`, of our task.
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const auto& report : reports) {
      if (report.task_id != task.task_id) continue;
      out += (out.empty() ? "" : " ") + std::string(mesos::to_string(report.state).substr(5));
    }
    return out;
  }
  [[nodiscard]] const action::Report& terminal() const { return reports.back(); }
  [[nodiscard]] int exit_code() const {
    const auto* exit = did<action::Exit>();
    return exit == nullptr ? -1 : exit->code;
  }

  Lifecycle machine;
  TaskTraits task;
  bool in_sidecar = false;  ///< of the container, once launched()
  Actions last;
  Actions all;
  std::vector<action::Report> reports;

 private:
  static std::size_t index(Timer timer) { return static_cast<std::size_t>(timer); }
  SteadyTime clock_{std::chrono::hours(1)};
  std::chrono::seconds wall_set_{0};
  std::array<std::optional<SteadyTime>, 6> timers_;
};

}  // namespace sidecar_executor::task
