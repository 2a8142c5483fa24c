// Launches that work and launches that cannot, against a real Docker and real registries.
#include <fstream>
#include <sstream>

#include "support/system.hpp"

namespace sx_test {
namespace {

class LaunchTest : public SystemTest {};

void expect_launch_failure(const RunResult& run, const std::string& part) {
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_CONTAINER_LAUNCH_FAILED") << run.transcript();
  EXPECT_NE(run.last().message.find(part), std::string::npos) << run.last().message;
  EXPECT_EQ(run.states(), (std::vector<std::string>{"TASK_STARTING", "TASK_FAILED"}))
      << run.transcript();
}

std::string registry(const char* variable) {
  const char* value = ::getenv(variable);
  if (value == nullptr)
    ADD_FAILURE() << variable << " is not set: run through scripts/with-registry.sh";
  return value == nullptr ? "" : value;
}

TEST_F(LaunchTest, RunningCarriesAddressPidAndInspectDocument) {
  TaskBuilder task("/bin/sh -c 'sleep 0.5; exit 0'");
  task.executor_env("PASSWORD_OF_SOMETHING", "very-secret-value");
  const auto run = run_task(task);
  ASSERT_GE(run.updates.size(), 2u) << run.transcript();
  const auto& status = run.updates[1].status;
  const auto& container = status.at("container_status").as_object();
  EXPECT_TRUE(container.at("network_infos").as_array().at(0).as_object().contains("ip_addresses"));
  EXPECT_TRUE(container.contains("executor_pid"));
  ASSERT_TRUE(status.contains("data"));
  EXPECT_EQ(run.out.find("very-secret-value"), std::string::npos) << "redacted in the log";
  EXPECT_NE(run.out.find("PASSWORD_OF_SOMETHING=[REDACTED]"), std::string::npos) << run.out;
}

TEST_F(LaunchTest, ServesOnAMappedPort) {
  TaskBuilder task("/bin/httpd -f -p 8080 -h /www");
  const int port = 31000 + static_cast<int>(::getpid() % 900);
  task.docker()["port_mappings"] =
      json::array{{{"host_port", port}, {"container_port", 8080}, {"protocol", "tcp"}}};
  std::string page;
  RunOptions options;
  options.agent_arguments = {"--kill-after", "2"};
  options.on_event = [&](const json::object& event) {
    if (event.at("event") != "update" || event.at("status").at("state") != "TASK_RUNNING") return;
    page =
        run_command({"curl", "-s", "--retry", "10", "--retry-connrefused", "--retry-delay", "1",
                     "--max-time", "5", "http://127.0.0.1:" + std::to_string(port) + "/index.html"})
            .output;
  };
  const auto run = run_task(task, options);
  EXPECT_NE(page, "") << run.transcript();
  EXPECT_EQ(run.last().state, "TASK_KILLED") << run.transcript();
}

TEST_F(LaunchTest, ImageMissingAndRegistryRefusesConnections) {
  TaskBuilder task("/bin/true");
  task.image("127.0.0.1:9/none/app:1.0");
  const auto run = run_task(task);
  expect_launch_failure(run, "127.0.0.1:9/none/app:1.0");
  EXPECT_NE(run.last().message.find("5 attempts"), std::string::npos) << run.last().message;
}

TEST_F(LaunchTest, ImageUnknownToTheRegistryIsNotTriedAgain) {
  TaskBuilder task("/bin/true");
  task.image(registry("SX_REGISTRY") + "/no/such:1.0");
  const auto run = run_task(task);
  expect_launch_failure(run, "/no/such:1.0");
  EXPECT_EQ(run.last().message.find("attempts"), std::string::npos) << run.last().message;
  EXPECT_LT(run.last().at, 5.0);
}

/// `name@sha256:...` of the report as it is at the task's end.
RunResult run_for_digest(const TaskBuilder& task, const std::string& name, std::string& digest) {
  std::string sandbox;
  RunOptions options;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox") sandbox = std::string(event.at("path").as_string());
    if (event.at("event") != "update" || event.at("status").at("state") != "TASK_FINISHED") return;
    const auto report = json::parse(read_file(sandbox + "/executor-report.json"));
    const auto* found = report.at("container").as_object().if_contains("image_digest");
    digest = found == nullptr ? "" : name + "@" + std::string(found->as_string());
  };
  return run_task(task, options);
}

TEST_F(LaunchTest, PullsFromARegistry) {
  const std::string name = registry("SX_REGISTRY") + "/team/app:1.0";
  run_command({"docker", "tag", image(), name});
  ASSERT_EQ(run_command({"docker", "push", "-q", name}).code, 0);
  run_command({"docker", "rmi", name});
  TaskBuilder task("/bin/true");
  task.image(name);
  const std::string bare = name.substr(0, name.rfind(':'));
  std::string reported;
  const auto run = run_for_digest(task, bare, reported);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_NE(run.out.find("Image pulled"), std::string::npos) << run.out;
  // Of this name: other tests push the same image by others.
  std::istringstream digests(
      run_command({"docker", "inspect", "--format", "{{join .RepoDigests \"\\n\"}}", name}).output);
  std::string digest;
  while (!digest.starts_with(bare + "@") && std::getline(digests, digest)) continue;
  EXPECT_EQ(reported, digest);
  TaskBuilder again("/bin/true");
  again.image(name);
  const auto second = run_for_digest(again, bare, reported = "");
  EXPECT_EQ(second.out.find("Pulling image"), std::string::npos) << "present images are not pulled";
  EXPECT_EQ(reported, digest) << "without a pull, too";
  TaskBuilder forced("/bin/true");
  forced.image(name);
  forced.docker()["force_pull_image"] = true;
  EXPECT_NE(run_task(forced).out.find("Pulling image"), std::string::npos);
  run_command({"docker", "rmi", name});
}

TEST_F(LaunchTest, PrivateRegistryWithAndWithoutCredentials) {
  const std::string host = registry("SX_AUTH_REGISTRY");
  const std::string name = host + "/team/private:1.0";
  char folder[] = "/tmp/sx-docker-config-XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  // puller:pullpass, the account that scripts/with-registry.sh sets up.
  std::ofstream(std::string(folder) + "/config.json")
      << R"({"auths":{")" << host << R"(":{"auth":"cHVsbGVyOnB1bGxwYXNz"}}})";
  run_command({"docker", "tag", image(), name});
  ASSERT_EQ(run_command({"docker", "--config", folder, "push", "-q", name}).code, 0);
  run_command({"docker", "rmi", name});

  TaskBuilder without("/bin/true");
  without.image(name);
  const auto refused = run_task(without);
  expect_launch_failure(refused, "EXECUTOR_DOCKER_REPOSITORY");  // engines word it differently
  EXPECT_LT(refused.last().at, 5.0) << "401 is not tried again";

  TaskBuilder with_credentials("/bin/true");
  with_credentials.image(name);
  RunOptions options;
  options.executor_environment = {{"DOCKER_CONFIG", folder}, {"EXECUTOR_DOCKER_REPOSITORY", host}};
  const auto run = run_task(with_credentials, options);
  EXPECT_EQ(run.last().state, "TASK_FINISHED") << run.transcript();
  EXPECT_EQ(run.out.find("pullpass"), std::string::npos);
  EXPECT_EQ(run.out.find("cHVsbGVyOnB1bGxwYXNz"), std::string::npos);
  run_command({"docker", "rmi", name});
  run_command({"rm", "-rf", folder});
}

TEST_F(LaunchTest, CommandNotInTheImage) {
  const TaskBuilder task("/no/such/program --flag");
  const auto run = run_task(task);
  expect_launch_failure(run, "/no/such/program");
  EXPECT_TRUE(containers_of(task.id()).empty()) << "a container that never started is removed";
  EXPECT_NE(run.err.find("look at"), std::string::npos) << run.err;
}

TEST_F(LaunchTest, VolumeThatLeavesTheSandboxIsRefusedClearly) {
  TaskBuilder task("/bin/true");
  task.container()["volumes"] =
      json::array{{{"container_path", "/x"}, {"host_path", "../x"}, {"mode", "RW"}}};
  const auto run = run_task(task);
  EXPECT_EQ(run.last().state, "TASK_ERROR") << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_TASK_INVALID");
  EXPECT_NE(run.last().message.find("container.volumes[0]"), std::string::npos)
      << run.last().message;
}

TEST_F(LaunchTest, VolumeFileOverFolderFailsWithDockersReason) {
  TaskBuilder task("/bin/true");
  task.container()["volumes"] =
      json::array{{{"container_path", "/tmp"}, {"host_path", "/etc/hostname"}, {"mode", "RO"}}};
  const auto run = run_task(task);
  expect_launch_failure(run, "not a directory");
}

TEST_F(LaunchTest, HostPortTaken) {
  const int port = 32000 + static_cast<int>(::getpid() % 900);
  const auto holder = run_command(
      {"docker", "run", "-d", "-p", std::to_string(port) + ":80", image(), "/bin/sleep", "1000"});
  ASSERT_EQ(holder.code, 0);
  own_container(holder.output.substr(0, 64));
  TaskBuilder task("/bin/true");
  task.docker()["port_mappings"] =
      json::array{{{"host_port", port}, {"container_port", 80}, {"protocol", "tcp"}}};
  const auto run = run_task(task);
  expect_launch_failure(run, "holds the port");  // engines word it differently; this is our hint
  EXPECT_TRUE(containers_of(task.id()).empty());
}

TEST_F(LaunchTest, LeftoverOfTheSameTaskIdIsReplacedUnlessItRuns) {
  TaskBuilder task("/bin/true");
  const auto first = run_task(task);
  EXPECT_EQ(first.last().state, "TASK_FINISHED") << first.transcript();
  const std::string name = container_name_of(task.id());
  ASSERT_NE(name, "");
  const auto second = run_task(task);
  EXPECT_EQ(second.last().state, "TASK_FINISHED") << second.transcript();
  EXPECT_NE(second.out.find("left over, removing it"), std::string::npos) << second.out;

  run_command({"docker", "rm", "-f", name});
  const auto squatter =
      run_command({"docker", "run", "-d", "--name", name, image(), "/bin/sleep", "1000"});
  ASSERT_EQ(squatter.code, 0);
  own_container(name);
  const auto third = run_task(task);
  expect_launch_failure(third, "still runs");
  EXPECT_NE(third.last().message.find("docker rm -f"), std::string::npos) << third.last().message;
  EXPECT_NE(run_command({"docker", "ps", "-q", "--filter", "name=" + name}).output, "")
      << "it is not ours to stop";
}

TEST_F(LaunchTest, TooSmallAMemoryLimitIsDockersToSay) {
  TaskBuilder task("/bin/true");
  task.memory(3).executor_env("EXECUTOR_FORCE_MEMORY_LIMIT", "true");
  expect_launch_failure(run_task(task), "inimum memory limit");
}

TEST_F(LaunchTest, NoDocker) {
  const TaskBuilder task("/bin/true");
  RunOptions options;
  options.executor_environment = {{"DOCKER_HOST", "unix:///tmp/no-such-docker.sock"}};
  const auto run = run_task(task, options);
  expect_launch_failure(run, "unix:///tmp/no-such-docker.sock");
  EXPECT_GT(run.last().at, 25.0) << "a daemon that restarts is waited for";
}

TEST_F(LaunchTest, BadSettingsAreReportedToTheFramework) {
  TaskBuilder task("/bin/true");
  task.executor_env("EXECUTOR_SIDECAR_RETRY_DELAY", "abc").executor_env("EXECUTOR_DEBUG", "yes");
  const auto run = run_task(task);
  EXPECT_EQ(run.states(), std::vector<std::string>{"TASK_FAILED"}) << run.transcript();
  EXPECT_NE(run.last().message.find("EXECUTOR_SIDECAR_RETRY_DELAY"), std::string::npos)
      << run.last().message;
  EXPECT_NE(run.last().message.find("EXECUTOR_DEBUG"), std::string::npos) << run.last().message;
  EXPECT_NE(run.last().message.find("abc"), std::string::npos) << run.last().message;
}

TEST_F(LaunchTest, VaultSecretsNeverReachTheContainerUnresolved) {
  TaskBuilder task("/bin/true");
  task.executor_env("DB_LOGIN", "vault://secret/db?key=login");
  const auto run = run_task(task);
  expect_launch_failure(run, "DB_LOGIN");
  TaskBuilder role("/bin/true");
  role.executor_env("EXECUTOR_AWS_ROLE", "some-role");
  expect_launch_failure(run_task(role), "EXECUTOR_AWS_ROLE");
}

struct BadTask {
  const char* name;
  void (*spoil)(TaskBuilder&);
  const char* message_part;
};

class BadTaskTest : public SystemTest, public ::testing::WithParamInterface<BadTask> {};

TEST_P(BadTaskTest, IsTaskErrorThatNamesTheField) {
  TaskBuilder task("/bin/true");
  GetParam().spoil(task);
  const auto run = run_task(task);
  EXPECT_EQ(run.states(), std::vector<std::string>{"TASK_ERROR"}) << run.transcript();
  EXPECT_EQ(run.last().reason, "REASON_TASK_INVALID") << run.transcript();
  EXPECT_NE(run.last().message.find(GetParam().message_part), std::string::npos)
      << run.last().message;
  EXPECT_EQ(run.executor_exit, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadTaskTest,
    ::testing::Values(
        BadTask{"NoContainer", [](TaskBuilder& t) { t.object().erase("container"); }, "container"},
        BadTask{"NotDocker", [](TaskBuilder& t) { t.container()["type"] = "MESOS"; },
                "container.type"},
        BadTask{"NoDockerInfo", [](TaskBuilder& t) { t.container().erase("docker"); },
                "container.docker"},
        BadTask{"EmptyImage", [](TaskBuilder& t) { t.image(""); }, "container.docker.image"},
        BadTask{"BadImage", [](TaskBuilder& t) { t.image("UPPER/Case:1"); }, "UPPER/Case"},
        BadTask{"PortZero",
                [](TaskBuilder& t) {
                  t.docker()["port_mappings"] =
                      json::array{{{"host_port", 31000}, {"container_port", 0}}};
                },
                "port_mappings[0].container_port"},
        BadTask{"PortText",
                [](TaskBuilder& t) {
                  t.docker()["port_mappings"] =
                      json::array{{{"host_port", "http"}, {"container_port", 80}}};
                },
                "port_mappings[0].host_port"},
        BadTask{"UserNetworkWithoutName", [](TaskBuilder& t) { t.docker()["network"] = "USER"; },
                "network_infos"},
        BadTask{"UnknownNetwork", [](TaskBuilder& t) { t.docker()["network"] = "MOON"; }, "MOON"},
        BadTask{"ResourcesNoArray", [](TaskBuilder& t) { t.object()["resources"] = 5; },
                "resources"}),
    [](const auto& info) { return info.param.name; });

TEST_F(LaunchTest, StaticBinaryRunsInAnEmptyContainer) {
  ASSERT_EQ(run_command({SX_SOURCE_DIR "/scripts/make-image.sh", "--empty", SX_STATIC_EXECUTOR,
                         "sx-empty:1"})
                .code,
            0);
  const auto version = run_command({"docker", "run", "--rm", "sx-empty:1", "--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_NE(version.output.find("sidecar-executor "), std::string::npos);
  const auto unconfigured = run_command({"docker", "run", "--rm", "sx-empty:1"});
  EXPECT_EQ(unconfigured.code, 78) << "without an agent: EX_CONFIG\n" << unconfigured.output;
}

}  // namespace
}  // namespace sx_test
