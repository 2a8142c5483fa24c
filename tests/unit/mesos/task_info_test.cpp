#include "mesos/task_info.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace sidecar_executor::mesos {
namespace {

namespace json = boost::json;

json::value read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return json::parse(text.str());
}

Result<TaskInfo> parse(std::string_view text) { return parse_task_info(json::parse(text)); }

/// A task around the `container` member.
TaskInfo task_with(const std::string& container) {
  auto task = parse(R"({"task_id":{"value":"t"},"container":)" + container + "}");
  EXPECT_TRUE(task) << task.error().message;
  return task ? *task : TaskInfo{};
}

TEST(TaskInfo, EveryRecordedSingularityTask) {
  int tasks = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(SX_SOURCE_DIR "/tests/golden/singularity")) {
    const auto task = read_json(file.path());
    const auto parsed = parse_task_info(task);
    ASSERT_TRUE(parsed) << file.path() << ": " << parsed.error().message;
    EXPECT_EQ(json::parse(parsed->json), task);
    EXPECT_TRUE(executor_variable(*parsed, "TASK_HOST")) << file.path();
    const bool docker = file.path().stem() != "not-docker";
    EXPECT_EQ(why_not_launchable(*parsed).has_value(), !docker)
        << file.path() << why_not_launchable(*parsed).value_or("");
    ++tasks;
  }
  EXPECT_GT(tasks, 15);
}

TEST(TaskInfo, EveryTaskOfTheGoldenFiles) {
  int tasks = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(SX_SOURCE_DIR "/tests/golden/go-executor")) {
    const auto record = read_json(file.path());
    const auto& task = record.at("task");
    if (!task.is_object()) continue;
    const auto parsed = parse_task_info(task);
    ASSERT_TRUE(parsed) << file.path() << ": " << parsed.error().message;
    // The Go executor took these: a port 0, and a network without a name.
    const bool refused =
        file.path().stem() == "feat_02_ports" || file.path().stem() == "feat_06_net_user";
    EXPECT_EQ(why_not_launchable(*parsed).has_value(), refused) << file.path();
    ++tasks;
  }
  EXPECT_GT(tasks, 40);
}

