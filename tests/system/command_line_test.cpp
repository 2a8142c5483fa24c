// The real binary where no agent started it: by hand, by a wrapper with the wrong variables.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
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

/// What the log begins with when it is started with these variables and no others: each line from
/// `msg=` on, with one blank for several.
std::vector<std::string> startup_log(const std::string& variables) {
  const auto seen = shell("env -i " + variables + " \"$0\" | tr -s ' '");
  std::vector<std::string> out;
  std::istringstream lines(seen.output);
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find("msg=");
    if (line.starts_with("time=") && at != std::string::npos) out.push_back(line.substr(at));
  }
  return out;
}

/// The lines of one part of it: behind its heading, up to the next line that is no item.
std::vector<std::string> items_behind(const std::vector<std::string>& log,
                                      const std::string& heading) {
  auto at = std::find_if(log.begin(), log.end(), [&heading](const std::string& line) {
    return line.starts_with("msg=\"" + heading + " ---");
  });
  EXPECT_NE(at, log.end()) << heading;
  std::vector<std::string> out;
  const std::string item = "msg=\" * ";
  if (at != log.end()) ++at;
  for (; at != log.end() && at->starts_with(item); ++at)
    out.push_back(at->substr(item.size(), at->size() - item.size() - 1));
  return out;
}

std::vector<std::string> names_of_settings() {
  std::vector<std::string> out;
  std::istringstream lines(shell("\"$0\" docs configuration").output);
  for (std::string line; std::getline(lines, line);) {
    if (!has(line, " | `EXECUTOR_")) continue;
    out.push_back(line.substr(2, line.find_first_of(" *", 2) - 2));
  }
  return out;
}

TEST_F(CommandLineTest, TheLogBeginsWithVersionSettingsAndEnvironment) {
  const auto log = startup_log("FOO=bar");
  ASSERT_GT(log.size(), 3U);
  std::string version = shell("\"$0\" --version").output;
  version.erase(0, version.find(' ') + 1);
  version.pop_back();  // the end of the line
  EXPECT_EQ(log[0], "msg=\"Starting Sidecar Executor\" version=" + version);
  EXPECT_TRUE(log[1].starts_with("msg=\"Executor Config ---")) << log[1];
  const std::size_t settings = items_behind(log, "Executor Config").size();
  EXPECT_EQ(settings, names_of_settings().size());
  ASSERT_GT(log.size(), settings + 3);
  const auto& heading = log[2 + settings];
  EXPECT_TRUE(heading.starts_with("msg=\"Environment ---")) << heading;
  EXPECT_EQ(log[3 + settings], "msg=" + std::string(39, '-')) << "nothing of it is shown";
}

/// `(default)` when nobody has set it, and only then. Set but empty is not set.
TEST_F(CommandLineTest, EachSettingIsToldAndWhetherItIsTheDefault) {
  const auto names = names_of_settings();
  ASSERT_GT(names.size(), 30U);
  const auto told = items_behind(
      startup_log("EXECUTOR_KILL_TASK_TIMEOUT=7 EXECUTOR_HTTP_TIMEOUT= EXECUTOR_DEBUG=T "
                  "EXECUTOR_SEND_DOCKER_LABELS=a,b SIDECAR_MAX_FAILS=4 FORCE_CPU_LIMIT=maybe "
                  "EXECUTOR_SIDECAR_URL=http://u:hunter2@sidecar/state.json"),
      "Executor Config");
  const std::map<std::string, std::string> set{
      {"KillTaskTimeout", "7"},
      {"Debug", "true"},
      {"SendDockerLabels", "[a b]"},
      {"SidecarMaxFails", "4 (from the bare name, not EXECUTOR_SIDECAR_MAX_FAILS)"},
      {"SidecarUrl", "http://u:***@sidecar/state.json"}};
  const std::map<std::string, std::string> left{
      {"HttpTimeout", "2s"}, {"ForceCpuLimit", "false"},    {"SidecarPollInterval", "30s"},
      {"LogsSince", "3m0s"}, {"AWSRoleMaxTTL", "744h0m0s"}, {"AWSRoleRenew", "true"}};
  ASSERT_EQ(told.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    ASSERT_TRUE(told[i].starts_with(name + ": ")) << told[i] << " in place of " << name;
    const std::string value = told[i].substr(name.size() + 2);
    if (const auto own = set.find(name); own != set.end()) {
      EXPECT_EQ(value, own->second) << name;
    } else {
      EXPECT_TRUE(value.ends_with("(default)")) << told[i];
    }
    if (const auto initial = left.find(name); initial != left.end())
      EXPECT_EQ(value, initial->second + " (default)") << name;
  }
}

/// Those that concern the executor, in the order of their names. Not even the names of its own
/// credentials, and nothing of anything else.
TEST_F(CommandLineTest, TheEnvironmentIsToldWithoutCredentials) {
  const auto log = startup_log(
      "TASK_ID=t1 VAULT_ADDR=https://v:hunter2@vault VAULT_TOKEN=hunter2 VAULT_USERNAME=hunter2 "
      "VAULT_PASSWORD=hunter2 DOCKER_AUTH_CONFIG=hunter2 FOO=hunter2 PATH=/hunter2 "
      "HOMEPAGE=hunter2 "
      "TASK_HOST=h1 TASK_HOST_ID=hunter2 MY_MESOS=hunter2 mesos_x=hunter2 EXECUTOR_DEBUG=false "
      "EXECUTOR_API_KEY=hunter2 MESOS_EXECUTOR_AUTHENTICATION_TOKEN=hunter2 MESOSX=1 "
      "VAULT_SECRET_ID=hunter2 DOCKER_HOST=unix:///none.sock MESOS_SANDBOX= HOME=/root "
      "MESOS_DIRECTORY=/sandbox");
  const std::vector<std::string> expected{"DOCKER_HOST : unix:///none.sock",
                                          "EXECUTOR_API_KEY : [REDACTED]",
                                          "EXECUTOR_DEBUG : false",
                                          "HOME : /root",
                                          "MESOSX : 1",
                                          "MESOS_DIRECTORY : /sandbox",
                                          "MESOS_EXECUTOR_AUTHENTICATION_TOKEN: [REDACTED]",
                                          "MESOS_SANDBOX : ",
                                          "TASK_HOST : h1",
                                          "TASK_ID : t1",
                                          "VAULT_ADDR : https://v:***@vault",
                                          "VAULT_SECRET_ID : [REDACTED]"};
  EXPECT_EQ(items_behind(log, "Environment"), expected);
  for (const auto& line : log) {
    EXPECT_FALSE(has(line, "hunter2")) << line;
    for (const auto* name :
         {"VAULT_TOKEN", "VAULT_USERNAME", "VAULT_PASSWORD", "DOCKER_AUTH_CONFIG"})
      EXPECT_FALSE(has(line, name)) << line;
  }
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
  // It may have been about to listen, and there is no recovery time-out that says for how long.
  EXPECT_TRUE(has(seen.output, "within 15s")) << seen.output;
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
