// Flags of docker run, by family: what they are inside the container. What each becomes in the
// create body is tests/golden/docker_run_test.cpp's.

#include <filesystem>
#include <fstream>

#include "system/inside.hpp"

namespace sx_test {
namespace {

using Flags = std::vector<std::pair<std::string, std::string>>;

struct Family {
  const char* name;
  Flags flags;
  /// By /bin/sh -c in the container; no single quotes in it.
  const char* command;
  std::vector<std::string> prints;  ///< each a whole line
  /// Of docker inspect: JSON pointer and JSON.
  std::vector<std::pair<std::string, std::string>> inspected = {};
};

std::string source(const char* path) { return std::string(SX_SOURCE_DIR) + "/" + path; }

/// The one of the test, which a container shares when it has the host's.
std::string host_namespace(const char* kind) {
  return std::filesystem::read_symlink(std::string("/proc/self/ns/") + kind).string();
}

std::vector<Family> families() {
  return {
      {"Ulimits",
       {{"ulimit", "nofile=1024:2048"},
        {"ulimit", "nproc=100:200"},
        {"ulimit", "core=0"},
        {"ulimit", "memlock=32768:65536"},
        {"ulimit", "stack=4194304"}},
       "tr -s \" \" </proc/self/limits",
       {"Max open files 1024 2048 files", "Max processes 100 200 processes",
        "Max core file size 0 0 bytes", "Max locked memory 32768 65536 bytes",
        "Max stack size 4194304 4194304 bytes"}},
      {"Sysctls",
       {{"sysctl", "net.core.somaxconn=1234"}, {"sysctl", "kernel.msgmax=8200"}},
       "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax",
       {"1234", "8200"}},
      {"Memory",
       {{"memory", "64m"},
        {"memory-reservation", "32m"},
        {"memory-swap", "64m"},
        {"oom-score-adj", "500"},
        {"shm-size", "48m"}},
       // The first is of cgroup version 1, the second of version 2.
       "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null;"
       "cat /proc/self/oom_score_adj; df -Pk /dev/shm | tr -s \" \"",
       {"67108864", "500", "shm 49152 0 49152 0% /dev/shm"},
       {{"/HostConfig/MemoryReservation", "33554432"}, {"/HostConfig/MemorySwap", "67108864"}}},
      {"Cpus",
       {{"cpus", "0.5"},
        {"cpu-shares", "512"},
        {"cpuset-cpus", "0"},
        {"cpuset-mems", "0"},
        {"pids-limit", "50"}},
       "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/pids/pids.max"
       " /sys/fs/cgroup/pids.max 2>/dev/null; cut -d\" \" -f1 /sys/fs/cgroup/cpu.max 2>/dev/null;"
       "tr \"\\t\" \" \" </proc/self/status",
       {"50000", "50", "Cpus_allowed_list: 0", "Mems_allowed_list: 0"},
       {{"/HostConfig/NanoCpus", "500000000"}, {"/HostConfig/CpuShares", "512"}}},
      {"CpuQuota",
       {{"cpu-period", "20000"}, {"cpu-quota", "10000"}},
       "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us"
       " 2>/dev/null || tr \" \" \"\\n\" </sys/fs/cgroup/cpu.max",
       {"10000", "20000"}},
      {"Names",
       {{"dns", "10.0.0.2"},
        {"dns", "fd00::2"},
        {"dns-search", "example.com"},
        {"dns-option", "ndots:2"},
        {"add-host", "db:10.0.0.5"},
        {"add-host", "six:fd00::5"},
        {"add-host", "outside:host-gateway"},
        {"hostname", "web-1"},
        {"domainname", "example.org"}},
       "cat /etc/resolv.conf; tr \"\\t\" \" \" </etc/hosts; hostname;"
       "cat /proc/sys/kernel/domainname; test $(awk \"/outside/{print \\$1}\" /etc/hosts) ="
       " $(ip route | awk \"/default/{print \\$3}\") && echo the gateway",
       {"nameserver 10.0.0.2", "nameserver fd00::2", "search example.com", "options ndots:2",
        "10.0.0.5 db", "fd00::5 six", "web-1", "example.org", "the gateway"}},
      {"Process",
       {{"user", "1000:2000"},
        {"group-add", "3000"},
        {"workdir", "/var"},
        {"init", "true"},
        {"env", "A=from env"},
        {"env", "SX_HANDED_ON"},
        {"env-file", source("tests/golden/docker-run-files/app.env")}},
       "id; pwd; cat /proc/1/comm; env",
       {"uid=1000 gid=2000 groups=2000,3000", "/var", "docker-init", "A=from env",
        "SX_HANDED_ON=by the executor", "FROM_HOST=too", "B=2", "C=x=y #z"}},
      {"Files",
       {{"read-only", ""},
        {"tmpfs", "/run:size=64m,mode=700"},
        {"mount", "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0770"},
        {"mount", "type=bind,src=" + source("tests/golden/docker-run-files") + ",dst=/files,ro"},
        {"mount", "type=volume,dst=/unnamed"},
        {"volume", "/nameless"},
        {"volume", source("tests/golden/docker-run-files") + ":/again:ro"}},
       "touch /x || echo the image cannot be written; touch /files/x || echo nor the mount;"
       "touch /again/x || echo nor the volume; touch /unnamed/x /nameless/x && echo written;"
       "stat -c \"%n %a\" /run /t; df -Pk /run /t | tr -s \" \"; ls /files /again",
       {"the image cannot be written", "nor the mount", "nor the volume", "written", "/run 700",
        "/t 770", "tmpfs 65536 0 65536 0% /run", "tmpfs 1024 0 1024 0% /t", "app.env"}},
      {"HostNamespaces",
       {{"pid", "host"},
        {"ipc", "host"},
        {"uts", "host"},
        {"cgroupns", "host"},
        {"userns", "host"},
        {"network", "host"}},
       "for n in pid ipc uts cgroup user net; do readlink /proc/self/ns/$n; done",
       {host_namespace("pid"), host_namespace("ipc"), host_namespace("uts"),
        host_namespace("cgroup"), host_namespace("user"), host_namespace("net")}},
      {"Confined",
       {{"security-opt", "no-new-privileges"},
        {"security-opt", "apparmor=unconfined"},
        {"security-opt", "seccomp=" + source("tests/system/seccomp-no-mkdir.json")},
        {"cap-drop", "ALL"},
        {"cap-add", "NET_BIND_SERVICE"},
        {"cap-add", "CHOWN"}},
       "tr \"\\t\" \" \" </proc/self/status; mkdir /tmp/x || echo no mkdir; touch /tmp/y && echo y",
       {"NoNewPrivs: 1", "Seccomp: 2", "CapEff: 0000000000000401", "CapBnd: 0000000000000401",
        "no mkdir", "y"}},
      {"Unconfined",
       {{"security-opt", "seccomp=unconfined"},
        {"security-opt", "systempaths=unconfined"},
        {"cap-add", "NET_ADMIN"}},
       "tr \"\\t\" \" \" </proc/self/status; ip link add sx0 type bridge && echo a bridge;"
       "grep /proc/kcore /proc/mounts || echo kcore is not hidden",
       {"Seccomp: 0", "a bridge", "kcore is not hidden"},
       {{"/HostConfig/MaskedPaths", "[]"}}},
      {"Devices",
       {{"device", "/dev/null:/dev/sx-null:rw"},
        {"device", "/dev/zero:/dev/sx-zero:r"},
        {"device-cgroup-rule", "c 1:8 r"},
        {"cap-drop", "MKNOD"}},
       "echo x >/dev/sx-null && echo written; stat -c %F /dev/sx-null;"
       "head -c 4 /dev/sx-zero | od -An -tx1",
       {"written", "character special file", " 00 00 00 00"},
       {{"/HostConfig/DeviceCgroupRules", R"(["c 1:8 r"])"},
        {"/HostConfig/Devices/1/CgroupPermissions", R"("r")"}}},
      {"Settings",
       {{"entrypoint", "/bin/busybox"},
        {"tty", "true"},
        {"stop-signal", "SIGUSR1"},
        {"stop-timeout", "7"},
        {"log-driver", "json-file"},
        {"log-opt", "max-size=10m"},
        {"log-opt", "max-file=3"},
        {"label", "team=web"},
        {"runtime", "runc"},
        {"label-file", source("tests/golden/docker-run-files/app.labels")},
        {"expose", "9000/udp"},
        {"no-healthcheck", "true"}},
       "tr \"\\000\" \"\\n\" </proc/1/cmdline; tty",
       {"/bin/busybox", "/dev/pts/0"},
       {{"/Config/StopSignal", R"("SIGUSR1")"},
        {"/Config/StopTimeout", "7"},
        {"/HostConfig/LogConfig/Type", R"("json-file")"},
        {"/HostConfig/LogConfig/Config", R"({"max-file":"3","max-size":"10m"})"},
        {"/Config/Labels/team", R"("web")"},
        {"/Config/Labels/l1", R"("v")"},
        {"/HostConfig/Runtime", R"("runc")"},
        {"/Config/ExposedPorts", R"({"9000/udp":{}})"},
        {"/Config/Healthcheck/Test", R"(["NONE"])"}}},
      {"Health",
       {{"health-cmd", "touch /tmp/checked"},
        {"health-interval", "100ms"},
        {"health-timeout", "30s"},
        {"health-retries", "7"},
        {"health-start-period", "1m"},
        {"log-driver", "local"}},
       "until [ -e /tmp/checked ]; do usleep 20000; done; echo checked",
       {"checked"},
       {{"/Config/Healthcheck",
         R"({"Test":["CMD-SHELL","touch /tmp/checked"],"Interval":100000000,)"
         R"("Timeout":30000000000,"StartPeriod":60000000000,"Retries":7})"}}},
  };
}

class ParametersTest : public SystemTest, public ::testing::WithParamInterface<Family> {};

TEST_P(ParametersTest, AreInTheContainer) {
  const auto& family = GetParam();
  TaskBuilder task(std::string("/bin/sh -c '") + family.command + "'");
  for (const auto& [key, value] : family.flags) {
    task.parameter(key, value);
    // These fields are always there (Mesos writes their defaults), and would win.
    if (key == "network") task.docker()["network"] = "HOST";
    if (key == "privileged") task.docker()["privileged"] = true;
  }
  RunOptions options;
  options.executor_environment = {{"SX_HANDED_ON", "by the executor"}, {"FROM_HOST", "too"}};
  const auto seen = look_inside(task, options);
  for (const auto& line : family.prints)
    EXPECT_TRUE(seen.printed(line)) << line << " is not in\n" << seen.text();
  for (const auto& [pointer, value] : family.inspected)
    EXPECT_EQ(seen.at(pointer), value) << pointer;
  ASSERT_GE(seen.run.updates.size(), 2u) << seen.run.transcript();
  EXPECT_EQ(seen.run.updates[1].state, "TASK_RUNNING") << seen.run.transcript();
  EXPECT_EQ(seen.run.updates[1].message.find("ignoring"), std::string::npos)
      << seen.run.updates[1].message;
}

INSTANTIATE_TEST_SUITE_P(Families, ParametersTest, ::testing::ValuesIn(families()),
                         [](const auto& info) { return std::string(info.param.name); });

class ParameterTest : public SystemTest {};

/// `127.0.0.1:32768`, what the container's port is published as.
std::string published(const std::string& container, const std::string& port) {
  const auto lines = lines_of(run_command({"docker", "port", container, port}).output);
  return lines.empty() ? std::string() : lines.front();
}

TEST_F(ParameterTest, PublishedPortsAnswer) {
  TaskBuilder task(std::string("/bin/sh -c 'httpd -p 8080 -h /www; ") + until_done + "'");
  task.parameter("publish", "127.0.0.1::8080").parameter("publish-all", "");
  task.parameter("expose", "9000-9001");
  std::string page;
  std::string second;
  look_inside(
      task, while_it_runs(task.id(), [&](const std::string& container) {
        page = run_command({"curl", "-s", "--retry", "10", "--retry-all-errors", "--retry-delay",
                            "1", "--max-time", "5", published(container, "8080") + "/index.html"})
                   .output;
        second = published(container, "9001");
      }));
  EXPECT_NE(page.find("It works"), std::string::npos) << page;
  // Podman leaves out the address that means all.
  EXPECT_TRUE(second.starts_with("0.0.0.0:") || second.starts_with(":")) << second;
}

TEST_F(ParameterTest, StopSignalIsWhatAKillSends) {
  TaskBuilder task(
      "/bin/sh -c 'trap \"echo got USR1; exit 0\" USR1; echo ready; while true; do usleep 20000;"
      " done'");
  task.parameter("stop-signal", "SIGUSR1");
  RunOptions options;
  options.agent_arguments = {"--kill-after", "0.5"};
  const auto seen = look_inside(task, options);
  EXPECT_EQ(seen.run.last().state, "TASK_KILLED") << seen.run.transcript();
  EXPECT_TRUE(seen.printed("got USR1")) << seen.text();
}

/// What the machine of the tests does not have, Docker says.
TEST_F(ParameterTest, WithoutTheHardwareTheMessageSaysSo) {
  TaskBuilder gpu("/bin/true");
  gpu.parameter("gpus", "all");
  const auto run = run_task(gpu);
  EXPECT_EQ(run.last().state, "TASK_FAILED") << run.transcript();
  EXPECT_NE(run.last().message.find("could not select device driver"), std::string::npos)
      << run.last().message;
  TaskBuilder device("/bin/true");
  device.parameter("device", "/dev/no-such-device");
  EXPECT_NE(run_task(device).last().message.find("/dev/no-such-device"), std::string::npos);
}

/// Everything that cannot be read is in one message, and the task runs.
TEST_F(ParameterTest, WarningsAreInTheMessageOfRunning) {
  TaskBuilder task("/bin/true");
  task.parameter("ulimits", "nofile=1").parameter("memory", "lots").parameter("env", "NOT_SET");
  const auto run = run_task(task);
  ASSERT_GE(run.updates.size(), 2u) << run.transcript();
  const auto& message = run.updates[1].message;
  EXPECT_NE(message.find("parameter \"ulimits\" is not supported, ignoring; "), std::string::npos)
      << message;
  EXPECT_NE(message.find("parameter \"memory\""), std::string::npos) << message;
  EXPECT_EQ(message.find("lots"), std::string::npos) << "values may be secrets: " << message;
  EXPECT_EQ(run.last().state, "TASK_FINISHED");
}

}  // namespace
}  // namespace sx_test
