// doctor against servers that answer, hang, refuse and talk nonsense. It ends, tells every line,
// and shows no secret.
#include "app/doctor.hpp"

#include <filesystem>
#include <fstream>
#include <map>

#include "component/net/http_test.hpp"
#include "support/folder_on_path.hpp"

namespace sidecar_executor::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using test::answer;
using test::Peer;
using test::ScriptedServer;
using test::SeenRequest;

const std::vector<std::string> every_check{"settings", "agent",    "files",   "sandbox", "docker",
                                           "limits",   "registry", "sidecar", "vault",   "syslog"};

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest() {
    variables["DOCKER_HOST"] = "tcp://" + docker.address().authority();
    variables["EXECUTOR_SIDECAR_URL"] = sidecar.address().display() + "/state.json";
    variables["HOME"] = home.path().string();
    variables["TASK_HOST"] = "host-1";
    docker.serve([](const SeenRequest& request) {
      return request.target == "/_ping"
                 ? answer(200, "OK", "Api-Version: 1.41\r\nServer: Docker/20.10\r\n")
                 : answer(200, R"({"MemoryLimit":true,"CgroupVersion":"2"})");
    });
    sidecar.serve([](const SeenRequest&) {
      return answer(200, R"({"Servers":{"host-1":{"Services":{"x":{"Status":0}}}}})");
    });
  }
  void TearDown() override {
    docker.stop();
    sidecar.stop();
    vault.stop();
    EXPECT_TRUE(loop.runs_out()) << "something is still waiting on the loop";
  }

  static void hang(ScriptedServer& server) {
    server.always([](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.hang();
    });
  }
  static void garbage(ScriptedServer& server) {
    server.always([](Peer& peer) -> asio::awaitable<void> {
      co_await peer.request();
      co_await peer.send(std::string("\x16\x03\x01 garbage\r\n\r\n") + std::string(5000, '\xff'));
    });
  }

  Findings examine(net::Duration limit = 30s) {
    DoctorInputs inputs;
    inputs.environment = [this](std::string_view name) -> std::optional<std::string> {
      const auto found = variables.find(std::string(name));
      if (found == variables.end()) return std::nullopt;
      return found->second;
    };
    for (const auto& [name, value] : variables) inputs.names.push_back(name);
    inputs.host_name = "this-host";
    inputs.limit = limit;
    Doctor doctor(loop.executor(), inputs);
    doctor.start();
    loop.until([&] { return doctor.done(); }, "every check to end");
    auto findings = doctor.findings();
    EXPECT_EQ(as_text(findings).find("hunter2"), std::string::npos) << as_text(findings);
    return findings;
  }
  static Finding of(const Findings& findings, const std::string& check) {
    for (const auto& finding : findings)
      if (finding.check == check) return finding;
    ADD_FAILURE() << "nothing about " << check << ":\n" << as_text(findings);
    return {};
  }
  static void expect(const Findings& findings, const std::string& check, Level level,
                     const std::string& text) {
    const auto finding = of(findings, check);
    EXPECT_EQ(finding.level, level) << as_text(findings);
    EXPECT_NE((finding.found + "; " + finding.advice).find(text), std::string::npos)
        << as_text(findings);
    if (level == Level::ok) EXPECT_EQ(finding.advice, "") << as_text(findings);
  }
  static std::vector<std::string> checks(const Findings& findings) {
    std::vector<std::string> out;
    for (const auto& finding : findings) out.push_back(finding.check);
    return out;
  }
  void use_vault() {
    variables["VAULT_ADDR"] = vault.address().display();
    variables["VAULT_USERNAME"] = "exec";
    variables["VAULT_PASSWORD"] = "hunter2";
  }
  std::vector<std::string> asked_of_vault() {
    std::vector<std::string> out;
    for (const auto& request : vault.requests())
      out.push_back(request.method + " " + request.target + " " + request.header("X-Vault-Token"));
    return out;
  }

  test::Loop loop;
  ScriptedServer docker{loop.executor()};
  ScriptedServer sidecar{loop.executor()};
  ScriptedServer vault{loop.executor()};
  test::TempDir home;
  std::map<std::string, std::string> variables;
};

