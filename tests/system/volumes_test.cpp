// Volumes of every kind, seen from inside the container and from the host.

#include <filesystem>

#include "system/inside.hpp"

namespace sx_test {
namespace {

namespace fs = std::filesystem;

// Mount propagation needs a host that shares its mounts, which the machines of tests do not: its
// bind is tests/unit/docker/volumes_test.cpp's.

/// A folder of the host that is gone with the test.
class HostFolder {
 public:
  HostFolder() {
    char pattern[] = "/tmp/sx-volume-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern), nullptr);
    path_ = pattern;
    fs::create_directory(path_ + "/data");
  }
  ~HostFolder() { fs::remove_all(path_); }
  HostFolder(const HostFolder&) = delete;
  HostFolder& operator=(const HostFolder&) = delete;
  [[nodiscard]] std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class VolumesTest : public SystemTest {
 protected:
  void TearDown() override {
    SystemTest::TearDown();
    for (const auto& volume : volumes_) run_command({"docker", "volume", "rm", "-f", volume});
  }
  std::string own_volume(const TaskBuilder& task, const char* name) {
    volumes_.push_back(task.id() + "-" + name);
    return volumes_.back();
  }

 private:
  std::vector<std::string> volumes_;
};

std::string shell(const char* command) { return std::string("/bin/sh -c '") + command + "'"; }

TEST_F(VolumesTest, HostPathsWithTheirModes) {
  const HostFolder host;
  TaskBuilder task(
      shell("echo a >/rw/f; echo b >/absent/g; touch /ro/x || echo cannot be written; cat /rw/g;"
            "cat /source/f; touch /source/x || echo nor the source; cat \"/with:colon/f\""));
  task.container()["volumes"] = json::array{
      {{"container_path", "/rw"}, {"host_path", host / "data"}, {"mode", "RW"}},
      {{"container_path", "/absent"}, {"host_path", host / "data"}},
      {{"container_path", "/ro"}, {"host_path", host / "data"}, {"mode", "RO"}},
      {{"container_path", "/source"},
       {"mode", "RO"},
       {"source", {{"type", "HOST_PATH"}, {"host_path", {{"path", host / "data"}}}}}},
      {{"container_path", "/with:colon"}, {"host_path", host / "data"}, {"mode", "RO"}}};
  const auto seen = look_inside(task);
  EXPECT_EQ(seen.lines,
            (std::vector<std::string>{"cannot be written", "b", "a", "nor the source", "a"}))
      << seen.run.transcript();
  EXPECT_EQ(read_file(host / "data/f"), "a\n");
  EXPECT_EQ(seen.run.last().state, "TASK_FINISHED");
}

/// Everything that is below the sandbox: seen from there while the task runs.
TEST_F(VolumesTest, BelowTheSandbox) {
  TaskBuilder task(
      shell("for d in /relative /only /self/deep /mnt/mesos/sandbox/inside /flag; do"
            " echo $d >$d/f; done; until [ -e /only/done ]; do usleep 20000; done"));
  task.container()["volumes"] = json::array{
      {{"container_path", "/relative"}, {"host_path", "logs/app"}, {"mode", "RW"}},
      {{"container_path", "/only"}, {"mode", "RW"}},
      {{"container_path", "/self/deep"},
       {"mode", "RW"},
       {"source",
        {{"type", "SANDBOX_PATH"}, {"sandbox_path", {{"type", "SELF"}, {"path", "mine"}}}}}},
      {{"container_path", "inside"}, {"host_path", "from-inside"}, {"mode", "RW"}}};
  task.parameter("volume", "./flagged:/flag");
  std::string sandbox;
  std::vector<std::string> found;
  RunOptions options;
  options.on_event = [&](const json::object& event) {
    if (event.at("event") == "sandbox") sandbox = event.at("path").as_string().c_str();
    if (event.at("event") != "update" || event.at("status").at("state") != "TASK_RUNNING") return;
    // The last one that it writes.
    run_command({"docker", "exec", containers_of(task.id()).at(0), "/bin/sh", "-c",
                 "until [ -s /flag/f ]; do usleep 20000; done"});
    for (const auto* name : {"logs/app", "only", "mine", "from-inside", "flagged"})
      found.push_back(read_file(sandbox + "/" + name + "/f"));
    run_command({"touch", sandbox + "/only/done"});
  };
  const auto seen = look_inside(task, options);
  EXPECT_EQ(found, (std::vector<std::string>{"/relative\n", "/only\n", "/self/deep\n",
                                             "/mnt/mesos/sandbox/inside\n", "/flag\n"}))
      << seen.run.transcript();
  EXPECT_EQ(seen.run.last().state, "TASK_FINISHED") << seen.run.transcript();
}

TEST_F(VolumesTest, VolumesOfDocker) {
  const char* const command =
      "echo kept >>/named/f; cat /named/f; touch /same/x || echo read-only;"
      "df -Pk /memory | tr -s \" \"; ls /old";
  TaskBuilder first(shell(command));
  const auto named = own_volume(first, "named");
  const auto memory = own_volume(first, "memory");
  const json::array volumes{
      {{"container_path", "/named"},
       {"mode", "RW"},
       {"source", {{"type", "DOCKER_VOLUME"}, {"docker_volume", {{"name", named}}}}}},
      {{"container_path", "/same"},
       {"mode", "RO"},
       {"source",
        {{"type", "DOCKER_VOLUME"}, {"docker_volume", {{"driver", "local"}, {"name", named}}}}}},
      {{"container_path", "/memory"},
       {"mode", "RW"},
       {"source",
        {{"type", "DOCKER_VOLUME"},
         {"docker_volume",
          {{"driver", "local"},
           {"name", memory},
           {"driver_options",
            {{"parameter", json::array{{{"key", "type"}, {"value", "tmpfs"}},
                                       {{"key", "device"}, {"value", "tmpfs"}},
                                       {{"key", "o"}, {"value", "size=2m"}}}}}}}}}}}};
  first.container()["volumes"] = volumes;
  // `docker run --volume-driver local -v name:/old`
  first.docker()["volume_driver"] = "local";
  first.container()["volumes"].as_array().push_back(
      {{"container_path", "/old"}, {"host_path", named}, {"mode", "RO"}});
  const auto seen = look_inside(first);
  EXPECT_TRUE(seen.printed("kept")) << seen.run.transcript();
  EXPECT_TRUE(seen.printed("read-only")) << seen.text();
  EXPECT_TRUE(seen.printed("tmpfs 2048 0 2048 0% /memory")) << seen.text();
  EXPECT_TRUE(seen.printed("f")) << "the volume by its name: " << seen.text();

  TaskBuilder second(shell("cat /named/f"));
  second.container()["volumes"] = json::array{volumes[0]};
  EXPECT_TRUE(look_inside(second).printed("kept")) << "the volume outlives the task";
}

}  // namespace
}  // namespace sx_test
