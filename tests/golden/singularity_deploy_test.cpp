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

/// The deploy alone, as it stands in many a repository.
TEST(SingularityDeploy, NeedsNoRequestAroundIt) {
  const auto deploy = json::parse(R"({"requestId":"web","id":"v2","env":{"A":"${TASK_ID}"},
      "containerInfo":{"type":"DOCKER","docker":{"image":"app","portMappings":[
        {"containerPort":80,"hostPort":1},
        {"containerPort":1,"containerPortType":"FROM_OFFER","hostPort":81,
         "hostPortType":"LITERAL"}]},
      "volumes":[{"containerPath":"/x","source":{"type":"DOCKER_VOLUME",
        "dockerVolume":{"name":"v"}}}]}})")
                          .as_object();
  EXPECT_TRUE(app::is_singularity_deploy(deploy));
  EXPECT_FALSE(app::is_singularity_deploy({{"task_id", "x"}}));
  EXPECT_FALSE(app::is_singularity_deploy({{"deploy", "x"}}));
  const auto converted = app::task_of_deploy(deploy);
  ASSERT_TRUE(converted) << converted.error().message;
  const auto& task = converted->task;
  EXPECT_EQ(task.at("name"), "web");
  EXPECT_EQ(task.at("task_id").at("value"), "web-v2-1");
  const auto& variables = task.at("executor").at("command").at("environment").at("variables");
  EXPECT_EQ(variables.at(0).at("value"), "web-v2-1");
  EXPECT_EQ(task.at("container").at("volumes").at(0),
            json::parse(R"({"container_path":"/x","mode":"RO","source":{"type":"DOCKER_VOLUME",
                            "docker_volume":{"name":"v","driver_options":{"parameter":[]}}}})"));
  EXPECT_EQ(task.at("container").at("docker").at("port_mappings"),
            json::parse(R"([{"container_port":80,"host_port":31001,"protocol":"tcp"},
                            {"container_port":31001,"host_port":81,"protocol":"tcp"}])"));
}

TEST(SingularityDeploy, AMapIsAMap) {
  const std::pair<const char*, const char*> table[] = {
      {R"({"env":["A=1"]})", "deploy.env: expected an object, found an array"},
      {R"({"taskEnv":{"1":"A=1"}})", "deploy.taskEnv.1: expected an object, found \"A=1\""},
      {R"({"containerInfo":{"docker":{"parameters":["a"]}}})",
       "deploy.containerInfo.docker.parameters: expected an object, found an array"},
      {R"({"containerInfo":"DOCKER"})",
       "deploy.containerInfo: expected an object, found \"DOCKER\""},
  };
  for (const auto& [deploy, says] : table) {
    const auto converted =
        app::task_of_deploy(json::parse("{\"deploy\":" + std::string(deploy) + "}").as_object());
    ASSERT_FALSE(converted) << deploy;
    EXPECT_EQ(converted.error().message, says);
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