TEST_F(DoctorTest, AGoodHostStartedByHand) {
  const auto findings = examine();
  EXPECT_EQ(checks(findings), every_check);
  EXPECT_EQ(exit_code(findings), 0) << as_text(findings);
  expect(findings, "settings", Level::ok, "SidecarUrl");
  expect(findings, "agent", Level::ok, "not started by an agent");
  expect(findings, "sandbox", Level::ok, "not started by an agent");
  expect(findings, "docker", Level::ok, "Docker/20.10, API 1.41, using 1.41");
  expect(findings, "limits", Level::ok, "cgroup v2");
  expect(findings, "registry", Level::ok, "no credentials for https://index.docker.io/v1/");
  expect(findings, "sidecar", Level::ok, "knows host host-1 (TASK_HOST)");
  expect(findings, "vault", Level::ok, "not set up");
  expect(findings, "syslog", Level::ok, "not used");
}

TEST_F(DoctorTest, EverythingHangs) {
  hang(docker);
  hang(sidecar);
  hang(vault);
  use_vault();
  const auto began = test::Clock::now();
  const auto findings = examine(300ms);
  EXPECT_LT(test::Clock::now() - began, test::hang_limit / 2);
  EXPECT_EQ(checks(findings), every_check);
  expect(findings, "docker", Level::fail, "no answer within 300 ms");
  expect(findings, "limits", Level::warn, "without Docker");
  expect(findings, "sidecar", Level::warn, "their health is not checked");
  expect(findings, "vault", Level::fail, "EXECUTOR_AWS_ROLE fail");
  EXPECT_EQ(exit_code(findings), 1);
}

TEST_F(DoctorTest, AnInfoThatHangs) {
  docker.always([](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await peer.request();
      if (request.target != "/_ping") break;
      co_await peer.send(answer(200, "OK", "Api-Version: 1.41\r\n"));
    }
    co_await peer.hang();
  });
  const auto findings = examine(300ms);
  expect(findings, "docker", Level::ok, "API 1.41");
  expect(findings, "limits", Level::fail, "no answer within 300 ms");
}

TEST_F(DoctorTest, ADockerThatIsTooOld) {
  docker.serve([](const SeenRequest& request) {
    return request.target == "/_ping"
               ? answer(200, "OK", "Api-Version: 1.39\r\nServer: Docker/18.09\r\n")
               : answer(200, "{}");
  });
  const auto findings = examine();
  expect(findings, "docker", Level::fail, "API 1.39, using 1.39; the executor needs API 1.40");
  EXPECT_EQ(checks(findings), every_check);
}

TEST_F(DoctorTest, AnApiVersionThatDockerDoesNotTakeIsTheVariables) {
  variables["DOCKER_API_VERSION"] = "1.99";
  docker.serve([](const SeenRequest& request) {
    return request.target == "/_ping"
               ? answer(200, "OK", "Api-Version: 1.41\r\n")
               : answer(400, R"({"message":"client version 1.99 is too new. Maximum supported API )"
                             R"(version is 1.41"})");
  });
  const auto findings = examine();
  expect(findings, "docker", Level::fail, "API 1.41, using 1.99: ");
  expect(findings, "docker", Level::fail, "correct DOCKER_API_VERSION, or unset it");
  expect(findings, "limits", Level::warn, "cannot be told without Docker");
  EXPECT_EQ(checks(findings), every_check);
}

TEST_F(DoctorTest, EverythingTalksNonsense) {
  garbage(docker);
  garbage(sidecar);
  garbage(vault);
  use_vault();
  const auto findings = examine();
  EXPECT_EQ(checks(findings), every_check);
  EXPECT_EQ(of(findings, "docker").level, Level::fail);
  EXPECT_EQ(of(findings, "sidecar").level, Level::warn);
  EXPECT_EQ(of(findings, "vault").level, Level::fail);
}

