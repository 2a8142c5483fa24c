#pragma once
// What the system tests of Vault share: a Vault's content as a file, and the lines that tell what
// it was asked.

#include <fstream>
#include <sstream>

#include "support/system.hpp"

namespace sx_test {

using States = std::vector<std::string>;

/// Ends on SIGTERM at once.
inline const char* const runs_until_told =
    "/bin/sh -c 'trap \"exit 0\" TERM; while true; do sleep 0.1; done'";

class VaultTest : public SystemTest {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/sx-vault-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    folder_ = pattern;
    content_ = {
        {"tokens", {{"team", {{"id", "s.the-teams-own-token"}, {"ttl", 0}}}}},
        {"userpass", {{"userpass", {{"exec", {{"password", "hunter2-Passw0rd"}, {"ttl", 3600}}}}}}},
        {"approle", {{"approle", {{"the-role-id", {{"secret_id", "the-secret-id-0123"}}}}}}},
        {"aws", {{"aws", {{"app", {{"ttl", 3600}}}}}}},
        {"kv1", {{"secret", {{"db", {{"value", "s3cr3t-value"}, {"user", "dbuser-login"}}}}}}},
        {"kv2",
         {{"kv",
           {{"app",
             json::array{{{"value", "first-version"}}, nullptr, {{"value", "third-version"}}}}}}}}};
  }
  void TearDown() override {
    SystemTest::TearDown();
    run_command({"rm", "-rf", folder_});
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
  }
  [[nodiscard]] std::vector<std::string> vault_arguments() const {
    write("vault.json", json::serialize(content_));
    return {"--vault", path("vault.json"), "--vault-issued", path("issued")};
  }

  /// A run with the stand-in Vault; login by userpass unless `options` say otherwise.
  RunResult run(const TaskBuilder& task, RunOptions options = {}) const {
    if (options.executor_environment.empty()) options.executor_environment = userpass();
    auto arguments = vault_arguments();
    arguments.insert(arguments.end(), options.agent_arguments.begin(),
                     options.agent_arguments.end());
    options.agent_arguments = std::move(arguments);
    return run_task(task, options);
  }
  static std::vector<std::pair<std::string, std::string>> userpass() {
    return {{"VAULT_USERNAME", "exec"}, {"VAULT_PASSWORD", "hunter2-Passw0rd"}};
  }

  json::object content_;

 private:
  std::string folder_;
};

inline std::vector<json::object> events_named(const RunResult& run, std::string_view name) {
  std::vector<json::object> found;
  for (const auto& event : run.events) {
    if (event.at("event").as_string() == name) found.push_back(event);
  }
  return found;
}

/// `GET /v1/secret/db` for each request, in order.
inline States calls(const RunResult& run) {
  States out;
  for (const auto& event : events_named(run, "vault_request"))
    out.emplace_back(event.at("call").as_string());
  return out;
}

inline long count_of(const States& all, const std::string& one) {
  return std::count(all.begin(), all.end(), one);
}

/// The names in a list of the `vault_end` line: tokens, leases, revoked, expired.
inline States at_the_end(const RunResult& run, const char* list) {
  States out;
  const auto ends = events_named(run, "vault_end");
  if (ends.empty()) return {"no vault_end line"};
  for (const auto& name : ends.back().at(list).as_array()) out.emplace_back(name.as_string());
  return out;
}

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace sx_test
