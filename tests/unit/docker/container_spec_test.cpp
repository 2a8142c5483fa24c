#include "docker/container_spec.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "asked.hpp"

namespace sidecar_executor::docker {
namespace {

TEST(ContainerName, IsTheGoExecutors) {
  // Values of Python's uuid.uuid5(uuid.UUID(int=0), ...).
  EXPECT_EQ(container_name("t-1"), "mesos-1a3406af-ef90-56d1-a0a6-a697b2a7627b");
  EXPECT_EQ(container_name(""), "mesos-e129f27c-5103-5c5c-844b-cdf0a15e160d");
  EXPECT_EQ(container_name("hé€"), "mesos-f1e1bf9d-2273-5dc0-91b5-c353168d9ba4");
}

TEST(ContainerSpec, TheLeast) {
  Asked asked;
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_EQ(json::serialize(spec->body),
            R"({"Image":"app","HostConfig":{"NetworkMode":"default"}})");
  EXPECT_TRUE(spec->env.empty());
  EXPECT_TRUE(spec->warnings.empty());
  EXPECT_EQ(spec->log_warnings.size(), 2U);  // ServiceName, Environment
  EXPECT_EQ(json::parse(create_body(*spec, {"A=1"})).at("Env"), (json::array{"A=1"}));
}

TEST(ContainerSpec, EnvironmentInOrder) {
  Asked asked;
  asked.docker().image = "host:5000/app:1.2";
  asked.docker().port_mappings = {{31000, 80, "tcp,udp"}, {0, 81, ""}};
  asked.variable("TASK_HOST", "w1").variable("NONE", std::nullopt).variable("", "x");
  asked.parameter("env", "NONE=2").parameter("label", "ServiceName=svc");
  asked.parameter("label", "Environment=");
  asked.inputs.extra_environment = {{"SIDECAR_SEEDS", "a,b"}, {"AWS_ACCESS_KEY_ID", "k"}};
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->env, (Texts{"TASK_HOST=w1", "NONE=", "NONE=2", "SIDECAR_SEEDS=a,b",
                              "AWS_ACCESS_KEY_ID=k", "MESOS_PORT_80=31000", "MESOS_HOSTNAME=w1",
                              "SERVICE_NAME=svc", "ENVIRONMENT=", "SERVICE_VERSION=1.2"}));
  EXPECT_TRUE(has(spec->warnings, "variables[2] has no name"));
}

TEST(ContainerSpec, OwnCredentialsStay) {
  const Texts names{"VAULT_TOKEN", "VAULT_USERNAME", "VAULT_PASSWORD", "VAULT_SECRET_ID",
                    "MESOS_EXECUTOR_AUTHENTICATION_TOKEN"};
  Asked asked;
  for (const auto& name : names) asked.variable(name, "s3cr3t");
  asked.variable("VAULT_ADDR", "http://v");
  EXPECT_EQ(asked.spec()->env, (Texts{"VAULT_ADDR=http://v"}));
  EXPECT_FALSE(has(asked.spec()->notes, "s3cr3t"));
  EXPECT_TRUE(has(asked.spec()->notes, "VAULT_SECRET_ID"));

  Asked named = asked;
  named.parameter("env", "VAULT_TOKEN=mine");
  EXPECT_EQ(named.spec()->env,
            (Texts{"VAULT_TOKEN=s3cr3t", "VAULT_ADDR=http://v", "VAULT_TOKEN=mine"}));

  asked.settings.pass_vault_credentials = true;
  EXPECT_EQ(asked.spec()->env.size(), 6U);
}

TEST(ContainerSpec, Command) {
  const struct {
    const char* label;
    json::array words;
    bool warned;
  } table[] = {
      {"app env 2", {"app", "env", "2"}, false},
      {"sh -c 'echo \"$HOME\"'", {"sh", "-c", "echo \"$HOME\""}, false},
      {"echo it's", {"echo", "it's"}, true},
  };
  for (const auto& row : table) {
    Asked asked;
    asked.parameter("label", std::string("executor.ShellCommand=") + row.label);
    const auto spec = asked.spec();
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->body.at("Cmd"), row.words);
    EXPECT_FALSE(spec->body.contains("Labels"));
    EXPECT_EQ(has(spec->warnings, "quotes do not balance"), row.warned);
  }
  Asked empty;
  empty.parameter("label", "executor.ShellCommand= ");
  EXPECT_FALSE(empty.body().contains("Cmd"));
}

TEST(ContainerSpec, LabelsOfTheTaskWin) {
  Asked asked;
  asked.parameter("label", "a=1").parameter("label", "io.sidecar-executor.pid=task");
  asked.inputs.own_labels = {{"io.sidecar-executor.pid", "7"},
                             {"io.sidecar-executor.version", "1"}};
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_EQ(json::serialize(spec->body.at("Labels")),
            R"({"a":"1","io.sidecar-executor.pid":"task","io.sidecar-executor.version":"1"})");
  EXPECT_EQ(spec->labels.size(), 3U);
}