TEST_F(DoctorTest, NobodyListens) {
  const test::RefusedPort refused;
  variables["DOCKER_HOST"] = "tcp://" + refused.address().authority();
  variables["EXECUTOR_SIDECAR_URL"] = refused.address().display() + "/state.json";
  variables["VAULT_ADDR"] = refused.address().display();
  variables["VAULT_TOKEN"] = "hunter2";
  variables["EXECUTOR_RELAY_SYSLOG"] = "true";
  variables["EXECUTOR_SYSLOG_PROTOCOL"] = "tcp";
  variables["EXECUTOR_SYSLOG_ADDR"] = refused.address().authority();
  const auto findings = examine();
  EXPECT_EQ(checks(findings), every_check);
  expect(findings, "docker", Level::fail, "Connection refused");
  expect(findings, "sidecar", Level::warn, "Connection refused");
  expect(findings, "vault", Level::fail, "Connection refused");
  expect(findings, "syslog", Level::fail, "Connection refused");
}

TEST_F(DoctorTest, VariablesThatCannotBeUsedAreNamed) {
  variables["DOCKER_HOST"] = "ssh://x";
  variables["EXECUTOR_HTTP_TIMEOUT"] = "soon";
  variables["EXECUTOR_SIDECAR_POLL_INTERVAL"] = "5";
  variables["EXECUTOR_SPELT_WRONG"] = "1";
  variables["VAULT_ADDR"] = "no url";
  variables["MESOS_SANDBOX"] = "/no/such/folder";
  variables["MESOS_AGENT_ENDPOINT"] = "127.0.0.1";
  const auto findings = examine();
  expect(findings, "docker", Level::fail, "DOCKER_HOST=\"ssh://x\"");
  expect(findings, "vault", Level::fail, "VAULT_ADDR");
  expect(findings, "sandbox", Level::fail, "/no/such/folder: No such file or directory");
  const auto text = as_text(findings);
  for (const char* part :
       {"fail  settings  EXECUTOR_HTTP_TIMEOUT=\"soon\"",
        "fail  settings  EXECUTOR_SIDECAR_POLL_INTERVAL=\"5\"", "EXECUTOR_SPELT_WRONG",
        "MESOS_FRAMEWORK_ID is not set", "MESOS_AGENT_ENDPOINT: "})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  EXPECT_EQ(exit_code(findings), 1);
}

TEST_F(DoctorTest, AnAgentsEnvironmentAndSandbox) {
  variables["MESOS_SANDBOX"] = home.path().string();
  variables["MESOS_AGENT_ENDPOINT"] = "127.0.0.1:5051";
  variables["MESOS_FRAMEWORK_ID"] = "framework-1";
  variables["MESOS_EXECUTOR_ID"] = "executor-1";
  variables["MESOS_CHECKPOINT"] = "1";
  const auto findings = examine();
  expect(findings, "agent", Level::ok, "http://127.0.0.1:5051, framework framework-1");
  expect(findings, "sandbox", Level::ok, "can be written");
  EXPECT_TRUE(fs::is_empty(home.path())) << "what was written is removed";
}

TEST_F(DoctorTest, SidecarThatDoesNotKnowThisHost) {
  variables["TASK_HOST"] = "host-2";
  const auto findings = examine();
  expect(findings, "sidecar", Level::warn, "does not know host host-2 (TASK_HOST); tasks run, but");
  EXPECT_EQ(exit_code(findings), 0) << "tasks run";
}

TEST_F(DoctorTest, WithoutTaskHostTasksMayAskForAnotherHostThanDoctor) {
  variables.erase("TASK_HOST");
  const auto findings = examine();
  expect(findings, "sidecar", Level::warn,
         "does not know host this-host (this host's name; without TASK_HOST tasks ask for the "
         "agent's --hostname)");
  expect(findings, "sidecar", Level::warn, "run doctor with TASK_HOST=<that name>");
  EXPECT_EQ(as_text(findings).find("not checked"), std::string::npos) << "that is not known";
}

