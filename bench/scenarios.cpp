#include "scenarios.hpp"

#include <time.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "clock.hpp"
#include "docker_proxy.hpp"
#include "process_memory.hpp"

namespace sx_bench {
namespace {

// Idle in one sleep: no work of the container's own. Ends on TERM.
constexpr const char* kServes = "trap \"exit 0\" TERM; sleep 1000 & wait";
// Long enough for the bare client to begin its wait.
constexpr const char* kExits = "sleep 0.7";

void remove_containers(const DockerApi& docker, const BenchTask& task) {
  for (const auto& id : docker.containers_of(task.id)) docker.remove(id);
}

double ms(double seconds) { return seconds * 1e3; }

}  // namespace

void say(const char* what, int number, int of) {
  std::fprintf(stderr, "\r\033[K%s %d/%d%s", what, number, of, number == of ? "\n" : "");
  std::fflush(stderr);
}

void measure_starts(const Plan& plan, Figures& figures) {
  Figure subscribe{"start_to_subscribe",
                   "start of the process -> SUBSCRIBE received",
                   "ms",
                   4,
                   "3.6 to 5.4",
                   4.5,
                   {}};
  Figure cpu{"start_cpu", "processor time of a start and shutdown", "ms", 4, "4.6", 4.6, {}};
  const int runs = plan.runs * 2;
  // The first event is SHUTDOWN, so that nothing but a start and an end is counted.
  const std::string at_once = "--kill-before-subscribe";
  for (int i = 0; i < runs; ++i) {
    {
      AgentRun agent(plan.programs, make_task(kServes), {plan.docker_host, {at_once}});
      subscribe.values.push_back(ms(agent.until("subscribed").at("t").to_number<double>()));
      agent.finish();
    }
    // wait4 is for the parent: here the executor is a child of the bench.
    AgentRun agent(plan.programs, make_task(kServes),
                   {plan.docker_host, {"--no-executor", at_once}});
    const auto environment = agent.until("environment");
    std::vector<std::string> variables;
    for (const auto& one : environment.at("variables").as_array()) {
      variables.emplace_back(one.as_string());
    }
    cpu.values.push_back(cpu_of_executor(plan.programs.executor, variables, agent.sandbox()));
    agent.finish();
    say("starts", i + 1, runs);
  }
  figures.push_back(std::move(subscribe));
  figures.push_back(std::move(cpu));
}

void measure_exits(const Plan& plan, const DockerApi& docker, Figures& figures) {
  Figure behind{"exit_to_update",
                "exit of the container -> UPDATE, after a bare API client",
                "ms",
                5,
                "1,000 to 59,000",
                {},
                {}};
  Figure gone{"acknowledged_to_gone",
              "terminal update acknowledged -> process gone",
              "ms",
              50,
              "4,000",
              4000,
              {}};
  for (int i = 0; i < plan.runs; ++i) {
    const BenchTask task = make_task(kExits);
    AgentRun agent(plan.programs, task, {plan.docker_host, {}});
    agent.until("update", "TASK_RUNNING");
    const auto containers = docker.containers_of(task.id);
    if (containers.size() != 1) throw std::runtime_error("not one container of " + task.id);
    const auto waited =
        docker.call("POST", "/containers/" + containers[0] + "/wait?condition=next-exit");
    if (waited.status != 200) throw std::runtime_error("wait: " + waited.body);
    const double end = agent.executor_gone();
    const auto update = agent.until("update", "TASK_FINISHED");
    const auto acknowledged = agent.until("acknowledged", "TASK_FINISHED");
    agent.finish();
    behind.values.push_back(ms(agent.when(update) - waited.at));
    gone.values.push_back(ms(end - agent.when(acknowledged)));
    remove_containers(docker, task);
    say("exits", i + 1, plan.runs);
  }
  figures.push_back(std::move(behind));
  figures.push_back(std::move(gone));
}

namespace {

using Exchanges = std::vector<DockerProxy::Exchange>;

/// Container ids and names as N, the API's version left out.
std::string request_kind(const std::string& request) {
  std::string kind = request;
  if (const auto version = kind.find(" /v1."); version != std::string::npos) {
    kind.erase(version + 1, kind.find('/', version + 2) - version - 1);
  }
  const std::string prefix = "/containers/";
  const auto at = kind.find(prefix);
  if (at != std::string::npos && !kind.ends_with("/containers/create")) {
    const auto id = at + prefix.size();
    const auto end = std::min(kind.find('/', id), kind.size());
    kind.replace(id, end - id, "N");
  }
  return kind;
}

const DockerProxy::Exchange& first(const Exchanges& all, const std::string& ending) {
  for (const auto& one : all) {
    if (one.request.ends_with(ending)) return one;
  }
  throw std::runtime_error("no request to Docker ends in " + ending);
}

/// Collects, over many launches, what happened between LAUNCH and the start request.
class LaunchSteps {
 public:
  void add(double launched, const Exchanges& all) {
    double last = launched;
    for (const auto& one : all) {
      if (one.answered == 0) continue;
      const std::string kind = request_kind(one.request);
      note("before " + kind, ms(one.asked - last));
      if (kind.ends_with("/start")) return;
      note("Docker: " + kind, ms(one.answered - one.asked));
      last = one.answered;
    }
  }
  [[nodiscard]] Breakdown medians() const {
    Breakdown result;
    for (const auto& step : steps_) result.emplace_back(step.name, step.median());
    return result;
  }

