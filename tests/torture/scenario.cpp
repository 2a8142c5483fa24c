#include "torture/scenario.hpp"

#include <algorithm>
#include <string_view>

#include "torture/dice.hpp"

namespace sx_torture {

bool stops(const Fault& fault) {
  return fault.harm == Harm::terminate || fault.harm == Harm::interrupt || fault.harm == Harm::user;
}

bool sets_clock(const Fault& fault) {
  return fault.harm == Harm::clock_forward || fault.harm == Harm::clock_back;
}

bool runs_for_ever(const Scenario& s) { return s.work == Work::until_told || s.work == Work::deaf; }

bool any(const Scenario& s, bool (*is)(const Fault&)) {
  return std::any_of(s.faults.begin(), s.faults.end(), is);
}

namespace {

std::string seconds(int ms) {
  std::string text = std::to_string(ms / 1000) + ".";
  const std::string rest = std::to_string(ms % 1000);
  return text + std::string(3 - rest.size(), '0') + rest;
}

void choose_work(Scenario& s, Dice& dice, const Means& means) {
  static constexpr Work works[] = {Work::exits,       Work::exits,        Work::exits,
                                   Work::exits,       Work::until_told,   Work::until_told,
                                   Work::until_told,  Work::deaf,         Work::floods,
                                   Work::bad_command, Work::out_of_memory};
  static constexpr int codes[] = {0, 0, 0, 1, 3, 126, 137, 139, 143, 255};
  static constexpr int codes_without_memory[] = {137, 137, 3, 0};
  s.pressure = means.limit_memory && dice.percent(4);
  s.work = s.pressure ? Work::floods : dice.one_of(works);
  if (s.work == Work::out_of_memory && !means.limit_container) s.work = Work::exits;
  if (s.work == Work::exits) s.exit_code = dice.one_of(codes);
  if (s.work == Work::out_of_memory) s.exit_code = dice.one_of(codes_without_memory);
  s.life = Ms(dice.percent(20) ? 0 : dice.between(50, 4000));
  s.lines = s.work == Work::floods ? dice.between(1000, 60000) : dice.between(0, 20);
  if (s.pressure) s.bursts = dice.between(10, 25);
  s.kill_timeout = dice.between(1, 3);
  s.debug = dice.percent(50);
  s.pull = dice.percent(25) && means.pull;
  s.remove_container = dice.percent(20);
  s.logs_to_stdout = dice.percent(20);
  s.direct = dice.percent(15);
}

void choose_sidecar(Scenario& s, Dice& dice) {
  if (!s.pressure && !dice.percent(35)) return;
  static const Switches big{"sidecar big", {"--sidecar-pad", "20"}};
  static const Switches faults[] = {
      {"", {}},
      {"sidecar hangs", {"--sidecar-hang"}},
      {"sidecar answers 500", {"--sidecar-fail"}},
      {"sidecar cut off", {"--sidecar-truncate"}},
      {"sidecar drips", {"--sidecar-drip"}},
      {"sidecar: a proxy's page", {"--sidecar-html"}},
      {"sidecar gone", {"--sidecar-down-after", "0.5"}},
      big,
      {"sidecar refuses to drain", {"--sidecar-drain-status", "500"}}};
  s.sidecar = SidecarSays::healthy;
  s.switches.push_back({"", {"--sidecar"}});
  if (runs_for_ever(s) && dice.percent(35)) {
    s.sidecar = SidecarSays::unhealthy;
    s.switches.push_back({"sidecar: unhealthy", {"--sidecar-unhealthy-after", "0.5"}});
    return;
  }
  s.switches.push_back(s.pressure ? big : dice.one_of(faults));
}

void choose_vault(Scenario& s, Dice& dice) {
  if (!dice.percent(35)) return;
  s.vault = VaultGives::secrets;
  // The executor's client tries three times, for 8 s in all.
  static const Switches passing[] = {
      {"", {}},
      {"vault 503 once", {"--vault-fault", "503,times=1"}},
      {"vault 429 once", {"--vault-fault", "429,times=1,retry-after=1"}},
      {"vault standby", {"--vault-standby"}},
      {"vault hangs at the end", {"--vault-fault", "hang,path=auth/token/revoke-self"}}};
  static const Switches final[] = {
      {"vault denies", {"--vault-fault", "403,path=secret/"}},
      {"vault sealed", {"--vault-fault", "sealed"}},
      {"vault: a proxy's page", {"--vault-fault", "html,path=secret/"}},
      {"vault cut off", {"--vault-fault", "truncate,path=secret/"}},
      {"vault hangs", {"--vault-fault", "hang"}},
      {"vault drips", {"--vault-fault", "drip"}},
      {"vault gone", {"--vault-down-from", "0"}}};
  if (dice.percent(70)) {
    s.switches.push_back(dice.one_of(passing));
  } else {
    s.vault = VaultGives::no_secrets;
    s.switches.push_back(dice.one_of(final));
  }
}

void choose_syslog(Scenario& s, Dice& dice) {
  if (!s.pressure && !dice.percent(40)) return;
  static constexpr Syslog kinds[] = {Syslog::udp_nobody, Syslog::tcp,        Syslog::tcp,
                                     Syslog::tcp,        Syslog::tcp_nobody, Syslog::unix_nobody};
  static constexpr Harm harms[] = {Harm::syslog_cut, Harm::syslog_hang, Harm::syslog_slow,
                                   Harm::syslog_refuse, Harm::syslog_garbage};
  s.syslog = s.pressure ? Syslog::tcp : dice.one_of(kinds);
  if (s.syslog == Syslog::tcp) {
    s.faults.push_back({dice.one_of(harms), dice.percent(50) ? Moment::running : Moment::starting,
                        Ms(dice.between(0, 1500)), Ms(dice.between(500, 8000))});
  }
}

void choose_limit(Scenario& s, Dice& dice, const Means& means) {
  static constexpr Limit limits[] = {Limit::memory_16_mb, Limit::files_30, Limit::full_disk};
  if (!s.pressure && !dice.percent(35)) return;
  s.limit = s.pressure ? Limit::memory_16_mb : dice.one_of(limits);
  if (s.limit == Limit::memory_16_mb && !means.limit_memory) s.limit = Limit::files_30;
  if (s.limit == Limit::full_disk && !means.full_disk) s.limit = Limit::files_30;
}

Moment any_moment(Dice& dice) {
  return static_cast<Moment>(dice.below(static_cast<std::size_t>(Moment::ended)));
}

void choose_docker(Scenario& s, Dice& dice) {
  static constexpr Harm harms[] = {Harm::docker_cut,  Harm::docker_cut,    Harm::docker_hang,
                                   Harm::docker_slow, Harm::docker_refuse, Harm::docker_garbage,
                                   Harm::docker_500};
  static constexpr Harm daemon[] = {Harm::daemon_killed, Harm::daemon_stopped, Harm::daemon_frozen};
  const int count = s.direct || !dice.percent(55) ? 0 : dice.between(1, 3);
  for (int i = 0; i < count; ++i) {
    const Ms after(dice.percent(60) ? 0 : dice.between(1, 2000));
    s.faults.push_back({dice.one_of(harms), any_moment(dice), after, Ms(dice.between(200, 6000))});
  }
  if (dice.percent(7)) {
    s.faults.push_back({dice.one_of(daemon), any_moment(dice), Ms(dice.between(0, 1000)),
                        Ms(dice.between(0, 6000))});
  }
}

/// Every task that runs for ever gets one.
void choose_stop(Scenario& s, Dice& dice) {
  const bool must = runs_for_ever(s) && s.sidecar != SidecarSays::unhealthy;
  if (!must && !dice.percent(25)) return;
  const std::string when = seconds(dice.between(0, 3000));
  const auto add = [&s](std::string name, std::vector<std::string> arguments) {
    s.killed = true;
    s.switches.push_back({std::move(name), std::move(arguments)});
  };
  const auto signal = [&](Harm harm) {
    s.faults.push_back({harm, any_moment(dice), Ms(dice.between(0, 1500)), Ms(0)});
    // At a moment that may never come.
    if (must) s.faults.push_back({Harm::terminate, Moment::running, Ms(6000), Ms(0)});
  };
  switch (dice.below(must ? 11 : 10)) {
    case 0:
      return add("KILL when it runs", {"--kill-after", when});
    case 1:
      return add("KILL at any time", {"--after-launch", "--kill-after", when});
    case 2:
      return add("KILL at LAUNCH", {"--kill-at-launch"});
    case 3:
      return add("KILL before LAUNCH", {"--kill-before-launch"});
    case 4:
      return add("KILL twice", {"--kill-after", when, "--kill-grace", "4", "--second-kill-after",
                                "0.5", "--second-kill-grace", "0"});
    case 5:
      return add("SHUTDOWN when it runs", {"--shutdown-after", when});
    case 6:
      return add("SHUTDOWN at any time", {"--after-launch", "--shutdown-after", when});
    case 7:
      return signal(Harm::terminate);
    case 8:
      return signal(Harm::interrupt);
    case 9:
      return signal(Harm::user);
    default:
      s.max_completion = dice.between(1, 4);
  }
}

/// Not one that could swallow the only KILL: agents do not send it again.
void choose_agent(Scenario& s, Dice& dice) {
  if (!dice.percent(45)) return;
  static const Switches harmless[] = {{"agent drips", {"--drip"}},
                                      {"agent merges records", {"--merge-records"}},
                                      {"agent acknowledges late", {"--ack-delay", "1"}},
                                      {"agent acknowledges twice", {"--duplicate-acks"}},
                                      {"agent loses an acknowledgement", {"--drop-acks", "1"}},
                                      {"agent answers 503 at first", {"--answer-503", "1"}}};
  static const Switches breaking[] = {
      {"agent cuts a record", {"--cut-record", "3"}},
      {"agent sends garbage", {"--garbage-record"}},
      {"agent sends no length", {"--garbage-length"}},
      {"agent disconnects", {"--disconnect"}},
      {"agent disconnects at the start", {"--disconnect", "--fault-on", "TASK_STARTING"}},
      {"agent disconnects again and again", {"--disconnect-every", "0.7"}},
      {"agent refuses for a while", {"--disconnect", "--refuse", "1"}},
      {"agent silent for a while", {"--silent-for", "3"}},
      {"agent restarts", {"--restart-after", "1", "--down", "1.5"}},
      {"agent restarts, 503", {"--restart-after", "0.3", "--down", "0.5", "--answer-503", "1"}}};
  static const Switches lost[] = {
      {"agent gone for good",
       {"--restart-after", "1.5", "--down", "100", "--recovery-timeout", "2secs"}},
      {"agent restarts, no checkpoint", {"--no-checkpoint", "--restart-after", "1.5"}},
      {"agent never acknowledges", {"--drop-acks", "1000"}},
      {"SHUTDOWN is the first event", {"--kill-before-subscribe"}}};
  if (dice.percent(10)) {
    s.switches.push_back(dice.one_of(lost));
    s.agent_lost = true;
    s.never_launched = s.switches.back().arguments[0] == "--kill-before-subscribe";
  } else {
    s.switches.push_back(s.killed || dice.percent(35) ? dice.one_of(harmless)
                                                      : dice.one_of(breaking));
  }
}

bool agent_restarts(const Scenario& s) {
  return std::any_of(s.switches.begin(), s.switches.end(), [](const Switches& one) {
    return std::find(one.arguments.begin(), one.arguments.end(), "--restart-after") !=
           one.arguments.end();
  });
}

void choose_freezing(Scenario& s, Dice& dice) {
  if (dice.percent(10)) {
    s.faults.push_back({Harm::hang_up, any_moment(dice), Ms(dice.between(0, 500)), Ms(0)});
  }
  // A frozen executor cannot come back in time: the agent kills it, and is right.
  if (agent_restarts(s) || !dice.percent(15)) return;
  s.faults.push_back({Harm::executor_frozen, any_moment(dice), Ms(dice.between(0, 1000)),
                      Ms(dice.between(100, 3000))});
}

bool is_stopped(const Scenario& s) {
  return runs_for_ever(s) || s.killed || s.agent_lost || s.max_completion > 0 ||
         s.sidecar == SidecarSays::unhealthy || any(s, stops);
}

/// dockerd's clock does not jump along, as it would on a host whose clock is set. So not with a
/// container whose end is read from dockerd's events; and a stop that was asked for by a clock
/// ahead of dockerd's would come after the end that it brings.
void choose_clock(Scenario& s, Dice& dice, const Means& means) {
  if (!means.clock || s.work == Work::out_of_memory || !dice.percent(15)) return;
  s.faults.push_back({is_stopped(s) || dice.percent(50) ? Harm::clock_back : Harm::clock_forward,
                      any_moment(dice), Ms(dice.between(0, 1000)), Ms(dice.between(100, 4000))});
}

}  // namespace

Scenario make_scenario(std::uint64_t seed, const Means& means) {
  Dice dice(seed);
  Scenario s;
  s.seed = seed;
  choose_work(s, dice, means);
  choose_sidecar(s, dice);
  choose_vault(s, dice);
  choose_syslog(s, dice);
  choose_limit(s, dice, means);
  choose_docker(s, dice);
  choose_stop(s, dice);
  choose_agent(s, dice);
  choose_freezing(s, dice);
  choose_clock(s, dice, means);
  std::erase_if(s.switches, [](const Switches& one) { return one.arguments.empty(); });
  return s;
}

}  // namespace sx_torture
