#pragma once
// A task that can be changed before its container is asked for.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "docker/container_spec.hpp"

namespace sidecar_executor::docker {

namespace json = boost::json;
using Texts = std::vector<std::string>;

struct Asked {
  mesos::TaskInfo task;
  Settings settings;
  SpecInputs inputs;

  Asked() {
    task.task_id = "t-1";
    task.container.emplace();
    task.container->type = "DOCKER";
    task.container->docker.emplace();
    docker().image = "app";
  }
  mesos::DockerInfo& docker() { return *task.container->docker; }
  Asked& parameter(std::string key, std::string value) {
    docker().parameters.push_back({std::move(key), std::move(value)});
    return *this;
  }
  Asked& variable(std::string name, std::optional<std::string> value) {
    mesos::EnvironmentVariable added;
    added.name = std::move(name);
    added.value = std::move(value);
    task.executor_environment.push_back(std::move(added));
    return *this;
  }
  Result<ContainerSpec> spec() {
    inputs.settings = &settings;
    return make_container_spec(task, inputs);
  }
  json::object body() { return spec().value().body; }
  json::object host() { return body().at("HostConfig").as_object(); }
  std::string error() {
    const auto made = spec();
    if (made) return "no error";
    EXPECT_EQ(made.error().kind, ErrorKind::invalid);
    return made.error().message;
  }
};

inline bool has(const Texts& texts, const std::string& part) {
  for (const auto& text : texts)
    if (text.find(part) != std::string::npos) return true;
  return false;
}

}  // namespace sidecar_executor::docker
