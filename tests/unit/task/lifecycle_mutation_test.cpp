// Does the property test find bugs? Each mutation is a bug put into the machine.

#include <gtest/gtest.h>

#include <iomanip>
#include <iostream>

#include "lifecycle_world.hpp"

namespace sidecar_executor::task::simulation {
namespace {

/// A hundredth of what the release build runs.
constexpr std::uint64_t enough = 10'000;

class InjectedBug : public ::testing::TestWithParam<int> {};

TEST_P(InjectedBug, IsFound) {
  const auto mutation = static_cast<Mutation>(GetParam());
  for (std::uint64_t seed = 1; seed <= enough; ++seed) {
    World world(seed, mutation);
    if (const char* rule = world.run()) {
      std::cout << "found after " << seed << " sequences: " << rule << "\n";
      return;
    }
  }
  ADD_FAILURE() << name_of(mutation) << " was not found in " << enough << " sequences";
}

INSTANTIATE_TEST_SUITE_P(Lifecycle, InjectedBug,
                         ::testing::Range(1, static_cast<int>(Mutation::last)),
                         [](const auto& instance) {
                           return std::string(name_of(static_cast<Mutation>(instance.param)));
                         });

TEST(InjectedBugs, NoneInTheMachineAsItIs) {
  for (std::uint64_t seed = 1; seed <= enough; ++seed) {
    World world(seed, Mutation::none);
    const char* rule = world.run();
    ASSERT_EQ(rule, nullptr) << "seed " << seed << ": " << rule;
  }
}

}  // namespace
}  // namespace sidecar_executor::task::simulation
