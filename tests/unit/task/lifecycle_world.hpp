#pragma once
// A world in virtual time for the lifecycle and the update stream: a Docker daemon that hangs, goes
// away and comes back, a container that ends, ignores SIGTERM or gets stuck, a launch that answers
// when it likes, an agent that acknowledges, loses and leaves. World::run() plays one sequence that
// its seed decides and holds the machines to the rules after each step.

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "mesos/update_stream.hpp"
#include "task/lifecycle.hpp"

namespace sidecar_executor::task::simulation {

/// Bugs that can be put into the machine: what it is told and what it does is altered on the way.
enum class Mutation {
  none,
  cancel_launch_dropped,
  stop_dropped_after_launch,
  terminal_twice,
  terminal_when_docker_answers,
  terminal_when_grace_is_over,
  terminal_dropped,
  running_after_terminal,
  acknowledgement_timer_dropped,
  grace_timer_dropped,
  drain_timer_dropped,
  retry_timer_dropped,
  closing_timer_dropped,
  completion_timer_dropped,
  end_before_launch_done_swallowed,
  agent_lost_ignored,
  exit_before_acknowledgement,
  launch_never_begun,
  killed_without_grace,
  stop_while_preparing_ignored,
  second_stop_ignored,
  unreachable_too_soon,
  seen_running_ignored,
  exit_code_always_zero,
  shutdown_budget_ignored,
  time_of_end_ignored,
  logs_never_copied,
  clean_exit_of_killed_is_finished,
  kill_of_other_task_obeyed,
  health_watched_while_stopping,
  drained_without_sidecar,
  drain_skipped,
  stop_sent_twice,
  closing_prolonged,
  killing_update_dropped,
  last
};
std::string_view name_of(Mutation mutation);

/// The machine with a bug in it.
class Machine {
 public:
  explicit Machine(Mutation mutation) : mutation_(mutation) {}
  void set_task_killing_state(bool on) { lifecycle_.set_task_killing_state(on); }
  Actions step(const Event& event, Now now);
  [[nodiscard]] const State& state() const { return lifecycle_.state(); }

 private:
  std::optional<Event> changed(const Event& event) const;
  void change(Actions& actions, const Event& event);

  Lifecycle lifecycle_;
  Mutation mutation_;
};

class World {
 public:
  World(std::uint64_t seed, Mutation mutation, std::string* trace = nullptr);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// The rule that was broken; nullptr when all held to the end.
  const char* run();

  /// What run() has seen, so that a test can show that it gets around.
  struct Seen {
    std::array<bool, 7> states{};
    bool left_behind = false;
    bool own_end = false;
    bool drained = false;
    bool unacknowledged = false;
  };
  [[nodiscard]] const Seen& seen() const { return seen_; }
  [[nodiscard]] int steps() const { return steps_; }

 private:
  using Time = std::int64_t;  // ns since the world began

  enum class What : std::uint8_t {
    launch_arrives,
    launch_goes_on,
    container_ends,
    exit_is_seen,
    docker_kills,
    stop_answers,
    kill_answers,
    check_answers,
    docker_heals,
    sidecar_answers,
    closing_ends,
    revoked,
    update_answered,
    acknowledged,
    agent_goes,
    agent_returns,
    agent_is_lost,
    mischief,
    settle
  };
  struct Item {
    Time at;
    What what;
    int a;
    int b;
  };
  enum class Docker : std::uint8_t { well, down, hanging, refusing };
  enum class Pull : std::uint8_t { none, pulling, creating, starting, looking, cleaning };
  enum class Id : std::uint8_t { main, second, group_a, group_b, unknown };
  static constexpr std::size_t ids = 5;
  static constexpr Time never = INT64_MAX;

  // Chance.
  std::uint64_t any(std::uint64_t below) { return rng_() % below; }
  bool one_in(std::uint64_t n) { return any(n) == 0; }
  Time up_to(Time most) {
    return most <= 0 ? 0 : static_cast<Time>(any(static_cast<std::uint64_t>(most)));
  }
  Time some_time();
  Time soon() { return one_in(3) ? 0 : up_to(5'000'000); }

  // Time.
  [[nodiscard]] Now now() const;
  void later(Time after, What what, int a = 0, int b = 0);
  void forget(What what);
  [[nodiscard]] bool expects(What what) const;
  bool advance();

