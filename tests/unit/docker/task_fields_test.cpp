// Fields of the task against parameters and settings: limits, capabilities, secrets.

#include <limits>

#include "asked.hpp"

namespace sidecar_executor::docker {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

TEST(TaskFields, FieldsWinOverParameters) {
  Asked asked;
  asked.settings.strict_parameters = true;  // a field that wins is no fault
  asked.docker().privileged = false;
  asked.task.container->hostname = "box";
  asked.parameter("privileged", "true").parameter("hostname", "other");
  EXPECT_EQ(asked.body().at("Hostname").as_string(), "box");
  EXPECT_FALSE(asked.host().at("Privileged").as_bool());
  EXPECT_EQ(asked.spec()->warnings,
            (Texts{"parameter \"privileged\": container.docker.privileged says something else and "
                   "wins, ignoring",
                   "parameter \"hostname\": container.hostname says something else and wins, "
                   "ignoring"}));
}

TEST(TaskFields, ParametersFillWhatFieldsLeaveOpen) {
  Asked asked;
  asked.parameter("privileged", "").parameter("hostname", "other").parameter("memory", "64m");
  asked.parameter("cpus", "1.5");
  EXPECT_EQ(asked.body().at("Hostname").as_string(), "other");
  EXPECT_EQ(json::serialize(asked.host()),
            R"({"Privileged":true,"Memory":67108864,"NanoCpus":1500000000,)"
            R"("NetworkMode":"default"})");
  EXPECT_TRUE(asked.spec()->warnings.empty());
}

TEST(TaskFields, ForcedLimitsWin) {
  Asked asked;
  asked.settings.force_cpu_limit = asked.settings.force_memory_limit = true;
  asked.task.resources = {{"cpus", 0.5}, {"mem", 64}};
  asked.parameter("memory", "1g").parameter("cpus", "4").parameter("cpu-shares", "7");
  EXPECT_EQ(json::serialize(asked.host()),
            R"({"Memory":67108864,"NetworkMode":"default","CpuShares":7,"CpuPeriod":50000,)"
            R"("CpuQuota":25000})");
  EXPECT_EQ(asked.spec()->warnings,
            (Texts{"parameter \"cpus\": the limit of the task or of a setting wins, ignoring",
                   "parameter \"memory\": the limit of the task or of a setting wins, ignoring"}));
  Asked same;
  same.settings.force_memory_limit = true;
  same.task.resources = {{"mem", 64}};
  same.parameter("memory", "64m");
  EXPECT_TRUE(same.spec()->warnings.empty());
}

/// Docker refuses the create of each.
TEST(TaskFields, ForcedMemoryTakesWhatContradictsIt) {
  const struct {
    const char* key;
    const char* value;
    const char* host;
    bool warned;
  } table[] = {
      {"memory-swap", "63m", R"({"NetworkMode":"default","Memory":67108864})", true},
      {"memory-reservation", "65m", R"({"NetworkMode":"default","Memory":67108864})", true},
      {"memory-swap", "64m", R"({"MemorySwap":67108864,"NetworkMode":"default","Memory":67108864})",
       false},
      {"memory-swap", "-1", R"({"MemorySwap":-1,"NetworkMode":"default","Memory":67108864})",
       false},
      {"memory-swap", "0", R"({"MemorySwap":0,"NetworkMode":"default","Memory":67108864})", false},
      {"memory-reservation", "64m",
       R"({"MemoryReservation":67108864,"NetworkMode":"default","Memory":67108864})", false},
  };
  for (const auto& row : table) {
    Asked asked;
    asked.settings.force_memory_limit = true;
    asked.task.resources = {{"mem", 64}};
    asked.parameter(row.key, row.value);
    EXPECT_EQ(json::value(asked.host()), json::parse(row.host)) << row.key << "=" << row.value;
    const auto said = "parameter \"" + std::string(row.key) +
                      "\": the limit of the task or of a setting wins, ignoring";
    EXPECT_EQ(asked.spec()->warnings, row.warned ? Texts{said} : Texts{});
  }
  Asked free;
  free.parameter("memory-swap", "1m").parameter("memory-reservation", "65m");
  EXPECT_TRUE(free.host().contains("MemorySwap"));
  EXPECT_TRUE(free.spec()->warnings.empty());
}

TEST(TaskFields, LimitsOfTheTask) {
  const struct {
    std::map<std::string, double> limits;
    bool force;
    bool shares;
    const char* host;
  } table[] = {
      {{{"cpus", 2}, {"mem", 128}},
       false,
       false,
       R"({"NetworkMode":"default","CpuPeriod":50000,"CpuQuota":100000,"Memory":134217728})"},
      {{{"cpus", 2}},
       true,
       true,
       R"({"NetworkMode":"default","CpuPeriod":50000,"CpuQuota":100000,"CpuShares":256,)"
       R"("Memory":67108864})"},
      {{{"cpus", infinite}, {"mem", infinite}}, true, false, R"({"NetworkMode":"default"})"},
      {{{"cpus", infinite}, {"mem", infinite}},
       true,
       true,
       R"({"NetworkMode":"default","CpuShares":256})"},
  };
  for (const auto& row : table) {
    Asked asked;
    asked.inputs.host_cpus = 4;
    asked.task.resources = {{"cpus", 1}, {"mem", 64}};
    asked.task.limits = row.limits;
    asked.settings.force_cpu_limit = asked.settings.force_memory_limit = row.force;
    asked.settings.use_cpu_shares = row.shares;
    EXPECT_EQ(json::serialize(asked.host()), row.host);
    EXPECT_TRUE(asked.spec()->warnings.empty());
  }
}

TEST(TaskFields, Rlimits) {
  Asked asked;
  asked.parameter("ulimit", "nofile=1:2").parameter("ulimit", "core=0");
  asked.task.container->rlimits = {{"RLMT_NOFILE", 1024, 2048}, {"RLMT_NPROC", {}, {}}};
  EXPECT_EQ(json::serialize(asked.host().at("Ulimits")),
            R"([{"Name":"core","Soft":0,"Hard":0},{"Name":"nofile","Soft":1024,"Hard":2048},)"
            R"({"Name":"nproc","Soft":-1,"Hard":-1}])");
  asked.task.container->rlimits = {{"RLMT_AS", 1, 2}};
  EXPECT_TRUE(has(asked.spec()->warnings,
                  "container.rlimit_info.rlimits[0].type: Docker has no limit of type RLMT_AS"));
  asked.task.container->rlimits = {{"RLMT_CPU", 1, {}}};
  EXPECT_EQ(asked.error(),
            "container.rlimit_info.rlimits[0]: expected soft and hard, or neither for no limit");
  asked.task.container->rlimits = {{"RLMT_CPU", 3, 2}};
  EXPECT_EQ(asked.error(),
            "container.rlimit_info.rlimits[0].soft: expected a value that is not above hard");
}

TEST(TaskFields, Capabilities) {
  Asked effective;
  effective.task.container->linux_info.effective_capabilities = {"NET_ADMIN", "KILL"};
  effective.parameter("cap-add", "SYS_ADMIN");
  EXPECT_EQ(json::serialize(effective.host()),
            R"({"NetworkMode":"default","CapDrop":["ALL"],"CapAdd":["NET_ADMIN","KILL"]})");
  EXPECT_TRUE(has(effective.spec()->warnings,
                  "parameter \"cap-add\": container.linux_info has capabilities and wins"));

  Asked none;
  none.task.container->linux_info.effective_capabilities.emplace();
  EXPECT_EQ(json::serialize(none.host()), R"({"NetworkMode":"default","CapDrop":["ALL"]})");

  Asked bounding;
  bounding.task.container->linux_info.bounding_capabilities = {"KILL", "NET_ADMIN"};
  EXPECT_EQ(json::serialize(bounding.host().at("CapAdd")), R"(["KILL"])");

  effective.task.container->linux_info.bounding_capabilities = {"KILL"};
  EXPECT_EQ(effective.error(),
            "container.linux_info.effective_capabilities: NET_ADMIN is not among the "
            "bounding_capabilities");
}

TEST(TaskFields, WhatDockerCannotShareIsSaid) {
  Asked asked;
  asked.task.container->linux_info.share_cgroups = true;
  asked.task.container->linux_info.share_pid_namespace = true;
  EXPECT_TRUE(has(asked.spec()->log_warnings, "share_cgroups"));  // Mesos' default: log only
  EXPECT_TRUE(has(asked.spec()->warnings, "share_pid_namespace"));
}

Asked with_secret(std::optional<std::string> value, std::optional<std::string> reference,
                  std::string key = {}) {
  Asked asked;
  asked.variable("PLAIN", "1").variable("DB", std::nullopt);
  auto& variable = asked.task.executor_environment[1];
  variable.type = mesos::EnvironmentVariable::Type::secret;
  variable.secret_value = std::move(value);
  variable.secret_reference = std::move(reference);
  variable.secret_key = std::move(key);
  return asked;
}

TEST(TaskFields, ValueSecretsAreDecodedAndMarked) {
  auto asked = with_secret("czNjcjN0", {});
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->env, (Texts{"PLAIN=1", "DB=s3cr3t"}));
  EXPECT_EQ(spec->secret_names, (Texts{"DB"}));
  EXPECT_EQ(shown_variable(*spec, spec->env[0]), "PLAIN=1");
  EXPECT_EQ(shown_variable(*spec, spec->env[1]), "DB=[REDACTED]");
}

