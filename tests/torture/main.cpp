// The torture: random faults around real tasks, each made of a seed (issue 9). docs/testing.md.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <iostream>

#include "support/system.hpp"
#include "torture/campaign.hpp"
#include "torture/limits.hpp"
#include "torture/task_setup.hpp"

namespace sx_torture {
namespace {

/// Scenarios with a pull take it from the registry.
void offer_image() {
  const std::string image = image_to_pull();
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"docker", "tag", "sx-test:1", image},
        {"docker", "push", "-q", image}}) {
    if (sx_test::run_command(command).code != 0)
      throw std::runtime_error("the registry did not take the image " + image);
  }
}

/// dockerd that is stopped leaves containers alone only while one runs (moby, Daemon.Shutdown); on
/// a host one always does. Without it a container that is just being started gets dockerd's
/// SIGTERM. It ends with the daemon's folder.
void start_bystander() {
  if (sx_test::run_command({"docker", "run", "-d", "--network", "none", "sx-test:1", "/bin/sh",
                            "-c", "while true; do sleep 3600; done"})
          .code != 0)
    throw std::runtime_error("the bystander could not be started");
}

bool dockerd_limits_memory() {
  return sx_test::run_command({"docker", "info", "--format", "{{.MemoryLimit}}"})
      .output.starts_with("true");
}

/// Ctrl-C: tasks that are under way end and are cleaned up after; a later one ends it at once. One
/// Ctrl-C may come twice, from the terminal and from the script that started this.
void on_interrupt(int number) {
  static std::atomic<std::time_t> first = 0;
  const std::time_t now = std::time(nullptr);
  std::time_t never = 0;
  if (first.compare_exchange_strong(never, now)) return Campaign::interrupt();
  if (now <= first + 1) return;
  ::signal(number, SIG_DFL);
  ::raise(number);
}

int torture(const Plan& plan) {
  Means means = means_of_this_machine(own_mounts());
  std::filesystem::create_directories(plan.folder);
  Daemon daemon;
  means.limit_container = dockerd_limits_memory();
  if (means.pull) offer_image();
  start_bystander();
  std::cout << "seeds from " << (plan.seeds.empty() ? plan.first : plan.seeds[0]) << ", "
            << plan.at_once << " at a time; pulls: " << (means.pull ? "yes" : "no")
            << ", memory limits: " << (means.limit_memory ? "executor " : "")
            << (means.limit_container ? "containers" : "")
            << ", full disk: " << (means.full_disk ? "yes" : "no")
            << ", clock jumps: " << (means.clock ? "yes" : "no") << std::endl;
  Campaign campaign(plan, means, daemon);
  ::signal(SIGINT, on_interrupt);
  ::signal(SIGTERM, on_interrupt);
  campaign.run();
  std::cout << campaign.table();
  // What the support library complains of outside of any test.
  const bool support = !testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed();
  if (!support) std::cout << "the harness itself had trouble, see above\n";
  if (Campaign::interrupted()) return 130;
  return campaign.well() && support ? 0 : 1;
}

int run(int argc, char** argv) {
  Plan plan;
  std::size_t tasks = 0;
  std::int64_t seconds = plan.time.count();
  plan.folder = "/tmp/sx-torture-" + std::to_string(::getpid());
  CLI::App app("Random faults around real tasks");
  app.add_option("--first", plan.first, "the first seed");
  app.add_option("--seed", plan.seeds, "exactly these seeds, with the whole story");
  app.add_option("--tasks", tasks, "at most so many tasks (0: by time only)");
  app.add_option("--seconds", seconds, "no new task after so long");
  app.add_option("--at-once", plan.at_once, "tasks at a time");
  app.add_option("--folder", plan.folder, "what violated seeds leave is kept here");
  CLI11_PARSE(app, argc, argv);
  plan.time = std::chrono::seconds(seconds);
  if (tasks > 0) plan.tasks = tasks;
  plan.whole_story = plan.seeds.size() == 1 || tasks == 1;
  const int code = torture(plan);
  std::error_code not_empty;
  std::filesystem::remove(plan.folder, not_empty);
  return code;
}

}  // namespace
}  // namespace sx_torture

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  try {
    return sx_torture::run(argc, argv);
  } catch (const std::exception& e) {
    std::cerr << "torture: " << e.what() << "\n";
    return 2;
  }
}