  // What happens.
  void happen(const Item& item);
  void deliver(Event event);
  void launch_arrives();
  void launch_goes_on();
  void fail_launch(bool clean_up);
  void make_mischief();
  void docker_trouble();
  void settle();
  void ask(StopRequest request, std::optional<Id> id);
  void ask_something();
  void end_container();
  void see_exit();
  void docker_took_it();
  void answer_stop(bool unanswered);
  void answer_kill(int answer);
  void agent_goes();
  void agent_returns();
  void pump();
  void acknowledge(int uuid);

  // Actions.
  void perform(const Actions& actions);
  void on(const action::Report& a);
  void on(const action::BeginLaunch& a);
  void on(const action::CancelLaunch& a);
  void on(const action::WatchHealth& a);
  void on(const action::StopWatchingHealth& a);
  void on(const action::Drain& a);
  void on(const action::StopContainer& a);
  void on(const action::KillContainer& a);
  void on(const action::CheckContainer& a);
  void on(const action::BeginClosing& a);
  void on(const action::Revoke& a);
  void on(const action::SetTimer& a);
  void on(const action::CancelTimer& a);
  void on(const action::Ignore& a);
  void on(const action::Exit& a);

  // Rules.
  void broken(const char* rule) {
    if (broken_ == nullptr) broken_ = rule;
  }
  void hold(bool condition, const char* rule) {
    if (!condition) broken(rule);
  }
  void note_event(const Event& event);
  void note_stop(const StopRequest& request);
  void note_end(const ContainerEnd& end);
  void check_terminal(const action::Report& a);
  void check_given_up();
  void check_waits();
  void check_stopping(const state::Stopping& stopping);
  void check_exit(int code);
  [[nodiscard]] bool armed(Timer timer) const {
    return timers_[static_cast<std::size_t>(timer)] != never;
  }
  [[nodiscard]] Time budget_room(Time reserve) const;
  [[nodiscard]] mesos::TaskState verdict() const;
  void say(const std::string& text);

  std::mt19937_64 rng_;
  Machine machine_;
  mesos::UpdateStream stream_;
  std::string* trace_;
  const char* broken_ = nullptr;
  Seen seen_;
  int steps_ = 0;

  Time t_ = 0;
  std::array<Item, 96> agenda_;
  std::size_t items_ = 0;
  std::array<Time, 6> timers_;
  Time deadline_ = never;
  int mischiefs_left_ = 0;

  // Docker and the container.
  Docker docker_ = Docker::well;
  Time trouble_since_ = never;
  Time well_since_ = 0;
  bool docker_is_local_ = true;
  Pull pull_ = Pull::none;
  bool launch_cancelled_ = false;
  bool created_ = false;
  bool running_ = false;
  bool ended_ = false;
  bool exit_posted_ = false;
  bool ignores_term_ = false;
  Time reaction_ = 0;
  Time stuck_until_ = 0;
  ContainerEnd end_;

  // The agent.
  bool connected_ = true;
  bool lost_ = false;
  bool checkpoint_ = true;
  bool mute_ = false;
  int connection_ = 0;
  int updates_ = 0;
  std::array<Id, 128> id_of_update_{};

  // What the rules need to know.
  TaskTraits traits_;
  bool in_sidecar_ = false;
  bool taken_ = false;  // Docker took a stop or a kill
  bool killing_state_ = false;
  std::array<bool, ids> launched_{};
  std::array<int, ids> terminals_{};
  bool refused_ = false;
  mesos::TaskState refused_as_ = mesos::TaskState::error;
  bool killed_early_ = false;
  bool launch_failed_ = false;
  bool launch_left_behind_ = false;
  bool launch_done_ = false;
  bool health_watched_ = false;
  bool starting_sent_ = false;
  bool running_sent_ = false;
  bool killing_sent_ = false;
  bool stop_known_ = false;
  StopRequest first_stop_;
  Time asked_at_ = 0;
  Time shortest_grace_ = never;
  bool all_drain_ = true;
  bool may_drain_ = false;
  bool signalled_ = false;
  bool completion_fired_ = false;
  Time budget_end_ = never;
  bool own_end_ = false;
  bool end_known_ = false;
  Time first_call_ = never;
  Time last_good_answer_ = 0;
  bool stop_sent_ = false;
  Time kill_due_ = never;     // no later than this
  Time kill_not_before_ = 0;  // no earlier than this
  Time closing_since_ = never;
  Time terminal_at_ = never;
  Time waits_for_ack_since_ = never;
  bool given_up_ = false;  // Docker was unreachable for too long
  bool left_behind_said_ = false;
  std::optional<int> waiting_exit_;
  int exit_code_ = -1;
};

}  // namespace sidecar_executor::task::simulation