TEST_F(DoctorTest, RegistryCredentialsAreNamedNotShown) {
  variables["DOCKER_CONFIG"] = home / ".docker";
  fs::create_directory(home.path() / ".docker");
  std::ofstream(home / ".docker/config.json")
      << R"({"auths":{"registry.example.com":{"username":"u","password":"hunter2"},"bad":{"auth":"?"}}})";
  variables["EXECUTOR_DOCKER_REPOSITORY"] = "registry.example.com";
  expect(examine(), "registry", Level::ok,
         "credentials for registry.example.com by " + (home / ".docker/config.json"));
  variables["EXECUTOR_DOCKER_REPOSITORY"] = "other.example.com";
  const auto findings = examine();
  expect(findings, "registry", Level::warn, "no credentials for other.example.com");
  expect(findings, "registry", Level::warn, "docker login with DOCKER_CONFIG=/a/folder");
}

TEST_F(DoctorTest, AConfigThatCannotBeReadIsNamedOnce) {
  variables["DOCKER_CONFIG"] = home.path().string();
  fs::create_directory(home.path() / "config.json");
  const auto text = as_text(examine());
  const auto path = home / "config.json";
  EXPECT_NE(text.find(path + " cannot be read: not a regular file"), std::string::npos) << text;
}

TEST_F(DoctorTest, CredentialsBelowHomeAreReadByNoTask) {
  const std::string advice =
      "which HOME led to; tasks have no HOME from their agent and do not read it: set "
      "DOCKER_CONFIG";
  variables["EXECUTOR_DOCKER_REPOSITORY"] = "registry.example.com";
  std::ofstream(home / ".dockercfg")
      << R"({"registry.example.com":{"username":"u","password":"hunter2"}})";
  expect(examine(), "registry", Level::warn,
         (home / ".dockercfg") + ", entry registry.example.com, " + advice);
  fs::create_directory(home.path() / ".docker");
  std::ofstream(home / ".docker/config.json") << R"({"credsStore":"sx-doctor"})";
  const test::FolderOnPath programs(home.path());
  programs.program("docker-credential-sx-doctor", R"(echo '{"Username":"u","Secret":"hunter2"}')");
  expect(examine(), "registry", Level::warn,
         "by docker-credential-sx-doctor (" + (home / ".docker/config.json") + ", credsStore), " +
             advice);
}

TEST_F(DoctorTest, ACredentialHelperIsAsked) {
  fs::create_directory(home.path() / ".docker");
  std::ofstream(home / ".docker/config.json") << R"({"credsStore":"sx-doctor-not-there"})";
  const auto findings = examine();
  expect(findings, "registry", Level::warn, "sx-doctor-not-there");
}

TEST_F(DoctorTest, ACredentialHelperThatKnowsTheRegistryIsNamed) {
  variables["DOCKER_CONFIG"] = home / ".docker";
  fs::create_directory(home.path() / ".docker");
  std::ofstream(home / ".docker/config.json") << R"({"credsStore":"sx-doctor"})";
  const test::FolderOnPath programs(home.path());
  programs.program("docker-credential-sx-doctor", R"(echo '{"Username":"u","Secret":"hunter2"}')");
  expect(examine(), "registry", Level::ok, "by docker-credential-sx-doctor (");
}

TEST_F(DoctorTest, AVaultThatTasksLogInToByThemselves) {
  variables["VAULT_ADDR"] = vault.address().display();
  vault.serve([](const SeenRequest& request) {
    return answer(request.target.starts_with("/v1/sys/health?") ? 200 : 404, "{}");
  });
  expect(examine(), "vault", Level::warn, "tasks have to bring it in their environment");
  vault.serve([](const SeenRequest&) { return answer(503, R"({"sealed":true})"); });
  expect(examine(), "vault", Level::fail, "503");
  std::ofstream(home / ".vault-token") << "s.hunter2";
  vault.serve([](const SeenRequest&) { return answer(200, R"({"data":{"ttl":7200}})"); });
  expect(examine(), "vault", Level::ok, home / ".vault-token is accepted and ends in 2h");
}

