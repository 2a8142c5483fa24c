// Random event sequences through the lifecycle and the update stream. To see one again:
//   SX_PROPERTY_SEED=<seed> SX_PROPERTY_RUNS=1

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include "lifecycle_world.hpp"

namespace sidecar_executor::task::simulation {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SX_UNDER_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SX_UNDER_ASAN
#endif

#if defined(SX_UNDER_ASAN)
constexpr std::uint64_t default_runs = 100'000;
#else
constexpr std::uint64_t default_runs = 1'000'000;
#endif

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::string retold(std::uint64_t seed) {
  std::string trace;
  World again(seed, Mutation::none, &trace);
  again.run();
  return trace;
}

TEST(LifecycleProperty, EveryRuleHoldsInRandomSequences) {
  const std::uint64_t first = from_environment("SX_PROPERTY_SEED", 1);
  const std::uint64_t runs = from_environment("SX_PROPERTY_RUNS", default_runs);
  const auto began = std::chrono::steady_clock::now();
  World::Seen seen;
  std::uint64_t steps = 0;
  int failures = 0;
  std::uint64_t done = 0;
  for (; done < runs && failures < 3; ++done) {
    const std::uint64_t seed = first + done;
    World world(seed, Mutation::none);
    if (const char* rule = world.run()) {
      ++failures;
      ADD_FAILURE() << "broken: " << rule << "\nSX_PROPERTY_SEED=" << seed
                    << " SX_PROPERTY_RUNS=1 shows it again:\n"
                    << retold(seed);
    }
    steps += static_cast<std::uint64_t>(world.steps());
    for (std::size_t s = 0; s < seen.states.size(); ++s) {
      seen.states[s] = seen.states[s] || world.seen().states[s];
    }
    seen.left_behind = seen.left_behind || world.seen().left_behind;
    seen.own_end = seen.own_end || world.seen().own_end;
    seen.drained = seen.drained || world.seen().drained;
    seen.unacknowledged = seen.unacknowledged || world.seen().unacknowledged;
  }
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::cout << done << " sequences, " << steps << " steps in " << took << " s ("
            << static_cast<std::uint64_t>(static_cast<double>(done) / took) << " a second)\n";
  if (runs < 10'000 || failures > 0) return;
  // A world in which little happens proves little.
  for (std::size_t s = 1; s < seen.states.size(); ++s) EXPECT_TRUE(seen.states[s]) << s;
  EXPECT_TRUE(seen.left_behind);
  EXPECT_TRUE(seen.own_end);
  EXPECT_TRUE(seen.drained);
  EXPECT_TRUE(seen.unacknowledged);
}

}  // namespace
}  // namespace sidecar_executor::task::simulation
