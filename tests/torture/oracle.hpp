#pragma once
// Pure: which ends are right for a scenario (behaviour.md 7), and how long it may take.

#include <chrono>
#include <set>
#include <string>

#include "torture/scenario.hpp"

namespace sx_torture {

struct Allowed {
  std::set<std::string> states;  ///< of the one terminal update
  bool none = false;             ///< there may be no terminal update at all
  std::set<int> exit_codes;      ///< of the executor
  std::string reason_to_fail;    ///< of TASK_FAILED; empty: whichever
};
Allowed allowed_ends(const Scenario& scenario);

/// From the start of the executor to its end, on a busy machine.
std::chrono::seconds longest(const Scenario& scenario);

}  // namespace sx_torture