TEST_F(DoctorTest, ALoginToVaultLeavesNoToken) {
  use_vault();
  vault.serve([](const SeenRequest& request) {
    if (request.target == "/v1/auth/userpass/login/exec")
      return answer(200, R"({"auth":{"client_token":"s.hunter2","lease_duration":60}})");
    return request.target == "/v1/auth/token/revoke-self" ? answer(204) : answer(404);
  });
  expect(examine(), "vault", Level::ok, "login by userpass works");
  EXPECT_EQ(asked_of_vault(),
            (std::vector<std::string>{"POST /v1/auth/userpass/login/exec ",
                                      "POST /v1/auth/token/revoke-self s.hunter2"}));
}

TEST_F(DoctorTest, ATokenThatCannotBeRevokedIsSaid) {
  use_vault();
  vault.serve([](const SeenRequest& request) {
    return request.target == "/v1/auth/userpass/login/exec"
               ? answer(200, R"({"auth":{"client_token":"s.hunter2","lease_duration":60}})")
               : answer(500, R"({"errors":["sealed"]})");
  });
  expect(examine(), "vault", Level::warn, "its token cannot be revoked");
}

TEST_F(DoctorTest, VaultSaysNo) {
  use_vault();
  vault.serve([](const SeenRequest&) {
    return answer(400, R"({"errors":["invalid username or password hunter2"]})");
  });
  expect(examine(), "vault", Level::fail, "invalid username or password");
}

TEST_F(DoctorTest, TokensThatAreThereAreOnlyLookedAt) {
  use_vault();
  variables["VAULT_TOKEN"] = "s.hunter2";
  vault.serve([](const SeenRequest&) { return answer(200, R"({"data":{"ttl":7200}})"); });
  expect(examine(), "vault", Level::ok, "the token of VAULT_TOKEN is accepted and ends in 2h");
  vault.serve([](const SeenRequest&) { return answer(403, R"({"errors":["denied"]})"); });
  expect(examine(), "vault", Level::fail, "does not accept the token of VAULT_TOKEN");
  for (const char* name : {"VAULT_TOKEN", "VAULT_USERNAME", "VAULT_PASSWORD"})
    variables.erase(name);
  variables["VAULT_TOKEN_FILE"] = home / "token";
  expect(examine(), "vault", Level::fail, home / "token");
  std::ofstream(home / "token") << "s.hunter2";
  vault.serve([](const SeenRequest&) { return answer(200, R"({"data":{"ttl":0}})"); });
  expect(examine(), "vault", Level::ok, "VAULT_TOKEN_FILE is accepted and does not end");
  for (const auto& asked : asked_of_vault())
    EXPECT_EQ(asked, "GET /v1/auth/token/lookup-self s.hunter2");
}

TEST_F(DoctorTest, Syslog) {
  variables["EXECUTOR_RELAY_SYSLOG"] = "true";
  variables["EXECUTOR_SYSLOG_ADDR"] = "127.0.0.1:9";
  expect(examine(), "syslog", Level::ok, "UDP does not tell");
  variables["EXECUTOR_SYSLOG_ADDR"] = docker.address().authority();
  variables["EXECUTOR_SYSLOG_PROTOCOL"] = "tcp";
  expect(examine(), "syslog", Level::ok, "takes connections");
  const test::DeafServer deaf;
  variables["EXECUTOR_SYSLOG_ADDR"] = deaf.address().authority();
  expect(examine(300ms), "syslog", Level::fail, "EXECUTOR_SYSLOG_ADDR");
  variables["EXECUTOR_SYSLOG_PROTOCOL"] = "unix";
  variables["EXECUTOR_SYSLOG_ADDR"] = home / "log";
  expect(examine(), "syslog", Level::fail, "No such file");
}

}  // namespace
}  // namespace sidecar_executor::app