 private:
  void note(const std::string& name, double value) {
    const auto found = std::find_if(steps_.begin(), steps_.end(),
                                    [&name](const Figure& f) { return f.name == name; });
    if (found != steps_.end()) {
      found->values.push_back(value);
    } else {
      steps_.push_back({"", name, "ms", {}, "", {}, {value}});
    }
  }
  Figures steps_;
};

}  // namespace

Breakdown measure_launches_and_kills(const Plan& plan, const DockerApi& docker, Figures& figures) {
  Figure launch{"launch_to_start",
                "LAUNCH -> start request at Docker, less Docker's create",
                "ms",
                3,
                "5",
                5,
                {}};
  Figure kill{"kill_to_stop", "KILL -> stop request at Docker", "ms", 2, "1", 1, {}};
  DockerProxy proxy(docker.socket_path());
  LaunchSteps steps;
  for (int i = 0; i < plan.runs; ++i) {
    const BenchTask task = make_task(kServes);
    AgentRun agent(plan.programs, task, {proxy.host(), {"--kill-after", "0.4"}});
    const double launched = agent.when(agent.until("launched"));
    agent.until("update", "TASK_RUNNING");
    const double killed = agent.when(agent.until("kill_sent"));
    agent.finish();
    const Exchanges all = proxy.take();
    const auto& create = first(all, "/containers/create");
    launch.values.push_back(
        ms(first(all, "/start").asked - launched - (create.answered - create.asked)));
    kill.values.push_back(ms(first(all, "/stop").asked - killed));
    steps.add(launched, all);
    remove_containers(docker, task);
    say("launches and kills", i + 1, plan.runs);
  }
  figures.push_back(std::move(launch));
  figures.push_back(std::move(kill));
  return steps.medians();
}

namespace {

/// Executors with a container each, started four at a time, all running when it is made.
class Crowd {
 public:
  Crowd(const Plan& plan, const std::vector<std::string>& arguments) {
    constexpr std::size_t kAtOnce = 4;
    const auto size = static_cast<std::size_t>(plan.crowd);
    for (std::size_t done = 0; done < size; ++done) {
      while (agents_.size() < std::min(size, done + kAtOnce)) {
        agents_.push_back(std::make_unique<AgentRun>(plan.programs, make_task(kServes),
                                                     AgentRun::Start{plan.docker_host, arguments}));
      }
      agents_[done]->until("update", "TASK_RUNNING");
      say("executors", static_cast<int>(done) + 1, plan.crowd);
    }
  }
  /// Stops all at once. When an exception got here first, the bench's end removes the containers.
  void stop() {
    for (const auto& agent : agents_) agent->interrupt();
    for (const auto& agent : agents_) agent->finish();
  }
  [[nodiscard]] const std::vector<std::unique_ptr<AgentRun>>& agents() const { return agents_; }

