// What a real Singularity sends, and the container that it becomes (README.md beside this file).

#include <gtest/gtest.h>

#include <cstdlib>

#include "base/settings.hpp"
#include "docker/container_spec.hpp"
#include "golden_files.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::golden {
namespace {

json::array texts(const std::vector<std::string>& from) {
  return json::array(from.begin(), from.end());
}

json::object outcome_of(const std::string& scenario) {
  json::object out;
  const auto task = mesos::parse_task_info(read(folder("singularity") / (scenario + ".json")));
  if (!task) {
    out["refused"] = task.error().message;
    return out;
  }
  if (const auto why = mesos::why_not_launchable(*task)) {
    out["refused"] = *why;
    return out;
  }
  const Settings settings;
  docker::SpecInputs inputs;
  inputs.settings = &settings;
  inputs.sandbox = "/sandbox";
  const auto spec = docker::make_container_spec(*task, inputs);
  if (!spec) {
    out["refused"] = spec.error().message;
    return out;
  }
  out["name"] = spec->name;
  out["create"] = canonical(spec->body);
  out["env"] = texts(spec->env);
  out["warnings"] = texts(spec->warnings);
  return out;
}

class Singularity : public testing::TestWithParam<std::string> {};

TEST_P(Singularity, BecomesTheContainerOfTheFile) {
  const auto path = folder("singularity-expected") / (GetParam() + ".json");
  const auto now = printed(outcome_of(GetParam()));
  const auto before = std::filesystem::exists(path) ? printed(read(path)) : std::string{};
  const char* update = std::getenv("SX_UPDATE_GOLDEN");
  if (now != before && update != nullptr && *update == '1') std::ofstream(path) << now;
  EXPECT_EQ(before, now) << "SX_UPDATE_GOLDEN=1 rewrites the file";
}

INSTANTIATE_TEST_SUITE_P(Recorded, Singularity, testing::ValuesIn(scenarios("singularity")),
                         test_name);

/// All Docker tasks become containers.
TEST(SingularityFiles, OnlyTheseAreRefused) {
  std::vector<std::string> refused;
  for (const auto& name : scenarios("singularity")) {
    if (outcome_of(name).contains("refused")) refused.push_back(name);
  }
  EXPECT_EQ(refused, (std::vector<std::string>{"not-docker"}));
}

}  // namespace
}  // namespace sidecar_executor::golden
