#pragma once
// What the executor, its task and the stand-ins are given for a scenario.

#include <string>
#include <utility>
#include <vector>

#include "support/system.hpp"
#include "torture/scenario.hpp"

namespace sx_torture {

sx_test::TaskBuilder task_of(const Scenario& scenario);

/// Where the harness has put itself between the executor and the rest.
struct Places {
  std::string folder;
  std::string docker_host;  ///< empty: dockerd itself
  int collector_port = 0;
};
std::vector<std::pair<std::string, std::string>> environment_of(const Scenario& scenario,
                                                                const Places& places);

/// For mini-agent's --vault.
std::string vault_content(const Scenario& scenario);
/// All that the executor learns of it and by its environment.
std::vector<std::string> secrets_of(const Scenario& scenario);

/// The image of scenarios with a pull. Empty without a registry.
std::string image_to_pull();

}  // namespace sx_torture
