// Fields of a TaskInfo beside its Docker parameters: secrets, rlimit_info, linux_info, limits.

#include "system/inside.hpp"

namespace sx_test {
namespace {

class TaskFieldsTest : public SystemTest {};

std::string shell(const char* command) { return std::string("/bin/sh -c '") + command + "'"; }

/// Values of variables of type SECRET reach the container and nothing else.
TEST_F(TaskFieldsTest, SecretVariablesReachTheContainerOnly) {
  TaskBuilder task(shell("test \"$TOKEN\" = not-for-logs && echo it is there"));
  task.object()["executor"]
      .as_object()["command"]
      .as_object()["environment"]
      .as_object()["variables"]
      .as_array()
      .push_back({{"name", "TOKEN"},
                  {"type", "SECRET"},
                  {"secret", {{"type", "VALUE"}, {"value", {{"data", "bm90LWZvci1sb2dz"}}}}}});
  const auto seen = look_inside(task);
  EXPECT_TRUE(seen.printed("it is there")) << seen.run.transcript();
  EXPECT_NE(seen.run.out.find("TOKEN=[REDACTED]"), std::string::npos) << seen.run.out;
  EXPECT_EQ((seen.run.out + seen.run.err).find("not-for-logs"), std::string::npos);
  for (const auto& update : seen.run.updates)
    EXPECT_EQ(json::serialize(update.status).find("not-for-logs"), std::string::npos);
}

/// rlimit_info, linux_info and limits of the task.
TEST_F(TaskFieldsTest, LimitsOfTheTask) {
  TaskBuilder task(
      shell("tr \"\\t\" \" \" </proc/self/status; tr -s \" \" </proc/self/limits;"
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null;"
            "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null; cut -d\" \" -f1 "
            "/sys/fs/cgroup/cpu.max 2>/dev/null"));
  auto& container = task.container();
  container["rlimit_info"] = {
      {"rlimits", json::array{{{"type", "RLMT_NOFILE"}, {"soft", 512}, {"hard", 1024}},
                              {{"type", "RLMT_CORE"}, {"soft", 0}, {"hard", 0}}}}};
  container["linux_info"] = {
      {"effective_capabilities", {{"capabilities", json::array{"CHOWN", "NET_BIND_SERVICE"}}}},
      {"bounding_capabilities",
       {{"capabilities", json::array{"CHOWN", "NET_BIND_SERVICE", "KILL"}}}},
      {"share_cgroups", true}};
  task.object()["limits"] = {{"cpus", {{"value", 0.5}}}, {"mem", {{"value", 96.0}}}};
  const auto seen = look_inside(task);
  for (const auto* line : {"CapEff: 0000000000000401", "Max open files 512 1024 files",
                           "Max core file size 0 0 bytes", "100663296", "25000"})
    EXPECT_TRUE(seen.printed(line)) << line << " is not in\n" << seen.run.transcript();
  EXPECT_NE(seen.run.out.find("share_cgroups"), std::string::npos) << "said in the log";

  TaskBuilder unlimited("/bin/true");
  unlimited.executor_env("EXECUTOR_FORCE_MEMORY_LIMIT", "true")
      .executor_env("EXECUTOR_FORCE_CPU_LIMIT", "true");
  unlimited.object()["limits"] = {{"cpus", {{"value", "Infinity"}}},
                                  {"mem", {{"value", "Infinity"}}}};
  const auto without = look_inside(unlimited);
  EXPECT_EQ(without.at("/HostConfig/Memory"), "0") << without.run.transcript();
  EXPECT_EQ(without.at("/HostConfig/CpuQuota"), "0");
}

}  // namespace
}  // namespace sx_test