TEST(TaskInfo, FieldsOfAFullTask) {
  const auto task = parse(R"({
    "name":"n","task_id":{"value":"a b:\u00e9"},"agent_id":{"value":"S0"},
    "resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.5},"role":"a"},
                 {"name":"cpus","type":"SCALAR","scalar":{"value":1},"role":"*"},
                 {"name":"mem","scalar":{"value":"Infinity"}},
                 {"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":2}]}}],
    "executor":{"executor_id":{"value":"E"},"command":{"environment":{"variables":[
      {"name":"A","type":"VALUE","value":"1"},{"name":"B"},{"name":"A","value":"2"},
      {"name":"S","type":"SECRET","secret":{"type":"VALUE","value":{"data":"aGk="}}},
      {"name":"R","type":"SECRET","secret":{"type":"REFERENCE","reference":{"name":"ref"}}}]}}},
    "container":{"type":"DOCKER","hostname":"h",
      "volumes":[{"mode":"RO","container_path":"/c","host_path":"/h"},
        {"container_path":"/d","source":{"type":"DOCKER_VOLUME","docker_volume":{"driver":"dr",
          "name":"v","driver_options":{"parameter":[{"key":"size","value":"1G"}]}}}},
        {"mode":"RW","container_path":"/e","source":{"type":"SANDBOX_PATH",
          "sandbox_path":{"type":"SELF","path":"p"}}},
        {"container_path":"/f","source":{"type":"NEW_KIND"}}],
      "docker":{"image":"i:1","network":"USER","privileged":true,"force_pull_image":true,
        "volume_driver":"vd","parameters":[{"key":"env","value":"A=1"},{"key":"env","value":"B=2"}],
        "port_mappings":[{"host_port":31000,"container_port":8080.0,"protocol":"tcp, udp"}]},
      "network_infos":[{"name":"net","ip_addresses":[{"protocol":"IPv4"},
        {"ip_address":"10.0.0.1"}]}]},
    "kill_policy":{"grace_period":{"nanoseconds":7000000000}},
    "max_completion_time":{"nanoseconds":1},"some_new_field":[[]]})");
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_EQ(task->task_id, "a b:\xC3\xA9");
  EXPECT_EQ(task->executor_id, "E");
  EXPECT_DOUBLE_EQ(task->resources.at("cpus"), 1.5);
  EXPECT_TRUE(std::isinf(task->resources.at("mem")));
  EXPECT_EQ(task->resources.count("ports"), 0U);
  ASSERT_EQ(task->executor_environment.size(), 5U);
  EXPECT_EQ(task->executor_environment[1].value, std::nullopt);
  EXPECT_EQ(task->executor_environment[4].secret_reference, "ref");
  EXPECT_EQ(executor_variable(*task, "A"), "2") << "the last, as in the container";
  EXPECT_EQ(executor_variable(*task, "B"), "");
  EXPECT_EQ(executor_variable(*task, "S"), "hi");
  EXPECT_EQ(executor_variable(*task, "C"), std::nullopt);
  const ContainerInfo& container = *task->container;
  ASSERT_EQ(container.volumes.size(), 4U);
  EXPECT_TRUE(container.volumes[0].read_only);
  EXPECT_EQ(container.volumes[0].host_path, "/h");
  EXPECT_FALSE(container.volumes[1].has_mode);
  EXPECT_EQ(container.volumes[1].docker_volume.driver_options[0].value, "1G");
  EXPECT_EQ(container.volumes[2].source_path, "p");
  EXPECT_EQ(container.volumes[3].source, Volume::Source::unknown);
  EXPECT_EQ(container.docker->network, DockerNetwork::user);
  EXPECT_EQ(container.docker->port_mappings[0].container_port, 8080U);
  EXPECT_EQ(container.docker->parameters[1].value, "B=2");
  EXPECT_EQ(container.docker->privileged, true);
  EXPECT_EQ(container.network_infos[0].ip_addresses, std::vector<std::string>{"10.0.0.1"});
  EXPECT_EQ(task->kill_grace_period, std::chrono::seconds(7));
  EXPECT_EQ(task->max_completion_time->count(), 1);
  EXPECT_EQ(why_not_launchable(*task), std::nullopt);
}

TEST(TaskInfo, LimitsRlimitsAndLinuxInfo) {
  const auto task = parse(R"({"task_id":{"value":"t"},
    "limits":{"cpus":{"value":2.5},"mem":{"value":"Infinity"}},
    "executor":{"command":{"environment":{"variables":[
      {"name":"R","type":"SECRET","secret":{"reference":{"name":"secret/a","key":"k"}}}]}}},
    "container":{"type":"DOCKER","docker":{"image":"i"},
      "volumes":[{"container_path":"/e","source":{"type":"SANDBOX_PATH",
          "sandbox_path":{"type":"PARENT","path":"p"}}},
        {"container_path":"/f","source":{"type":"HOST_PATH","host_path":{"path":"/h",
          "mount_propagation":{"mode":"BIDIRECTIONAL"}}}}],
      "rlimit_info":{"rlimits":[{"type":"RLMT_NOFILE","soft":1,"hard":2},{"type":"RLMT_CORE"}]},
      "linux_info":{"effective_capabilities":{"capabilities":["KILL"]},
        "bounding_capabilities":{},"share_cgroups":true}}})");
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_DOUBLE_EQ(task->limits.at("cpus"), 2.5);
  EXPECT_TRUE(std::isinf(task->limits.at("mem")));
  EXPECT_EQ(task->executor_environment[0].secret_key, "k");
  const ContainerInfo& container = *task->container;
  EXPECT_EQ(container.docker->privileged, std::nullopt);
  EXPECT_TRUE(container.volumes[0].sandbox_path_of_parent);
  EXPECT_EQ(container.volumes[1].propagation, "BIDIRECTIONAL");
  EXPECT_EQ(container.rlimits[0].hard, 2);
  EXPECT_EQ(container.rlimits[1].soft, std::nullopt);
  EXPECT_EQ(container.linux_info.effective_capabilities, std::vector<std::string>{"KILL"});
  EXPECT_EQ(container.linux_info.bounding_capabilities, std::vector<std::string>{});
  EXPECT_TRUE(container.linux_info.share_cgroups);
}

