#pragma once
// Runs one scenario: the real executor below mini-agent, with the harm that is to be done.

#include <string>
#include <vector>

#include "support/system.hpp"
#include "torture/daemon.hpp"
#include "torture/scenario.hpp"

namespace sx_torture {

/// What is left when a task is over.
struct Observed {
  Scenario scenario;  ///< with what had to be done to it besides
  std::string task_id;
  sx_test::RunResult run;
  std::string story;                 ///< what was done to it and when
  std::string written;               ///< all that the executor wrote or showed
  std::vector<std::string> secrets;  ///< what it was given, and must not be in `written`
  bool dockerd_was_away = false;     ///< for whichever task
  bool dockerd_saw_oom = false;      ///< one event of it at least
  std::vector<std::string> running;  ///< containers of it that still run
};

/// `folder` is made, and holds the sandbox afterwards; the caller removes it.
Observed run_scenario(const Scenario& scenario, Daemon& daemon, const std::string& folder);

}  // namespace sx_torture
