// The container that we ask for is the one that the Go executor asked for: every recorded create
// body against ours, with the differences on purpose in one table.

#include <gtest/gtest.h>

#include <map>

#include "base/settings.hpp"
#include "docker/container_spec.hpp"
#include "golden_files.hpp"
#include "mesos/task_info.hpp"

namespace sidecar_executor::golden {
namespace {

/// How a scenario differs on purpose (spec/docker.md, lines marked **Differs**).
struct Difference {
  const char* why;
  /// Turns the Go executor's body into the one that the spec wants.
  void (*expected)(json::object& body);
  /// TASK_ERROR instead: a part of its text.
  const char* refused = nullptr;
  /// What is wrong with the task, taken out, so that the rest is compared.
  void (*repair)(json::object& task) = nullptr;
};

void replace_env(json::object& body, const std::string& from, const json::value& to) {
  auto& env = body.at("Env").as_array();
  for (auto it = env.begin(); it != env.end(); ++it) {
    if (it->as_string() != from) continue;
    if (to.is_null()) {
      env.erase(it);
    } else {
      *it = to;
    }
    return;
  }
  FAIL() << "the golden body has no " << from;
}

void tag_of_port_5000(json::object& body) {
  replace_env(body, "SERVICE_VERSION=5000/href/pull", "SERVICE_VERSION=1.0");
}
void tag_of_port_5001(json::object& body) {
  replace_env(body, "SERVICE_VERSION=5001/href/pull", "SERVICE_VERSION=1.0");
}
constexpr const char* why_tag = "a registry's port is no tag";

const std::map<std::string, Difference>& differences() {
  static const std::map<std::string, Difference> table = {
      {"feat_02_ports",
       {"container_port 0 is TASK_ERROR, the Go executor binds 0/tcp",
        [](json::object& body) {
          body.at("HostConfig").at("PortBindings").as_object().erase("0/tcp");
        },
        "container.docker.port_mappings[6].container_port",
        [](json::object& task) {
          task.at("container").at("docker").at("port_mappings").as_array().pop_back();
        }}},
      {"feat_06_net_user",
       {"network USER without a name is TASK_ERROR, the Go executor takes the default network",
        [](json::object& body) { body.at("HostConfig").as_object()["NetworkMode"] = "blue"; },
        "container.network_infos[0].name",
        [](json::object& task) {
          task.at("container").as_object()["network_infos"] = json::array{{{"name", "blue"}}};
        }}},
      {"feat_09c_tiny_limits",
       {"CpuQuota is at least 1000, Docker refuses less",
        [](json::object& body) { body.at("HostConfig").as_object()["CpuQuota"] = 1000; }}},
      {"feat_10_shell_command",
       {"repeated blanks are one separator, quotes are a shell's",
        [](json::object& body) {
          body["Cmd"] = json::array{"echo", "two", "single quoted", "dq", "$HOME", ";"};
        }}},
      {"feat_12_force_pull", {why_tag, tag_of_port_5000}},
      {"feat_13_private_registry", {why_tag, tag_of_port_5001}},
      {"feat_13b_private_home", {why_tag, tag_of_port_5001}},
      {"feat_13c_private_dockercfg", {why_tag, tag_of_port_5001}},
  };
  return table;
}

Settings settings_of(const json::object& environment) {
  std::vector<std::string> names;
  for (const auto& variable : environment) names.emplace_back(variable.key());
  const Lookup lookup = [&environment](std::string_view name) -> std::optional<std::string> {
    const auto* value = environment.if_contains(name);
    if (value == nullptr) return std::nullopt;
    return std::string(value->as_string());
  };
  return load_settings(lookup, names, "host").settings;
}

/// Seeds and keys come from other servers: taken from the golden body, so that their place counts.
std::vector<std::pair<std::string, std::string>> extra_environment(const json::object& body) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& item : body.at("Env").as_array()) {
    const std::string_view text = item.as_string();
    const std::string name(text.substr(0, text.find('=')));
    if (name == "SIDECAR_SEEDS" || name.starts_with("AWS_"))
      out.emplace_back(name, text.substr(name.size() + 1));
  }
  return out;
}

/// Vault's answers stand in the golden body, references in ours: these are put in their place.
void put_references_back(json::object& body, const std::vector<std::string>& ours) {
  auto& env = body.at("Env").as_array();
  for (std::size_t i = 0; i < std::min(env.size(), ours.size()); ++i) {
    const auto name = ours[i].substr(0, ours[i].find('='));
    const bool reference = ours[i].starts_with(name + "=vault://");
    if (reference && std::string_view(env[i].as_string()).starts_with(name + "=")) env[i] = ours[i];
  }
}

class GoExecutor : public testing::TestWithParam<std::string> {};

TEST_P(GoExecutor, AsksForTheSameContainer) {
  auto file = read(folder("go-executor") / (GetParam() + ".json"));
  auto wanted = file.at("create").as_object();
  auto task_json = file.at("task").as_object();
  const auto settings = settings_of(file.at("env").as_object());

  const auto known = differences().find(GetParam());
  if (known != differences().end()) {
    const auto& difference = known->second;
    difference.expected(wanted);
    if (difference.refused != nullptr) {
      const auto bad = mesos::parse_task_info(task_json);
      ASSERT_TRUE(bad) << bad.error().message;
      const auto why = mesos::why_not_launchable(*bad);
      ASSERT_TRUE(why) << difference.why;
      EXPECT_NE(why->find(difference.refused), std::string::npos) << *why;
      docker::SpecInputs inputs;
      inputs.settings = &settings;
      EXPECT_FALSE(docker::make_container_spec(*bad, inputs)) << difference.why;
      difference.repair(task_json);
    }
  }

  const auto task = mesos::parse_task_info(task_json);
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_FALSE(mesos::why_not_launchable(*task)) << *mesos::why_not_launchable(*task);
  docker::SpecInputs inputs;
  inputs.settings = &settings;
  inputs.host_cpus = 2;  // of the machine that recorded
  inputs.extra_environment = extra_environment(wanted);
  const auto spec = docker::make_container_spec(*task, inputs);
  ASSERT_TRUE(spec) << spec.error().message;
  put_references_back(wanted, spec->env);
  EXPECT_EQ(printed(canonical(json::parse(docker::create_body(*spec, spec->env)))),
            printed(canonical(wanted)))
      << (known == differences().end() ? "" : known->second.why);
}

/// Scenarios in which the Go executor came as far as the create call.
std::vector<std::string> with_container() {
  auto out = scenarios("go-executor");
  std::erase_if(out, [](const std::string& name) {
    return read(folder("go-executor") / (name + ".json")).at("create").is_null();
  });
  return out;
}

INSTANTIATE_TEST_SUITE_P(Recorded, GoExecutor, testing::ValuesIn(with_container()), test_name);

TEST(GoExecutorTable, NamesOnlyRecordedScenarios) {
  const auto all = with_container();
  EXPECT_GE(all.size(), 50U);
  for (const auto& [name, difference] : differences())
    EXPECT_NE(std::find(all.begin(), all.end(), name), all.end()) << name;
}

}  // namespace
}  // namespace sidecar_executor::golden