/// `A=B` would be the variable A, and nobody looks for a secret under that name.
TEST(TaskFields, NoNameHasAnEqualsSign) {
  auto asked = with_secret("czNjcjN0", {});
  asked.task.executor_environment.back().name = "A=B";
  asked.variable("C=D", "1");
  const auto spec = asked.spec();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->env, (Texts{"PLAIN=1"}));
  EXPECT_EQ(spec->warnings,
            (Texts{"executor.command.environment.variables[1] has a = in its name, ignoring",
                   "executor.command.environment.variables[2] has a = in its name, ignoring"}));
}

TEST(TaskFields, ReferencesBecomeVaultPaths) {
  const struct {
    const char* name;
    const char* key;
    const char* value;
  } table[] = {
      {"secret/app", "", "DB=vault://secret/app"},
      {"secret/team/app", "user name", "DB=vault://secret/team/app?key=user%20name"},
      {"vault://secret/app?key=x", "ignored", "DB=vault://secret/app?key=x"},
  };
  for (const auto& row : table) {
    const auto spec = with_secret({}, row.name, row.key).spec();
    ASSERT_TRUE(spec);
    EXPECT_EQ(spec->env.back(), row.value);
    EXPECT_TRUE(spec->secret_names.empty());
  }
}

TEST(TaskFields, SecretsThatCannotBeRead) {
  const std::string path = "executor.command.environment.variables[1] (DB): ";
  EXPECT_EQ(with_secret("s3cr3t!", {}).error(), path + "secret.value.data: expected base64");
  EXPECT_EQ(with_secret("AAAA", {}).error(),
            path + "secret.value.data: a variable cannot hold a zero byte");
  EXPECT_EQ(with_secret({}, "name").error(),
            path +
                "secret.reference.name: expected a path in Vault such as secret/app, found "
                "\"name\"");
  const std::string bad_path =
      path + "secret.reference.name: expected a path in Vault such as secret/app, found \"";
  for (const char* name : {"", "/app", "secret/", "a//b", "a/b?c", "a/b:c", "a/b c", "a/b#c"})
    EXPECT_EQ(with_secret({}, name).error(), std::string(bad_path).append(name).append("\""));
  EXPECT_EQ(with_secret({}, {}).error(), path + "secret: expected a value or a reference");
}

}  // namespace
}  // namespace sidecar_executor::docker