TEST(TaskInfo, ErrorsNamePathAndWhatWasFound) {
  struct Case {
    std::string_view members;  ///< beside a good task_id
    std::string_view text;
  };
  const Case cases[] = {
      {R"("name":5)", "name: expected a string, found 5"},
      {R"("resources":{})", "resources: expected an array, found an object"},
      {R"("resources":[{"name":"cpus","scalar":{"value":"lots"}}])",
       "resources[0].scalar.value: expected a number that is not negative, found \"lots\""},
      {R"("resources":[{"name":"cpus","scalar":{"value":-1}}])",
       "resources[0].scalar.value: expected a number that is not negative, found -1"},
      {R"("executor":{"command":{"environment":{"variables":[{"value":"x"}]}}})",
       "executor.command.environment.variables[0].name: missing"},
      {R"("container":[])", "container: expected an object, found an array"},
      {R"("container":{"docker":{"port_mappings":[{"host_port":"http"}]}})",
       "container.docker.port_mappings[0].host_port: expected a whole number from 0 to 65535, "
       "found \"http\""},
      {R"("container":{"docker":{"port_mappings":[{"container_port":65536}]}})",
       "container.docker.port_mappings[0].container_port: expected a whole number from 0 to 65535, "
       "found 65536"},
      {R"("container":{"docker":{"port_mappings":[{"container_port":80.5}]}})",
       "container.docker.port_mappings[0].container_port: expected a whole number from 0 to 65535, "
       "found 8.05E1"},
      {R"("container":{"docker":{"port_mappings":[{"container_port":18446744073709551615}]}})",
       "container.docker.port_mappings[0].container_port: expected a whole number from 0 to 65535, "
       "found 18446744073709551615"},
      {R"("container":{"docker":{"network":"bridge"}})",
       "container.docker.network: expected HOST, BRIDGE, NONE or USER, found \"bridge\""},
      {R"("container":{"docker":{"privileged":"yes"}})",
       "container.docker.privileged: expected true or false, found \"yes\""},
      {R"("container":{"docker":{"parameters":["x"]}})",
       "container.docker.parameters[0]: expected an object, found \"x\""},
      {R"("container":{"docker":{"parameters":[null]}})",
       "container.docker.parameters[0].key: missing"},
      {R"("container":{"volumes":[{"mode":"rw"}]})",
       "container.volumes[0].mode: expected RO or RW, found \"rw\""},
      {R"("kill_policy":{"grace_period":{"nanoseconds":-1}})",
       "kill_policy.grace_period.nanoseconds: expected a whole number from 0 to "
       "9223372036854775807, found -1"},
      {R"("limits":{"cpus":{"value":-1}})",
       "limits.cpus.value: expected a number that is not negative, found -1"},
      {R"("limits":[])", "limits: expected an object, found an array"},
      {R"("container":{"linux_info":{"effective_capabilities":{"capabilities":["UNKNOWN"]}}})",
       "container.linux_info.effective_capabilities.capabilities[0]: expected the name of a "
       "capability, found \"UNKNOWN\""},
      {R"("max_completion_time":{})", "max_completion_time.nanoseconds: missing"},
  };
  for (const auto& [members, text] : cases) {
    const auto task = parse(R"({"task_id":{"value":"t"},)" + std::string(members) + "}");
    ASSERT_FALSE(task) << members;
    EXPECT_EQ(task.error().kind, ErrorKind::invalid);
    EXPECT_EQ(task.error().message, text);
  }
  EXPECT_EQ(parse("{}").error().message, "task_id.value: missing");
  EXPECT_EQ(parse(R"({"task_id":{"value":""}})").error().message, "task_id.value: empty");
  EXPECT_EQ(parse(R"({"task_id":"t"})").error().message,
            "task_id: expected an object, found \"t\"");
  EXPECT_EQ(parse("[]").error().message, "the TaskInfo is not a JSON object");
}

