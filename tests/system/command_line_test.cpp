// The real binary where no agent started it: by hand, by a wrapper with the wrong variables.
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "support/system.hpp"

namespace sx_test {
namespace {

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// stdout and stderr of a shell command in which "$0" is the executor.
CommandResult shell(const std::string& command) {
  return run_command({"/bin/sh", "-c", "exec 2>&1; " + command, SX_EXECUTOR});
}

class CommandLineTest : public ::testing::Test {
 public:
  ~CommandLineTest() override { run_command({"rm", "-f", file_}); }

 protected:
  const std::string file_ = "/tmp/sx-command-line-" + std::to_string(::getpid());
};

TEST_F(CommandLineTest, WithoutAnAgentItSaysWhoStartsIt) {
  const auto seen = shell("env -i \"$0\"");
  EXPECT_EQ(seen.code, 78) << seen.output;
  EXPECT_TRUE(has(seen.output, "MESOS_AGENT_ENDPOINT")) << seen.output;
  EXPECT_TRUE(has(seen.output, "is started by a Mesos agent; see sidecar-executor --help"))
      << seen.output;
}

/// Scripts of the Go executor pass these: it is started as an executor all the same.
TEST_F(CommandLineTest, TheGoExecutorsArgumentsAreOverlooked) {
  for (const char* arguments : {"-logtostderr=true", "'   '", "'\t' -v=1 ''"}) {
    const auto seen = shell("env -i \"$0\" " + std::string(arguments));
    EXPECT_EQ(seen.code, 78) << arguments << seen.output;
    EXPECT_TRUE(has(seen.output, "MESOS_AGENT_ENDPOINT")) << arguments << seen.output;
  }
}

TEST_F(CommandLineTest, WhatIsNoArgumentIsSaid) {
  for (const char* arguments : {"reaps", "-", "-v", "a=b", "reap --older-than=-1s --remove", "docs",
                                "render", "doctor --jsn", "-v=1 doctor"}) {
    const auto seen = shell("env -i \"$0\" " + std::string(arguments));
    EXPECT_EQ(seen.code, 64) << arguments << seen.output;
    EXPECT_TRUE(has(seen.output, "--help")) << arguments << seen.output;
  }
  EXPECT_TRUE(has(shell("\"$0\" reap --older-than=-1s").output, "is negative"));
  EXPECT_EQ(shell("\"$0\" --version").code, 0);
  EXPECT_EQ(shell("\"$0\" reap --help").code, 0);
}

TEST_F(CommandLineTest, ASettingByItsBareNameIsSaidToBeOne) {
  const auto seen = shell("env -i KILL_TASK_TIMEOUT=7 \"$0\"");
  EXPECT_TRUE(has(seen.output, "(from the bare name, not EXECUTOR_KILL_TASK_TIMEOUT)"))
      << seen.output;
}

TEST_F(CommandLineTest, ASettingIsShownThoughItsNameSaysCredentials) {
  const auto seen = shell("env -i EXECUTOR_PASS_VAULT_CREDENTIALS=true MESOS_TOKEN=hunter2 \"$0\"");
  EXPECT_FALSE(has(seen.output, "hunter2")) << seen.output;
  std::istringstream lines(seen.output);
  int told = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!has(line, "PASS_VAULT_CREDENTIALS") && !has(line, "PassVaultCredentials")) continue;
    ++told;
    EXPECT_TRUE(line.ends_with(" true\"")) << line;
  }
  EXPECT_EQ(told, 2) << seen.output;
}

/// There is nobody to report them to.
TEST_F(CommandLineTest, BadSettingsAndAnAgentThatIsGone) {
  const auto seen = shell(
      "env -i MESOS_AGENT_ENDPOINT=127.0.0.1:1 MESOS_FRAMEWORK_ID=f MESOS_EXECUTOR_ID=e "
      "MESOS_SANDBOX=/tmp MESOS_DIRECTORY=/tmp EXECUTOR_SIDECAR_RETRY_DELAY=abc \"$0\"");
  EXPECT_EQ(seen.code, 78) << seen.output;
  EXPECT_TRUE(has(seen.output, "sidecar-executor: bad settings: EXECUTOR_SIDECAR_RETRY_DELAY"))
      << seen.output;
}

TEST_F(CommandLineTest, RenderReadsAFileOrItsInput) {
  std::ofstream(file_) << TaskBuilder("/bin/true").text();
  const auto of_file = shell("\"$0\" render " + file_);
  EXPECT_EQ(of_file.code, 0) << of_file.output;
  EXPECT_TRUE(has(of_file.output, "\"Image\"") && has(of_file.output, "sx-test:1"))
      << of_file.output;
  const auto of_input = shell("\"$0\" render - <" + file_);
  EXPECT_EQ(of_input.output, of_file.output);
}

TEST_F(CommandLineTest, OutputThatCannotBeWrittenIsAFailure) {
  std::ofstream(file_) << TaskBuilder("/bin/true").text();
  for (const std::string command : {"docs configuration", "docs parameters", "--version", "--help",
                                    "doctor", "doctor --json"}) {
    const auto seen =
        run_command({"/bin/sh", "-c", "\"$0\" " + command + " 2>&1 >/dev/full", SX_EXECUTOR});
    EXPECT_NE(seen.code, 0) << command;
    if (command.starts_with("doctor")) continue;  // a check may have failed: 1
    EXPECT_EQ(seen.code, 74) << command;
    EXPECT_TRUE(has(seen.output, "the output cannot be written")) << command << seen.output;
  }
  EXPECT_EQ(shell("\"$0\" render " + file_ + " >/dev/full").code, 74);
  EXPECT_EQ(shell("DOCKER_HOST=ssh://x \"$0\" reap >/dev/full").code, 69)
      << "reap's code is about containers";
}

TEST_F(CommandLineTest, WhatCannotBeRenderedIsNamed) {
  const auto missing = shell("\"$0\" render /no/such/task.json");
  EXPECT_EQ(missing.code, 66);
  EXPECT_TRUE(has(missing.output, "/no/such/task.json: No such file or directory"))
      << missing.output;
  const auto endless = shell("\"$0\" render - </dev/zero");
  EXPECT_EQ(endless.code, 66);
  EXPECT_TRUE(has(endless.output, "larger than 16 MiB")) << endless.output;
}

}  // namespace
}  // namespace sx_test
