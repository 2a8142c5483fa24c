// A deploy becomes what a real Singularity made of it: tests/golden/singularity-deploys.json holds
// deploys beside the containers of the LAUNCH events that followed (trim.py).

#include "app/singularity_deploy.hpp"

#include <gtest/gtest.h>

#include "golden_files.hpp"

namespace sidecar_executor::golden {
namespace {

/// Ports of an offer are not known beforehand: 31000 and up stand for them.
json::value without_offered_ports(json::value container) {
  auto* docker = container.is_object() ? container.get_object().if_contains("docker") : nullptr;
  auto* mappings = docker != nullptr ? docker->get_object().if_contains("port_mappings") : nullptr;
  if (mappings == nullptr) return container;
  for (auto& mapping : mappings->get_array()) {
    for (const auto* which : {"host_port", "container_port"}) {
      auto& port = mapping.get_object()[which];
      const bool literal = port == 32390 || port == 32391 || port.to_number<int>() < 31000;
      if (!literal) port = "offered";
    }
  }
  return container;
}

TEST(SingularityDeploy, BecomesTheContainerOfTheLaunch) {
  const auto all = read(folder(".") / "singularity-deploys.json");
  EXPECT_GE(all.size(), 20U);
  for (const auto& row : all) {
    const auto converted = app::task_of_deploy(row.value().at("document").as_object());
    ASSERT_TRUE(converted) << row.key() << converted.error().message;
    const auto* container = converted->task.if_contains("container");
    const auto ours = container == nullptr ? json::value() : *container;
    EXPECT_EQ(printed(canonical(without_offered_ports(ours))),
              printed(canonical(without_offered_ports(row.value().at("container")))))
        << row.key();
  }
}

TEST(SingularityDeploy, NamesWhatIsNotUsedAndWhatIsWrong) {
  const auto converted = app::task_of_deploy(
      json::parse(R"({"deploy":{"command":"x","healthcheck":{},"containerInfo":{}}})").as_object());
  ASSERT_TRUE(converted);
  EXPECT_EQ(converted->unused,
            (std::vector<std::string>{
                "deploy.command: the container's command is the label executor.ShellCommand, or "
                "the image's",
                "deploy.healthcheck: for Singularity and the agent, not used by the executor"}));
  const auto bad =
      app::task_of_deploy(json::parse(R"({"deploy":{"resources":{"cpus":"lots"}}})").as_object());
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message,
            "deploy.resources.cpus: expected a number that is not negative, found \"lots\"");
}

}  // namespace
}  // namespace sidecar_executor::golden