TEST(TaskInfo, NullIsAbsent) {
  const auto task = parse(R"({"task_id":{"value":"t"},"container":null,"resources":null,
                              "kill_policy":null,"executor":{"command":null}})");
  ASSERT_TRUE(task) << task.error().message;
  EXPECT_FALSE(task->container);
}

TEST(TaskInfo, WhatCannotBeLaunched) {
  struct Case {
    std::string container;
    std::string_view text;
  };
  const auto docker = [](const std::string& members) {
    return R"({"type":"DOCKER","docker":{)" + members + "}}";
  };
  const Case cases[] = {
      {"null", "container: missing; this executor runs Docker containers only"},
      {R"({"type":"MESOS"})", "container.type: expected DOCKER, found \"MESOS\""},
      {R"({})", "container.type: expected DOCKER, found \"\""},
      {R"({"type":"DOCKER"})", "container.docker: missing"},
      {docker(""), "container.docker.image: missing or empty"},
      {docker(R"("image":" ")"), "container.docker.image: missing or empty"},
      {docker(R"("image":"i","port_mappings":[{"container_port":80},{"host_port":31000}])"),
       "container.docker.port_mappings[1].container_port: expected a port from 1 to 65535, found "
       "0"},
      {docker(R"("image":"i","port_mappings":[{"container_port":80,"protocol":"tcp,icmp"}])"),
       "container.docker.port_mappings[0].protocol: expected tcp, udp, sctp or several of them "
       "with "
       "commas, found \"tcp,icmp\""},
      {docker(R"("image":"i","port_mappings":[{"container_port":80,"protocol":"tcp,"}])"),
       "container.docker.port_mappings[0].protocol: expected tcp, udp, sctp or several of them "
       "with "
       "commas, found \"tcp,\""},
      {R"({"type":"DOCKER","docker":{"image":"i","network":"USER"},"network_infos":[{"name":""}]})",
       "container.network_infos[0].name: missing; network USER needs the name of a Docker network"},
      {docker(R"("image":"i","network":"USER")"),
       "container.network_infos[0].name: missing; network USER needs the name of a Docker network"},
      {R"({"type":"DOCKER","docker":{"image":"i"},"volumes":[{"host_path":"/h"}]})",
       "container.volumes[0].container_path: missing or empty"},
  };
  for (const auto& [container, text] : cases) {
    EXPECT_EQ(why_not_launchable(task_with(container)), text) << container;
  }
  for (const std::string protocol : {"", "tcp", "udp", "tcp,udp", "tcp, udp", "TCP", "sctp"}) {
    const auto task = task_with(
        docker(R"("image":"i","network":"HOST","port_mappings":[{"container_port":1,"protocol":")" +
               protocol + R"("}])"));
    EXPECT_EQ(why_not_launchable(task), std::nullopt) << protocol;
  }
}

/// Replaces one value somewhere in the document, with the wrong type as often as not.
void damage(json::value& value, std::mt19937& random) {
  const json::value junk[] = {nullptr,
                              true,
                              -1,
                              3.5,
                              1e300,
                              "x",
                              json::array{},
                              json::object{},
                              json::array{1, "y", nullptr},
                              std::uint64_t(-1)};
  if (auto* object = value.if_object(); object && !object->empty() && random() % 8 != 0) {
    return damage(
        std::next(object->begin(), static_cast<std::ptrdiff_t>(random() % object->size()))->value(),
        random);
  }
  if (auto* array = value.if_array(); array && !array->empty() && random() % 8 != 0) {
    return damage((*array)[random() % array->size()], random);
  }
  value = junk[random() % std::size(junk)];
}

TEST(TaskInfo, DamagedTasksNeverCrash) {
  const auto task = read_json(SX_SOURCE_DIR "/tests/golden/singularity/full-service.json");
  std::mt19937 random(6);
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    json::value damaged = task;
    for (std::uint32_t n = 0; n <= random() % 3; ++n) damage(damaged, random);
    const auto parsed = parse_task_info(damaged);
    if (parsed) {
      static_cast<void>(why_not_launchable(*parsed));
      static_cast<void>(executor_variable(*parsed, "PORT0"));
    } else {
      EXPECT_NE(parsed.error().message, "");
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace sidecar_executor::mesos
