#include "torture/campaign.hpp"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <utility>

#include "torture/task_run.hpp"

namespace sx_torture {
namespace {

namespace fs = std::filesystem;

std::atomic<bool> is_interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");

std::string row(const std::string& name, std::size_t count) {
  char text[128];
  std::snprintf(text, sizeof text, "  %-40s %6zu\n", name.c_str(), count);
  return text;
}

}  // namespace

void Campaign::interrupt() { is_interrupted = true; }
bool Campaign::interrupted() { return is_interrupted; }

Campaign::Campaign(Plan plan, const Means& means, Daemon& daemon)
    : plan_(std::move(plan)),
      means_(means),
      daemon_(daemon),
      end_(std::chrono::steady_clock::now() + plan_.time) {}

std::optional<std::uint64_t> Campaign::next_seed() {
  const std::lock_guard lock(mutex_);
  if (interrupted()) return std::nullopt;
  if (!plan_.seeds.empty()) {
    if (begun_ == plan_.seeds.size()) return std::nullopt;
    return plan_.seeds[begun_++];
  }
  if (plan_.tasks && begun_ == *plan_.tasks) return std::nullopt;
  if (std::chrono::steady_clock::now() > end_) return std::nullopt;
  return plan_.first + begun_++;
}

void Campaign::work() {
  while (const auto seed = next_seed()) one(*seed);
}

void Campaign::run() {
  std::vector<std::thread> workers;
  workers.reserve(static_cast<std::size_t>(plan_.at_once));
  for (int i = 0; i < plan_.at_once; ++i) workers.emplace_back([this] { work(); });
  for (auto& worker : workers) worker.join();
}

void Campaign::one(std::uint64_t seed) {
  const std::string folder = plan_.folder + "/" + std::to_string(seed);
  const Observed observed = run_scenario(make_scenario(seed, means_), daemon_, folder);
  const auto violations = violations_of(observed);
  tell(observed, violations, folder);
  if (violations.empty()) fs::remove_all(folder);
  const std::lock_guard lock(mutex_);
  ++done_;
  ++ends_[end_of(observed)];
  for (const auto& name : harms_of(observed.scenario)) ++harms_[name];
  if (!violations.empty()) violated_[seed] = violations.front();
}

void Campaign::tell(const Observed& observed, const std::vector<std::string>& violations,
                    const std::string& folder) {
  std::ostringstream text;
  const double seconds =
      observed.run.events.empty() ? 0 : observed.run.events.back().at("t").to_number<double>();
  char head[160];
  std::snprintf(head, sizeof head, "%-8s seed %llu: %s after %.1f s (%zu harms)\n",
                violations.empty() ? "well" : "VIOLATED",
                static_cast<unsigned long long>(observed.scenario.seed), end_of(observed).c_str(),
                seconds, harms_of(observed.scenario).size());
  text << head;
  for (const auto& violation : violations) text << "  VIOLATION: " << violation << "\n";
  std::ostringstream story;
  story << describe(observed.scenario) << "--- what happened\n" << observed.story;
  if (!violations.empty()) {
    story << "--- to run it again: make torture SEED=" << observed.scenario.seed
          << " TORTURE_TASKS=1\n--- kept: " << folder << "\n";
    std::ofstream(folder + "/story") << text.str() << story.str() << "--- transcript\n"
                                     << observed.run.transcript();
  }
  if (plan_.whole_story || !violations.empty()) text << story.str();
  if (plan_.whole_story) text << "--- transcript\n" << observed.run.transcript();
  const std::lock_guard lock(mutex_);
  std::cout << text.str() << std::flush;
}

std::string Campaign::table() const {
  const std::lock_guard lock(mutex_);
  std::string out = std::to_string(done_) + " tasks, " + std::to_string(violated_.size()) +
                    " of them violated\nwhat was done to them:\n";
  for (const auto& [name, count] : harms_) out += row(name, count);
  out += "how they ended:\n";
  for (const auto& [name, count] : ends_) out += row(name, count);
  for (const auto& [seed, what] : violated_)
    out += "VIOLATED seed " + std::to_string(seed) + ": " + what + "\n";
  return out;
}

}  // namespace sx_torture
