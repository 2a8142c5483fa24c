#pragma once
// What the component tests of Vault share: a scripted Vault, settings that lead to it, its log.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "base/log.hpp"
#include "component/net/http_test.hpp"
#include "vault/client.hpp"

namespace sidecar_executor::vault {

using namespace std::chrono_literals;
using test::answer;
using test::Peer;
using test::SeenRequest;

inline std::string login_answer(const std::string& token, int ttl = 3600) {
  return answer(200, R"({"auth":{"client_token":")" + token + R"(","lease_duration":)" +
                         std::to_string(ttl) + R"(,"renewable":true}})");
}
inline std::string lookup_answer(int ttl = 3600) {
  return answer(200, R"({"data":{"ttl":)" + std::to_string(ttl) + R"(,"renewable":true}})");
}
inline std::string errors(int status, const std::string& text, std::string_view headers = {}) {
  return answer(status, R"({"errors":[")" + text + R"("]})", headers);
}
inline std::string secret_answer(const std::string& value) {
  return answer(200, R"({"data":{"value":")" + value + R"("}})");
}

class VaultComponentTest : public ::testing::Test {
 public:
  ~VaultComponentTest() override { ::close(log_fd_); }

 protected:
  VaultComponentTest() : log_fd_(::open(log_path_.c_str(), O_CREAT | O_WRONLY, 0600)) {
    settings.url.address = server.address();
    settings.max_retries = 0;
    settings.retry_wait = 1ms;
  }
  void TearDown() override {
    server.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }

  /// Login data of userpass; `file` as VAULT_TOKEN_FILE.
  void with_login(const std::string& file = {}) {
    settings.method = Method::userpass;
    settings.mount = "userpass";
    settings.username = "exec";
    settings.password = Secret("pass word/1");
    settings.token_file = file;
  }
  Client client() { return {loop.executor(), settings, environment, cancellation}; }
  Result<Answer> ask(Call call = {"GET", "secret/x"}) {
    Client one = client();
    return loop.run([&] { return one.ask(std::move(call)); });
  }
  /// Answers by `METHOD target`; anything else is 404.
  void serve(std::map<std::string, std::string> answers) {
    server.serve([answers = std::move(answers)](const SeenRequest& request) {
      const auto found = answers.find(request.method + " " + request.target);
      return found == answers.end() ? errors(404, "no such path") : found->second;
    });
  }
  [[nodiscard]] std::vector<std::string> seen() const {
    std::vector<std::string> out;
    for (const auto& request : server.requests())
      out.push_back(request.method + " " + request.target);
    return out;
  }
  [[nodiscard]] long count(const std::string& request) const {
    const auto all = seen();
    return std::count(all.begin(), all.end(), request);
  }
  [[nodiscard]] std::string logged() const {
    std::stringstream text;
    text << std::ifstream(log_path_).rdbuf();
    return text.str();
  }
  [[nodiscard]] bool was_logged(const std::string& text) const {
    return logged().find(text) != std::string::npos;
  }

  test::TempDir dir;
  test::Loop loop;
  test::ScriptedServer server{loop.executor()};
  net::Cancellation cancellation;
  Settings settings;
  std::map<std::string, std::string> variables;
  Lookup environment = [this](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
  };

 private:
  std::string log_path_ = dir / "log";
  int log_fd_;
  OutputBuffer buffer_{log_fd_};

 protected:
  Log log{buffer_};
};

}  // namespace sidecar_executor::vault
