#include "lifecycle_world.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace sidecar_executor::task::simulation {
using mesos::TaskState;
using namespace std::chrono_literals;

namespace {

constexpr std::int64_t millisecond = 1'000'000;
constexpr std::int64_t second = 1000 * millisecond;
constexpr std::int64_t hour = 3600 * second;
constexpr int most_steps = 20'000;

constexpr std::array<const char*, 5> id_texts{"main", "second", "group-a", "group-b", "unknown"};

std::uint64_t scrambled(std::uint64_t x) {  // splitmix64: neighbouring seeds, distant worlds
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

int number_in(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::int64_t whole_seconds(Nanoseconds time) {
  return std::chrono::ceil<std::chrono::seconds>(time).count() * second;
}

}  // namespace

World::World(std::uint64_t seed, Mutation mutation, std::string* trace)
    : rng_(scrambled(seed)), machine_(mutation), trace_(trace) {
  timers_.fill(never);
  traits_.task_id = "main";
  in_sidecar_ = one_in(2);
  traits_.drain_answer = Nanoseconds(one_in(2) ? 0 : some_time());
  traits_.draining_duration = Nanoseconds(one_in(8) ? 0 : some_time());
  if (one_in(4)) traits_.max_completion_time = Nanoseconds(some_time());
  killing_state_ = one_in(2);
  machine_.set_task_killing_state(killing_state_);
  docker_is_local_ = one_in(2);
  ignores_term_ = one_in(4);
  reaction_ = some_time();
  checkpoint_ = !one_in(4);
  mute_ = one_in(40);
  mischiefs_left_ = static_cast<int>(any(one_in(4) ? 24 : 8));
  constexpr std::array codes{0, 0, 1, 137, 139, 143};
  if (!one_in(10)) end_.exit_code = codes[any(codes.size())];
  end_.oom_killed = one_in(10);
  const Time launch = one_in(2) ? 0 : up_to(second);
  later(launch, What::launch_arrives);
  later(one_in(10) ? 0 : launch + some_time(), What::mischief);
}

const char* World::run() {
  while (broken_ == nullptr && exit_code_ < 0) {
    if (!advance()) broken("nothing is outstanding, and it is not done");
    if (t_ > deadline_) broken("not done in time");
    if (++steps_ > most_steps) broken("not done in so many steps");
  }
  return broken_;
}

void World::say(const std::string& text) {
  if (trace_ != nullptr) *trace_ += text + "\n";
}

// ---- time --------------------------------------------------------------------------------------

World::Time World::some_time() {
  constexpr std::array<Time, 8> scales{0,          millisecond, 100 * millisecond, second,
                                       3 * second, 10 * second, 30 * second,       100 * second};
  return up_to(scales[any(scales.size())]);
}

Now World::now() const {
  return {SteadyTime(1h + Nanoseconds(t_)),
          WallTime(Nanoseconds(1'700'000'000s) + Nanoseconds(t_))};
}

void World::later(Time after, What what, int a, int b) {
  if (items_ == agenda_.size()) return broken("the world's agenda is full (a fault of the test)");
  agenda_[items_++] = {t_ + after, what, a, b};
}

void World::forget(What what) {
  for (std::size_t i = 0; i < items_;) {
    if (agenda_[i].what == what) {
      agenda_[i] = agenda_[--items_];
    } else {
      ++i;
    }
  }
}

bool World::expects(What what) const {
  return std::any_of(agenda_.begin(), agenda_.begin() + static_cast<std::ptrdiff_t>(items_),
                     [what](const Item& item) { return item.what == what; });
}

/// The next thing that is due happens; of two at the same time either may be first.
bool World::advance() {
  Time at = never;
  std::size_t which = 0;
  const auto offer = [&](Time time, std::size_t index) {
    if (time < at || (time == at && time != never && one_in(2))) {
      at = time;
      which = index;
    }
  };
  for (std::size_t i = 0; i < items_; ++i) offer(agenda_[i].at, i);
  for (std::size_t i = 0; i < timers_.size(); ++i) offer(timers_[i], agenda_.size() + i);
  constexpr std::size_t stream = 1000;
  if (connected_) {
    if (const auto due = stream_.next_due()) {
      offer(std::max<Time>(t_, (*due - SteadyTime(1h)).count()), stream);
    }
  }
  if (at == never) return false;
  t_ = std::max(t_, at);
  if (which == stream) {
    pump();
  } else if (which >= agenda_.size()) {
    const std::size_t timer = which - agenda_.size();
    timers_[timer] = never;
    deliver(event::TimerFired{static_cast<Timer>(timer)});
  } else {
    const Item item = agenda_[which];
    agenda_[which] = agenda_[--items_];
    happen(item);
  }
  return true;
}

// ---- what happens ------------------------------------------------------------------------------

void World::happen(const Item& item) {
  switch (item.what) {
    case What::launch_arrives:
      return launch_arrives();
    case What::launch_goes_on:
      return launch_goes_on();
    case What::container_ends:
      return end_container();
    case What::exit_is_seen:
      return see_exit();
    case What::docker_kills:
      if (running_ && docker_ != Docker::down) later(stuck_until_, What::container_ends);
      return;
    case What::stop_answers:
      return answer_stop(item.a == 1);
    case What::kill_answers:
      return answer_kill(item.a);
    case What::check_answers:
      if (docker_ == Docker::down || docker_ == Docker::hanging) return;
      if (!running_) return see_exit();
      last_good_answer_ = t_;
      return deliver(event::ContainerSeenRunning{});
    case What::docker_heals:
      docker_ = Docker::well;
      well_since_ = t_;
      if (ended_ && !exit_posted_) later(soon(), What::exit_is_seen);
      if (running_ && launch_done_) later(soon(), What::check_answers);
      return;
    case What::sidecar_answers:
      return deliver(event::DrainAnswered{one_in(2)});
    case What::closing_ends:
      return deliver(event::ClosingDone{});
    case What::revoked:
      return deliver(event::Revoked{});
    case What::update_answered: {
      if (item.b != connection_) return;
      const bool accepted = !one_in(8);
      stream_.answered(std::to_string(item.a), accepted, now().steady,
                       now().steady + Nanoseconds(100ms));
      // A refusal may be a 202 that was lost.
      const bool arrived = accepted || one_in(2);
      if (arrived && !mute_ && !one_in(8)) {
        later(one_in(4) ? some_time() : soon(), What::acknowledged, item.a, connection_);
      }
      if (one_in(16)) later(soon(), What::acknowledged, item.a, connection_);
      return pump();
    }
    case What::acknowledged:
      if (item.b == connection_) acknowledge(item.a);
      return;
    case What::agent_goes:
      return agent_goes();
    case What::agent_returns:
      return agent_returns();
    case What::agent_is_lost:
      if (connected_ || lost_) return;
      lost_ = true;
      return deliver(event::AgentLost{Nanoseconds(10s), "agent lost"});
    case What::mischief:
      return make_mischief();
    case What::settle:
      return settle();
  }
}

void World::deliver(Event event) {
  if (exit_code_ >= 0) return;
  if (trace_ != nullptr) {
    say(std::to_string(static_cast<double>(t_) / 1e9) + " in " +
        std::string(task::name_of(machine_.state())) + ": event " + std::to_string(event.index()));
  }
  note_event(event);
  const Actions actions = machine_.step(event, now());
  perform(actions);
  seen_.states[machine_.state().index()] = true;
  if (exit_code_ < 0) check_waits();
  pump();
}

// ---- launch ------------------------------------------------------------------------------------

void World::launch_arrives() {
  launched_[0] = true;
  if (one_in(50)) {
    refused_ = true;
    if (one_in(2)) refused_as_ = TaskState::failed;
    return deliver(event::LaunchRefused{"main", refused_as_, mesos::Reason::task_invalid, "bad"});
  }
  deliver(event::Launched{traits_});
}

void World::launch_goes_on() {
  const bool trouble = docker_ == Docker::down || docker_ == Docker::hanging;
  const Time long_or_short = one_in(3) ? some_time() : soon();
  switch (pull_) {
    case Pull::none:
      return;
    case Pull::pulling:
      if (launch_cancelled_ || one_in(10) || (trouble && !one_in(3))) return fail_launch(false);
      pull_ = Pull::creating;
      return later(long_or_short, What::launch_goes_on);
    case Pull::creating:
      if (one_in(12) || (trouble && !one_in(3))) return fail_launch(false);
      created_ = true;
      deliver(event::ContainerCreated{"0123456789ab"});
      if (launch_cancelled_) return fail_launch(true);
      pull_ = Pull::starting;
      return later(long_or_short, What::launch_goes_on);
    case Pull::starting:
      if (one_in(12)) return fail_launch(true);
      running_ = true;
      if (one_in(16)) stuck_until_ = some_time();
      if (one_in(2)) later(one_in(2) ? up_to(millisecond) : some_time(), What::container_ends);
      // It runs, but Docker's answer was lost: force is used to get rid of it.
      if (trouble && one_in(2)) return fail_launch(true);
      pull_ = Pull::looking;
      return later(long_or_short, What::launch_goes_on);
    case Pull::looking:
      if (launch_cancelled_ && one_in(4)) return fail_launch(true);
      pull_ = Pull::none;
      if (ended_ && !exit_posted_) later(soon(), What::exit_is_seen);
      last_good_answer_ = t_;
      return deliver(event::LaunchDone{64 * 1024 * 1024, "it runs", in_sidecar_});
    case Pull::cleaning:
      pull_ = Pull::none;
      launch_left_behind_ = trouble;
      if (!trouble) running_ = false;
      exit_posted_ = true;  // nobody watches it any more
      return deliver(event::LaunchFailed{"cleaned up", trouble ? "0123456789ab" : ""});
  }
}

void World::fail_launch(bool clean_up) {
  if (clean_up) {
    pull_ = Pull::cleaning;
    exit_posted_ = true;
    return later(one_in(2) ? soon() : up_to(6 * second), What::launch_goes_on);
  }
  pull_ = Pull::none;
  deliver(event::LaunchFailed{"no", ""});
}

// ---- mischief ----------------------------------------------------------------------------------

void World::make_mischief() {
  if (mischiefs_left_-- <= 0) return later(some_time(), What::settle);
  later(some_time(), What::mischief);
  const std::size_t state = machine_.state().index();
  switch (any(20)) {
    default:
      return ask_something();
    case 8:
    case 9:
    case 10:
    case 11:
      return docker_trouble();
    case 12:
    case 13:
      return agent_goes();
    case 14:
      if (running_ && !one_in(4)) later(soon(), What::container_ends);
      return;
    case 15:
      if (running_ && launch_done_ && docker_ == Docker::well) later(soon(), What::check_answers);
      return;
    case 16:
      if (!health_watched_) return;
      if (one_in(4)) return deliver(event::CheckChanged{"check"});
      return deliver(event::HealthChanged{
          one_in(2), "health", one_in(2) ? HealthSource::sidecar : HealthSource::health_check});
    case 17:
      if (state == 0) return;
      if (one_in(2)) return deliver(event::Launched{traits_});
      launched_[1] = true;
      if (one_in(2)) {
        return deliver(
            event::LaunchRefused{"second", TaskState::error, mesos::Reason::task_invalid, "bad"});
      }
      {
        TaskTraits other;
        other.task_id = "second";
        return deliver(event::Launched{other});
      }
    case 18: {
      if (state == 0) return;  // an executor that is started for a group has no other task
      launched_[2] = launched_[3] = true;
      event::GroupLaunched group{{"group-a", "group-b"}};
      if (state != 0 && one_in(4)) group.task_ids.emplace_back("main");
      return deliver(group);
    }
    case 19:
      if (one_in(4)) {
        connected_ = false;
        ++connection_;
        stream_.disconnected();
        deliver(event::AgentConnection{false});
        lost_ = true;
        deliver(event::AgentLost{Nanoseconds(some_time()), "agent lost"});
      }
      return;
  }
}

void World::docker_trouble() {
  constexpr std::array kinds{Docker::down, Docker::hanging, Docker::refusing};
  if (docker_ == Docker::well) trouble_since_ = t_;
  docker_ = kinds[any(kinds.size())];
  forget(What::docker_heals);
  later(one_in(3) ? up_to(200 * second) : some_time(), What::docker_heals);
}

void World::ask_something() {
  constexpr std::array<Time, 7> graces{0,           second,      3 * second, 10 * second,
                                       10 * second, 30 * second, hour};
  const std::size_t state = machine_.state().index();
  StopRequest request;
  request.grace = Nanoseconds(graces[any(graces.size())]);
  request.text = "asked";
  const std::uint64_t kind = state == 0 ? any(state == 0 && one_in(8) ? 5 : 3) : any(10);
  switch (kind) {
    case 0:
      return ask(std::move(request), Id::unknown);
    case 3:
      request.cause = StopCause::shutdown;
      request.budget = one_in(2) ? Nanoseconds(5s) : Nanoseconds(some_time());
      return ask(std::move(request), std::nullopt);
    case 4:
      request.cause = StopCause::signal;
      request.exit_code = one_in(3) ? 0 : 143;
      if (std::exchange(signalled_, true)) request.grace = Nanoseconds(0);
      return ask(std::move(request), std::nullopt);
    case 5:
      request.cause = StopCause::destroy;
      request.grace = Nanoseconds(0);
      return ask(std::move(request), Id::main);
    case 6:
    case 7:
      if (launch_done_) {
        request.cause = kind == 6 ? StopCause::unhealthy : StopCause::lease;
        return ask(std::move(request), std::nullopt);
      }
      [[fallthrough]];
    default:
      request.drain = !one_in(3);
      return ask(std::move(request), Id::main);
  }
}

void World::ask(StopRequest request, std::optional<Id> id) {
  std::optional<std::string> task_id;
  if (id) task_id = id_texts[static_cast<std::size_t>(*id)];
  deliver(event::StopAsked{std::move(request), std::move(task_id)});
}

/// No more mischief: from here on it has to come to its end. Docker may stay away for ever.
void World::settle() {
  const std::size_t state = machine_.state().index();
  if (deadline_ == never) {
    const bool for_ever = one_in(6) && (docker_ == Docker::down || docker_ == Docker::hanging);
    forget(What::docker_heals);
    if (!for_ever && docker_ != Docker::well) later(soon(), What::docker_heals);
    deadline_ = t_ + 1200 * second;
  }
  if (state <= 2) later(20 * second, What::settle);
  if (state == 0 || state == 2) {
    StopRequest request;
    request.cause = StopCause::shutdown;
    request.grace = Nanoseconds(10s);
    request.budget = Nanoseconds(5s);
    request.text = "asked";
    ask(std::move(request), std::nullopt);
  }
  // Somebody asked for much patience.
  if (shortest_grace_ != never)
    deadline_ = std::max(deadline_, t_ + 900 * second + shortest_grace_);
}

// ---- container ---------------------------------------------------------------------------------

void World::end_container() {
  if (!running_) return;
  running_ = false;
  ended_ = true;
  end_.finished_at.reset();
  if (docker_is_local_) end_.finished_at = now().wall;
  for (std::size_t i = 0; i < items_; ++i) {
    Item& item = agenda_[i];
    if (item.what == What::stop_answers && item.a == 0) item.at = t_ + soon();
  }
  if (!exit_posted_) later(soon(), What::exit_is_seen);
}

void World::see_exit() {
  if (exit_posted_ || !ended_) return;
  if (docker_ == Docker::down || docker_ == Docker::hanging) return;  // it is seen later
  if (!launch_done_ && one_in(2)) return;                             // seen when launched
  exit_posted_ = true;
  deliver(event::ContainerEnded{end_});
}

/// One that says so again and again, and does not tell of the end, is no better than one that is
/// away.
void World::docker_took_it() {
  if (!std::exchange(taken_, true)) last_good_answer_ = t_;
}

void World::answer_stop(bool unanswered) {
  if (docker_ != Docker::well || running_) unanswered = unanswered || !one_in(20);
  using enum event::DockerAnswer;
  if (unanswered) return deliver(event::StopAnswered{event::DockerAnswer::failed});
  docker_took_it();
  deliver(event::StopAnswered{one_in(4) ? not_running : done});
}

void World::answer_kill(int answer) {
  const auto kind = static_cast<event::DockerAnswer>(answer);
  if (kind != event::DockerAnswer::failed) docker_took_it();
  deliver(event::KillAnswered{kind});
}

// ---- agent -------------------------------------------------------------------------------------

void World::agent_goes() {
  if (!connected_ || lost_) return;
  connected_ = false;
  ++connection_;
  stream_.disconnected();
  deliver(event::AgentConnection{false});
  if (!checkpoint_) {
    lost_ = true;
    return deliver(event::AgentLost{Nanoseconds(10s), "agent lost"});
  }
  if (one_in(3)) {
    later(up_to(60 * second), What::agent_is_lost);
  } else {
    later(some_time(), What::agent_returns);
  }
}

void World::agent_returns() {
  if (lost_) return;
  connected_ = true;
  for (const auto& status : stream_.unacknowledged_statuses()) {
    if (!one_in(3)) later(soon(), What::acknowledged, number_in(status), connection_);
  }
  stream_.resubscribed(now().steady);
  deliver(event::AgentConnection{true});
}

void World::pump() {
  if (!connected_) return;
  if (const auto update = stream_.next(now().steady)) {
    later(one_in(8) ? some_time() : soon(), What::update_answered, number_in(update->uuid),
          connection_);
  }
}

void World::acknowledge(int uuid) {
  const auto id = id_of_update_[static_cast<std::size_t>(uuid) % id_of_update_.size()];
  const auto known =
      stream_.acknowledged(id_texts[static_cast<std::size_t>(id)], std::to_string(uuid));
  if (known && stream_.all_acknowledged()) return deliver(event::AllAcknowledged{});
  pump();
}

// ---- actions -----------------------------------------------------------------------------------

void World::perform(const Actions& actions) {
  for (const auto& action : actions) {
    if (trace_ != nullptr && action.index() != 12) {
      say("    action " + std::to_string(action.index()));
    }
    std::visit([this](const auto& a) { on(a); }, action);
  }
}

void World::on(const action::BeginLaunch&) {
  pull_ = Pull::pulling;
  later(one_in(2) ? some_time() : soon(), What::launch_goes_on);
}

void World::on(const action::CancelLaunch&) {
  launch_cancelled_ = true;
  if (pull_ != Pull::pulling) return;
  forget(What::launch_goes_on);
  later(soon(), What::launch_goes_on);
}

void World::on(const action::WatchHealth&) { health_watched_ = true; }
void World::on(const action::StopWatchingHealth&) { health_watched_ = false; }

void World::on(const action::CheckContainer&) { later(soon(), What::check_answers); }

void World::on(const action::BeginClosing& a) {
  closing_since_ = t_;
  if (!end_known_) check_given_up();
  hold(a.limit.count() >= 0 && a.limit.count() <= 5 * second, "closing may take longer than 5 s");
  hold(a.limit.count() <= budget_room(500 * millisecond), "closing overdraws SHUTDOWN's budget");
  hold(a.copy_logs == (verdict() != TaskState::finished), "the logs that matter are not copied");
  if (one_in(8)) return;  // it hangs
  later(one_in(2) ? soon() : up_to(6 * second), What::closing_ends);
}

void World::on(const action::Revoke&) {
  later(one_in(2) ? soon() : up_to(10 * second), What::revoked);
}

void World::on(const action::SetTimer& a) {
  hold(a.after.count() >= 0, "a timer in the past");
  timers_[static_cast<std::size_t>(a.timer)] = t_ + a.after.count();
}

void World::on(const action::CancelTimer& a) { timers_[static_cast<std::size_t>(a.timer)] = never; }

void World::on(const action::Ignore&) {}

void World::on(const action::Drain&) {
  seen_.drained = true;
  hold(in_sidecar_ && all_drain_, "drained though somebody asked without");
  for (auto answers = any(3); answers > 0; --answers) later(some_time(), What::sidecar_answers);
}

void World::on(const action::StopContainer& a) {
  const Time grace = a.grace.count();
  first_call_ = std::min(first_call_, t_);
  hold(launch_done_, "docker stop without a container");
  hold(grace > 0, "docker stop without a grace period");
  hold(grace <= shortest_grace_, "docker stop with more grace than was asked for");
  hold(grace <= budget_room(2 * second), "docker stop overdraws SHUTDOWN's budget");
  hold(!expects(What::stop_answers), "docker stop again while the first is not answered");
  if (!stop_sent_) {
    hold(seen_.drained || !may_drain_ || !all_drain_, "docker stop without draining");
    hold(grace == std::min(shortest_grace_, budget_room(2 * second)),
         "docker stop with less grace than was asked for");
    stop_sent_ = true;
    kill_not_before_ = t_ + grace;
    kill_due_ = kill_not_before_ + 500 * millisecond;
  }
  const Time given = whole_seconds(a.grace);
  bool delivered = docker_ == Docker::well;
  if (docker_ == Docker::hanging) {
    later(given + 10 * second, What::stop_answers, 1);
    delivered = one_in(2);
  } else if (docker_ != Docker::well) {
    later(soon(), What::stop_answers, 1);
  } else if (running_ && one_in(30)) {
    later(soon(), What::stop_answers, 2);  // dockerd says so, but it runs for a while
  } else if (running_ && one_in(20)) {
    later(some_time(), What::stop_answers, 1);  // the connection breaks, dockerd goes on
  } else {
    later(running_ ? given + up_to(second) : soon(), What::stop_answers);
  }
  if (!delivered || !running_) return;
  if (!ignores_term_) later(reaction_, What::container_ends);
  later(given, What::docker_kills);
}

void World::on(const action::KillContainer&) {
  first_call_ = std::min(first_call_, t_);
  hold(launch_done_, "docker kill without a container");
  if (!stop_sent_) {
    hold(shortest_grace_ <= 0 || budget_room(2 * second) <= 0, "killed without a grace period");
  }
  hold(t_ >= kill_not_before_ || !stop_sent_, "killed before the grace period was over");
  using enum event::DockerAnswer;
  const auto answer = [](event::DockerAnswer kind) { return static_cast<int>(kind); };
  if (docker_ == Docker::hanging) {
    later(10 * second, What::kill_answers, answer(failed));
    if (one_in(4)) later(0, What::docker_kills);
  } else if (docker_ != Docker::well) {
    later(soon(), What::kill_answers, answer(failed));
  } else {
    later(soon(), What::kill_answers, answer(running_ ? done : not_running));
    if (running_) later(stuck_until_ + soon(), What::container_ends);
  }
}

void World::on(const action::Report& a) {
  std::size_t id = 0;
  while (id < ids && a.task_id != id_texts[id]) ++id;
  if (id == ids) return broken("an update of a task that nobody launched");
  if (trace_ != nullptr) say("    " + a.task_id + " " + std::string(mesos::to_string(a.state)));
  hold(!a.message.empty(), "an update without a message");
  hold(launched_[id], "an update of a task that was not launched");
  const int number = updates_++;
  id_of_update_[static_cast<std::size_t>(number) % id_of_update_.size()] = static_cast<Id>(id);
  const std::string uuid = std::to_string(number);
  const bool taken = stream_.add(a.task_id, a.state, uuid, uuid);
  if (taken && mesos::is_terminal(a.state)) ++terminals_[id];
  if (id != 0) return;
  hold(taken, "an update after the terminal one");
  switch (a.state) {
    case TaskState::starting:
      hold(!starting_sent_ && !running_sent_, "TASK_STARTING too late or twice");
      starting_sent_ = true;
      return;
    case TaskState::running:
      hold(launch_done_ && !stop_known_, "TASK_RUNNING without a running container");
      hold(starting_sent_, "TASK_RUNNING before TASK_STARTING");
      running_sent_ = true;
      return;
    case TaskState::killing:
      hold(killing_state_ && stop_known_ && !killing_sent_, "TASK_KILLING unasked or twice");
      killing_sent_ = true;
      return;
    default:
      return check_terminal(a);
  }
}

void World::on(const action::Exit& a) {
  exit_code_ = a.code;
  check_exit(a.code);
}

}  // namespace sidecar_executor::task::simulation