TEST(ContainerSpec, Ports) {
  Asked asked;
  asked.docker().port_mappings = {
      {31000, 80, "TCP"}, {31001, 80, " tcp , udp "}, {31000, 80, ""}, {0, 81, "sctp"}};
  const auto body = asked.body();
  EXPECT_EQ(json::serialize(body.at("ExposedPorts")), R"({"80/tcp":{},"80/udp":{},"81/sctp":{}})");
  EXPECT_EQ(json::serialize(body.at("HostConfig").at("PortBindings")),
            R"({"80/tcp":[{"HostPort":"31000"},{"HostPort":"31001"}],)"
            R"("80/udp":[{"HostPort":"31001"}]})");
}

TEST(ContainerSpec, APortOfAMappingAndOfAParameterIsBoundOnce) {
  Asked asked;
  asked.docker().port_mappings = {{31000, 80, "tcp"}};
  for (const char* value : {"0.0.0.0:31000:80", "[::]:31000:80", "31000:80", "31001:80",
                            "127.0.0.1:31002:80", "31000:81"})
    asked.parameter("publish", value);
  EXPECT_EQ(json::serialize(asked.host().at("PortBindings")),
            R"({"80/tcp":[{"HostPort":"31000"},{"HostPort":"31001"},)"
            R"({"HostPort":"31002","HostIp":"127.0.0.1"}],"81/tcp":[{"HostPort":"31000"}]})");
  EXPECT_TRUE(asked.spec()->warnings.empty());
}

TEST(ContainerSpec, BadPortsAreNamed) {
  const struct {
    mesos::PortMapping mapping;
    const char* says;
  } table[] = {
      {{1, 0, ""}, "port_mappings[0].container_port"}, {{1, 65536, ""}, "container_port"},
      {{70000, 1, ""}, "port_mappings[0].host_port"},  {{1, 1, "icmp"}, "protocol"},
      {{1, 1, "tcp,"}, "port_mappings[0].protocol"},   {{1, 1, "tcp udp"}, "protocol"},
  };
  for (const auto& row : table) {
    Asked asked;
    asked.docker().port_mappings = {row.mapping};
    EXPECT_NE(asked.error().find(row.says), std::string::npos) << asked.error();
  }
}

TEST(ContainerSpec, CpuLimits) {
  const struct {
    double cpus;
    bool shares;
    std::int64_t wanted;
  } table[] = {
      {0.3, false, 15000},  {0.01, false, 1000},
      {0, false, 1000},     {-1, false, 1000},
      {64, false, 3200000}, {0.5, true, 128},
      {500, true, 1024},    {0.0001, true, 2},
      {4, true, 1024},      {1e300, false, 9'000'000'000'000'000'000},
  };
  for (const auto& row : table) {
    Asked asked;
    asked.settings.force_cpu_limit = true;
    asked.settings.use_cpu_shares = row.shares;
    asked.inputs.host_cpus = 4;
    asked.task.resources = {{"cpus", row.cpus}, {"mem", 64}};
    const auto host = asked.host();
    EXPECT_EQ(host.at(row.shares ? "CpuShares" : "CpuQuota").as_int64(), row.wanted) << row.cpus;
    EXPECT_EQ(host.contains("CpuPeriod"), !row.shares);
    EXPECT_FALSE(host.contains("Memory"));
  }
}

TEST(ContainerSpec, MemoryLimit) {
  Asked asked;
  asked.settings.force_memory_limit = true;
  asked.task.resources = {{"cpus", 1}, {"mem", 32.5}};
  EXPECT_EQ(asked.host().at("Memory").as_int64(), 34078720);
  EXPECT_FALSE(asked.host().contains("CpuQuota"));
  for (const double mem : {0.0, -5.0}) {
    asked.task.resources["mem"] = mem;
    EXPECT_FALSE(asked.host().contains("Memory"));
    EXPECT_TRUE(has(asked.spec()->log_warnings, "no mem"));
  }
}

TEST(ContainerSpec, MissingResourcesForceNothing) {
  Asked asked;
  asked.settings.force_cpu_limit = true;
  asked.settings.force_memory_limit = true;
  EXPECT_EQ(json::serialize(asked.host()), R"({"NetworkMode":"default"})");
  EXPECT_TRUE(has(asked.spec()->log_warnings, "no cpus"));
}

TEST(ContainerSpec, OtherFields) {
  Asked asked;
  asked.docker().privileged = true;
  asked.docker().volume_driver = "field";
  asked.task.container->hostname = "box";
  EXPECT_EQ(asked.body().at("Hostname").as_string(), "box");
  EXPECT_TRUE(asked.host().at("Privileged").as_bool());
  EXPECT_EQ(asked.host().at("VolumeDriver").as_string(), "field");
  asked.parameter("volume-driver", "parameter");
  EXPECT_EQ(asked.host().at("VolumeDriver").as_string(), "parameter");
}

TEST(ContainerSpec, Refusals) {
  Asked strict;
  strict.settings.strict_parameters = true;
  strict.parameter("ulimit", "s3cr3t");
  EXPECT_NE(strict.error().find("container.docker.parameters[0]"), std::string::npos);
  Asked image;
  image.docker().image = "Team/App:x y";
  EXPECT_EQ(image.error().find("container.docker.image: image reference \"Team/App:x y\""), 0U)
      << image.error();
  Asked none;
  none.task.container.reset();
  EXPECT_EQ(none.error(), "container.docker: missing");
}

}  // namespace
}  // namespace sidecar_executor::docker
