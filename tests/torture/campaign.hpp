#pragma once
// Many scenarios, some at a time: until the time or the number is over.

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "torture/daemon.hpp"
#include "torture/judge.hpp"
#include "torture/scenario.hpp"

namespace sx_torture {

struct Plan {
  std::vector<std::uint64_t> seeds;  ///< exactly these; else `first`, first + 1, ...
  std::uint64_t first = 1;
  std::optional<std::size_t> tasks;
  std::chrono::seconds time{1200};
  int at_once = 4;
  bool whole_story = false;  ///< also of a task that went well
  std::string folder;        ///< what violated seeds leave is kept here
};

class Campaign {
 public:
  Campaign(Plan plan, const Means& means, Daemon& daemon);
  void run();
  /// How often each fault and each end; the violated seeds.
  [[nodiscard]] std::string table() const;
  [[nodiscard]] bool well() const { return violated_.empty(); }
  /// No task begins any more. For signal handlers.
  static void interrupt();
  [[nodiscard]] static bool interrupted();

 private:
  std::optional<std::uint64_t> next_seed();
  void work();
  void one(std::uint64_t seed);
  void tell(const Observed& observed, const std::vector<std::string>& violations,
            const std::string& folder);

  const Plan plan_;
  const Means means_;
  Daemon& daemon_;
  const std::chrono::steady_clock::time_point end_;
  mutable std::mutex mutex_;
  std::size_t begun_ = 0;
  std::size_t done_ = 0;
  std::map<std::string, std::size_t> harms_;
  std::map<std::string, std::size_t> ends_;
  std::map<std::uint64_t, std::string> violated_;
};

}  // namespace sx_torture
