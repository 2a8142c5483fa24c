// THE test: everything that the executor writes is searched for every secret that it was given.
#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "base/encoding.hpp"
#include "system/vault_run.hpp"

namespace sx_test {
namespace {

namespace fs = std::filesystem;

class VaultLeakTest : public VaultTest {
 protected:
  void SetUp() override {
    VaultTest::SetUp();
    content_["kv1"].as_object()["secret"].as_object()["leak"] = {
        {"value", "Leak-value-0001"},
        {"multi", "Leak-line-one\nLeak-line-two"},
        {"unused", "Leak-unused-0002"}};
    content_["kv2"].as_object()["kv"].as_object()["leak"] =
        json::array{{{"value", "Leak-version-0003"}}};
    task_.emplace(runs_until_told);
    task_->executor_env("A_PLAIN_NAME", "vault://secret/leak");
    task_->executor_env("LINES", "vault://secret/leak?key=multi");
    task_->executor_env("VERSIONED", "vault://kv/leak");
    task_->parameter("env", "BY_PARAMETER=vault://secret/leak");
  }

  /// What was given to the executor, and must not come out of it.
  [[nodiscard]] std::set<std::string> secrets() const {
    std::set<std::string> out{"Leak-value-0001",    "Leak-line-one",     "Leak-line-two",
                              "Leak-unused-0002",   "Leak-version-0003", "hunter2-Passw0rd",
                              "the-secret-id-0123", "a-wrong-Passw0rd"};
    std::istringstream issued(read_file(path("issued")));
    for (std::string line; std::getline(issued, line);) out.insert(line);
    return out;
  }

  /// Sandbox, command line and what dumps could be made of: read while the executor lives.
  void look_at(const json::object& event) {
    const auto name = event.at("event").as_string();
    if (name == "sandbox") sandbox_ = event.at("path").as_string();
    if (name == "executor_pid") pid_ = event.at("pid").as_int64();
    if (name != "update" || pid_ == 0) return;
    const std::string proc = "/proc/" + std::to_string(pid_);
    written_ += read_file(proc + "/cmdline") + read_file(proc + "/comm");
    const auto core = read_file(proc + "/limits");
    const auto line = core.find("Max core file size");
    if (line == std::string::npos) return;  // it has just ended
    EXPECT_TRUE(says(core.substr(line, core.find('\n', line) - line), " 0 "));
    for (const auto& entry : fs::recursive_directory_iterator(sandbox_)) {
      written_ += entry.path().string() + "\n";
      if (entry.is_regular_file()) written_ += read_file(entry.path());
    }
  }

  RunResult watched_run(RunOptions options) {
    options.on_event = [this](const json::object& event) { look_at(event); };
    auto result = run(*task_, options);
    written_ += result.out + result.err;
    for (const auto& event : result.events) {
      // The stand-in's own lines hold names only; the agent's are what the executor sent.
      written_ += json::serialize(event) + "\n";
      const auto* status = event.if_contains("status");
      if (status == nullptr || !status->is_object()) continue;
      if (const auto* data = status->as_object().if_contains("data"))
        written_ += sidecar_executor::base64_decode(data->as_string())
                        .value_or(std::string(data->as_string()));
    }
    for (const auto& id : containers_of(task_->id())) {
      written_ += run_command({"docker", "inspect", "--format",
                               "{{json .Config.Labels}} {{.Path}} {{json .Args}} {{.Name}}", id})
                      .output;
    }
    return result;
  }

  void expect_nothing_leaked() const {
    ASSERT_GT(written_.size(), 5000u) << "or nothing was looked at";
    EXPECT_GE(secrets().size(), 8u);
    for (const auto& secret : secrets()) {
      EXPECT_FALSE(says(written_, secret)) << "found: " << secret;
    }
  }

  std::optional<TaskBuilder> task_;
  std::string written_;
  std::string sandbox_;
  std::int64_t pid_ = 0;
};

TEST_F(VaultLeakTest, AWholeLifeWithDebugOn) {
  content_["aws"] = {{"aws", {{"app", {{"ttl", 3}, {"security_token", true}}}}}};
  RunOptions options;
  options.executor_environment = userpass();
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"EXECUTOR_DEBUG", "true"},
                                                        {"EXECUTOR_AWS_ROLE", "app"},
                                                        {"VAULT_TOKEN_FILE", path("token")}}) {
    options.executor_environment.emplace_back(name, value);
  }
  options.agent_arguments = {"--kill-after", "3"};
  const auto result = watched_run(options);
  EXPECT_EQ(result.last().state, "TASK_KILLED") << result.transcript();
  // Tokens of two logins; access key, secret key and session token of one lease.
  EXPECT_GE(secrets().size(), 8u + 5u);
  EXPECT_TRUE(says(written_, "AWS_SECRET_ACCESS_KEY=[REDACTED]"));
  expect_nothing_leaked();
}

TEST_F(VaultLeakTest, AFailedLaunch) {
  task_->executor_env("BROKEN", "vault://secret/leak?key=none");
  RunOptions options;
  options.executor_environment = {{"VAULT_ROLE_ID", "the-role-id"},
                                  {"VAULT_SECRET_ID", "the-secret-id-0123"},
                                  {"EXECUTOR_DEBUG", "true"}};
  const auto result = watched_run(options);
  EXPECT_EQ(result.last().state, "TASK_FAILED") << result.transcript();
  EXPECT_TRUE(says(result.last().message, "BROKEN")) << result.last().message;
  expect_nothing_leaked();
}

TEST_F(VaultLeakTest, AFailedStart) {
  task_.emplace("/no/such/program");
  task_->executor_env("A_PLAIN_NAME", "vault://secret/leak");
  RunOptions options;
  options.executor_environment = userpass();
  options.executor_environment.emplace_back("EXECUTOR_DEBUG", "true");
  const auto result = watched_run(options);
  EXPECT_EQ(result.last().state, "TASK_FAILED") << result.transcript();
  expect_nothing_leaked();
}

TEST_F(VaultLeakTest, ARefusedLogin) {
  RunOptions options;
  options.executor_environment = {{"VAULT_USERNAME", "exec"},
                                  {"VAULT_PASSWORD", "a-wrong-Passw0rd"},
                                  {"EXECUTOR_DEBUG", "true"}};
  const auto result = watched_run(options);
  EXPECT_EQ(result.last().state, "TASK_FAILED") << result.transcript();
  expect_nothing_leaked();
}

TEST_F(VaultLeakTest, AnswersThatAreCutOffOrNoJson) {
  for (const char* fault : {"truncate", "html"}) {
    RunOptions options;
    options.executor_environment = userpass();
    options.executor_environment.emplace_back("VAULT_MAX_RETRIES", "0");
    options.executor_environment.emplace_back("EXECUTOR_DEBUG", "true");
    options.agent_arguments = {"--vault-fault", std::string(fault) + ",path=secret/"};
    const auto result = watched_run(options);
    EXPECT_EQ(result.last().state, "TASK_FAILED") << result.transcript();
  }
  expect_nothing_leaked();
}

}  // namespace
}  // namespace sx_test