 private:
  std::vector<std::unique_ptr<AgentRun>> agents_;
};

double sum_of(const std::vector<ProcessMemory>& all, double ProcessMemory::* field) {
  double sum = 0;
  for (const auto& one : all) sum += one.*field;
  return sum;
}

}  // namespace

void measure_idle(const Plan& plan, Figures& figures) {
  const std::string after = std::to_string(plan.idle_seconds) + " s after launch";
  Figure rss{"idle_rss", "idle " + after + ": resident memory", "MB", 6, "15.2", 15.2, {}};
  Figure anonymous{"idle_anonymous", "idle: anonymous memory", "MB", 1, "2.3", 2.3, {}};
  Figure threads{"idle_threads", "idle: threads", "", 1, "7", 7, {}};
  Figure wakeups{"idle_wakeups", "idle: wakeups a minute", "", 0, "301", 301, {}};
  const std::string many = std::to_string(plan.crowd);
  Figure pss{"crowd_pss", many + " at once: memory (PSS sum)", "MB", 60, "128", 128, {}};
  Figure growth{"crowd_growth",
                many + " at once: growth of that in a minute",
                "MB",
                {},
                "25, from 128 to 279 in 6 minutes",
                25,
                {}};
  Crowd crowd(plan, {});
  rest(plan.idle_seconds);
  std::vector<ProcessMemory> early;
  std::vector<long> switches;
  for (const auto& agent : crowd.agents()) {
    early.push_back(memory_of(agent->executor_pid()));
    switches.push_back(voluntary_switches_of(agent->executor_pid()));
    rss.values.push_back(early.back().rss_mb);
    anonymous.values.push_back(early.back().anonymous_mb);
    threads.values.push_back(early.back().threads);
  }
  rest(plan.watch_seconds);
  const double minutes = plan.watch_seconds / 60.0;
  std::vector<ProcessMemory> late;
  for (std::size_t i = 0; i < switches.size(); ++i) {
    const pid_t pid = crowd.agents()[i]->executor_pid();
    late.push_back(memory_of(pid));
    wakeups.values.push_back(static_cast<double>(voluntary_switches_of(pid) - switches[i]) /
                             minutes);
  }
  const double before = sum_of(early, &ProcessMemory::pss_mb);
  pss.values.push_back(before);
  growth.values.push_back((sum_of(late, &ProcessMemory::pss_mb) - before) / minutes);
  crowd.stop();
  for (auto* figure : {&rss, &anonymous, &threads, &wakeups, &pss, &growth}) {
    figures.push_back(std::move(*figure));
  }
}

void measure_copies(const Plan& plan, Figures& figures) {
  Figure pss{"crowd_copies_pss",
             std::to_string(plan.crowd) + " at once, each its own copy: PSS sum",
             "MB",
             300,
             "",
             {},
             {}};
  Crowd crowd(plan, {"--wrapper", "exec " + plan.programs.wrapper});
  rest(std::min(5, plan.idle_seconds));
  double sum = 0;
  for (const auto& agent : crowd.agents()) {
    const std::string copy =
        std::filesystem::canonical(agent->sandbox()).string() + "/sidecar-executor";
    sum += memory_of(child_running(agent->executor_pid(), copy)).pss_mb;
  }
  pss.values.push_back(sum);
  crowd.stop();
  figures.push_back(std::move(pss));
}

void measure_binary(const Plan& plan, Figures& figures) {
  const double size = static_cast<double>(std::filesystem::file_size(plan.programs.executor)) / 1e6;
  figures.push_back({"binary", "binary", "MB", 8, "23.6; 16.4 stripped", 16.4, {size}});
}

}  // namespace sx_bench
