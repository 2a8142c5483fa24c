// executor.sh without an agent: what it starts, and what it says when that cannot be started. With
// an agent: agent_fault_test.cpp.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/system.hpp"

namespace sx_test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class WrapperAloneTest : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(dir_ + "/sandbox"); }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// Stands for the executor.
  void installed(const std::string& text) const {
    const std::string file = dir_ + "/installed";
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }
  /// stdout and stderr of the script, started in dir_.
  [[nodiscard]] CommandResult start(const std::string& variables = {}) const {
    return run_command({"/bin/sh", "-c",
                        "exec 2>&1; cd \"$0\" && exec env MESOS_SANDBOX=\"$0/sandbox\" "
                        "SIDECAR_EXECUTOR_PATH=\"$0/installed\" " +
                            variables + " /bin/sh " SX_SOURCE_DIR "/scripts/executor.sh",
                        dir_});
  }

  const std::string dir_ = "/tmp/sx-wrapper-" + std::to_string(::getpid());
};

TEST_F(WrapperAloneTest, AnEnvironmentFileOfTheWorkingFolder) {
  installed("#!/bin/sh\necho \"mark $MARK\"\n");
  std::ofstream(dir_ + "/my-environment") << "export MARK=seen\n";
  const auto seen = start("SIDECAR_EXECUTOR_CUSTOM_ENV_PATH=my-environment");
  EXPECT_EQ(seen.code, 0) << seen.output;
  EXPECT_EQ(seen.output, "mark seen\n");
}

TEST_F(WrapperAloneTest, AnEnvironmentFileThatCannotBeReadIsNamed) {
  installed("#!/bin/sh\necho started\n");
  for (const char* name : {"not-there", "sandbox", "/no/such/file"}) {
    const auto seen = start(std::string("SIDECAR_EXECUTOR_CUSTOM_ENV_PATH=") + name);
    EXPECT_EQ(seen.code, 78) << seen.output;
    EXPECT_EQ(seen.output, std::string("executor.sh: SIDECAR_EXECUTOR_CUSTOM_ENV_PATH=") + name +
                               " cannot be read\n");
  }
}

/// It never ran, so it left no container: nobody is to look for one at night.
TEST_F(WrapperAloneTest, WhatCannotBeExecutedRaisesNoAlarm) {
  const std::string mark = "io.sidecar-executor";
  const std::string other_machine = std::string(
      "\x7f"
      "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0\xb7\0",
      20);
  for (const auto& text : {"#!/no/such/interpreter\n# " + mark + "\n", other_machine + mark}) {
    installed(text);
    const auto seen = start();
    EXPECT_TRUE(seen.code == 126 || seen.code == 127) << seen.code << seen.output;
    EXPECT_TRUE(has(seen.output, "/sandbox/sidecar-executor cannot be executed: is "))
        << seen.output;
    EXPECT_FALSE(has(seen.output, "may still run")) << seen.output;
  }
}

TEST_F(WrapperAloneTest, AFolderIsNoProgram) {
  std::filesystem::create_directories(dir_ + "/installed");
  const auto seen = start();
  EXPECT_EQ(seen.code, 78);
  EXPECT_TRUE(has(seen.output, "is not an executable file")) << seen.output;
}

}  // namespace
}  // namespace sx_test
