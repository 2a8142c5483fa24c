// The definitions of examples/definitions run: with the test image in place of theirs and with what
// a machine of tests does not have (NFS, Vault, privileges, GPUs) taken out. What render makes of
// them word for word is tests/golden/examples_test.cpp's.

#include <filesystem>

#include "app/singularity_deploy.hpp"
#include "system/inside.hpp"

namespace sx_test {
namespace {

std::vector<std::string> definitions() {
  std::vector<std::string> out;
  for (const auto& file :
       std::filesystem::directory_iterator(SX_SOURCE_DIR "/examples/definitions")) {
    const auto name = file.path().stem().string();
    if (name != "singularity-gpu" && name != "singularity-refused") out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

json::object task_of(const std::string& name) {
  auto text = read_file(SX_SOURCE_DIR "/examples/definitions/" + name + ".json");
  auto document = json::parse(text).as_object();
  if (document.contains("launch")) return document["launch"].as_object()["task"].as_object();
  if (!sidecar_executor::app::is_singularity_deploy(document)) return document;
  auto task = sidecar_executor::app::task_of_deploy(document);
  EXPECT_TRUE(task) << name;
  return task ? std::move(task->task) : json::object();
}

std::string with_local_things(std::string text) {
  const std::pair<const char*, const char*> table[] = {
      {"\"/var/run/docker.sock\"", "\"/tmp\""},
      {"/srv/orders", "/tmp"},
      {"/dev/fuse", "/dev/null"},
      // More than dockerd's own limit takes a privilege.
      {"nofile=16384:32768", "nofile=1024:2048"},
      {"nofile=20000:20000", "nofile=1024:1024"},
      {R"("oom-score-adj","value":"-100")", R"("oom-score-adj","value":"100")"},
      {R"("cpuset-cpus","value":"0-1")", R"("cpuset-cpus","value":"0")"}};
  for (const auto& [from, to] : table) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at))
      text.replace(at, std::string_view(from).size(), to);
  }
  return text;
}

class ExamplesTest : public SystemTest, public ::testing::WithParamInterface<std::string> {
 protected:
  void TearDown() override {
    SystemTest::TearDown();
    for (const auto& network : networks_) run_command({"docker", "network", "rm", network});
    for (const auto& volume : volumes_) run_command({"docker", "volume", "rm", "-f", volume});
  }

  void use_local_container(json::object& container) {
    auto& docker = container["docker"].as_object();
    docker["image"] = "sx-test:1";
    docker["privileged"] = false;
    docker["force_pull_image"] = false;
    use_own_command(docker["parameters"].as_array());
    if (auto* mappings = docker.if_contains("port_mappings")) {
      for (auto& mapping : mappings->as_array())
        // Below those that the kernel gives to any connection (net.ipv4.ip_local_port_range).
        mapping.as_object()["host_port"] = 28000 + ::getpid() % 4000;
    }
    if (auto* infos = container.if_contains("network_infos")) {
      for (auto& info : infos->as_array()) use_own_network(info.as_object());
    }
    if (auto* volumes = container.if_contains("volumes")) {
      for (auto& volume : volumes->as_array()) use_own_volume(volume.as_object());
    }
  }

  static void use_own_command(json::array& parameters) {
    json::array kept;
    for (const auto& parameter : parameters) {
      const auto& value = parameter.at("value").as_string();
      if (!value.starts_with("executor.ShellCommand=") && parameter.at("key") != "entrypoint")
        kept.push_back(parameter);
    }
    kept.push_back({{"key", "label"}, {"value", "executor.ShellCommand=/bin/true"}});
    kept.push_back({{"key", "label"}, {"value", "SidecarDiscover=false"}});
    parameters = std::move(kept);
  }

  void use_own_network(json::object& info) {
    networks_.push_back("sx-" + std::to_string(::getpid()) + "-" +
                        info["name"].as_string().c_str());
    const auto subnet =
        "10." + std::to_string(80 + networks_.size()) + "." + std::to_string(::getpid() % 250);
    const auto made = run_command(
        {"docker", "network", "create", "--subnet", subnet + ".0/24", networks_.back()});
    EXPECT_EQ(made.code, 0) << made.output;
    info["name"] = networks_.back();
    if (auto* addresses = info.if_contains("ip_addresses"))
      addresses->as_array()[0].as_object()["ip_address"] = subnet + ".25";
  }

  void use_own_volume(json::object& volume) {
    auto* source = volume.if_contains("source");
    auto* docker = source != nullptr ? source->as_object().if_contains("docker_volume") : nullptr;
    if (docker == nullptr) return;
    volumes_.push_back("sx-" + std::to_string(::getpid()) + "-" + std::to_string(volumes_.size()));
    docker->as_object()["name"] = volumes_.back();
    docker->as_object().erase("driver_options");
  }

 private:
  std::vector<std::string> networks_;
  std::vector<std::string> volumes_;
};

/// Without those that need a Vault.
json::array local_variables(const json::object& executor) {
  json::array out;
  const json::value whole(executor);
  boost::system::error_code failed;
  const auto* all = whole.find_pointer("/command/environment/variables", failed);
  if (all == nullptr) return out;
  for (const auto& variable : all->as_array()) {
    const auto text = json::serialize(variable);
    if (text.find("vault://") == std::string::npos && text.find("REFERENCE") == std::string::npos &&
        text.find("EXECUTOR_AWS_ROLE") == std::string::npos)
      out.push_back(variable);
  }
  return out;
}

TEST_P(ExamplesTest, Runs) {
  auto definition =
      json::parse(with_local_things(json::serialize(task_of(GetParam())))).as_object();
  TaskBuilder task("");
  use_local_container(definition["container"].as_object());
  auto& variables = task.object()["executor"].at("command").at("environment").at("variables");
  variables = local_variables(
      definition["executor"].is_object() ? definition["executor"].as_object() : json::object());
  for (const auto* field : {"container", "resources", "limits", "kill_policy"}) {
    if (definition.contains(field)) task.object()[field] = definition[field];
  }
  const auto seen = look_inside(task);
  EXPECT_EQ(seen.run.states(),
            (std::vector<std::string>{"TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"}))
      << seen.run.transcript();
}

INSTANTIATE_TEST_SUITE_P(Definitions, ExamplesTest, ::testing::ValuesIn(definitions()),
                         [](const auto& info) {
                           auto name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace sx_test
