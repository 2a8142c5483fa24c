// What the agent tells its executor in variables, good and bad: mesos.md "What the executor is
// started with".
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>

#include "mesos/agent_session.hpp"
#include "net/tls.hpp"

namespace sidecar_executor::mesos {
namespace {

using namespace std::chrono_literals;
using Variables = std::map<std::string, std::string>;

Variables usual() {
  return {{"MESOS_AGENT_ENDPOINT", "10.1.2.3:5051"},
          {"MESOS_FRAMEWORK_ID", "f-0001"},
          {"MESOS_EXECUTOR_ID", "e-1"},
          {"MESOS_SLAVE_ID", "s-1"},
          {"MESOS_SLAVE_PID", "slave(1)@10.1.2.3:5051"},
          {"MESOS_SANDBOX", "/sandbox"},
          {"MESOS_DIRECTORY", "/directory"},
          {"MESOS_CHECKPOINT", "1"},
          {"MESOS_RECOVERY_TIMEOUT", "15mins"},
          {"MESOS_SUBSCRIPTION_BACKOFF_MAX", "2500ms"},
          {"MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "7secs"}};
}

LoadedAgentEnvironment load(const Variables& variables) {
  return load_agent_environment([&](std::string_view name) {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

Variables with(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) variables[name] = value;
  return variables;
}

bool names(const LoadedAgentEnvironment& loaded, const std::string& text) {
  for (const auto& problem : loaded.problems) {
    if (problem.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(AgentEnvironmentTest, AllOfIt) {
  const auto loaded = load(with(usual(), {{"MESOS_EXECUTOR_AUTHENTICATION_TOKEN", "token"}}));
  EXPECT_TRUE(loaded.reachable);
  EXPECT_TRUE(loaded.problems.empty()) << loaded.problems[0];
  const AgentEnvironment& env = loaded.environment;
  EXPECT_EQ(env.agent.display(), "http://10.1.2.3:5051");
  EXPECT_EQ(env.path, "/api/v1/executor");
  EXPECT_EQ(env.identity.framework_id, "f-0001");
  EXPECT_EQ(env.identity.executor_id, "e-1");
  EXPECT_EQ(env.agent_id, "s-1");
  EXPECT_EQ(env.sandbox, "/sandbox");
  EXPECT_TRUE(env.checkpoint);
  EXPECT_EQ(env.recovery_timeout, 15min);
  EXPECT_EQ(env.subscription_backoff_max, 2500ms);
  EXPECT_EQ(env.shutdown_grace, 7s);
  EXPECT_EQ(env.authentication_token, "token");
  EXPECT_EQ(env.heartbeat_interval, 30min);
  EXPECT_EQ(env.heartbeat_margin, 1min);
  EXPECT_EQ(env.resend_after, 5s);
}

TEST(AgentEnvironmentTest, LeastOfIt) {
  Variables least = usual();
  for (const char* name : {"MESOS_SLAVE_ID", "MESOS_SLAVE_PID", "MESOS_SANDBOX", "MESOS_CHECKPOINT",
                           "MESOS_RECOVERY_TIMEOUT", "MESOS_SUBSCRIPTION_BACKOFF_MAX",
                           "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"}) {
    least.erase(name);
  }
  const auto loaded = load(least);
  EXPECT_TRUE(loaded.reachable);
  EXPECT_TRUE(loaded.problems.empty()) << loaded.problems[0];
  EXPECT_FALSE(loaded.environment.checkpoint);
  EXPECT_EQ(loaded.environment.recovery_timeout, 0ns);
  EXPECT_EQ(loaded.environment.subscription_backoff_max, 2s);
  EXPECT_EQ(loaded.environment.shutdown_grace, 5s);
  EXPECT_EQ(loaded.environment.sandbox, "/directory");
}

TEST(AgentEnvironmentTest, WithoutTheseThereIsNoSession) {
  for (const char* name : {"MESOS_AGENT_ENDPOINT", "MESOS_FRAMEWORK_ID", "MESOS_EXECUTOR_ID"}) {
    for (const bool empty : {false, true}) {
      Variables variables = usual();
      if (empty) {
        variables[name] = "";
      } else {
        variables.erase(name);
      }
      const auto loaded = load(variables);
      EXPECT_FALSE(loaded.reachable) << name;
      ASSERT_EQ(loaded.problems.size(), 1U) << name;
      EXPECT_TRUE(loaded.problems[0].starts_with(std::string(name) + " is not set"))
          << loaded.problems[0];
    }
  }
}

TEST(AgentEnvironmentTest, BadEndpointsAreNamed) {
  for (const char* bad :
       {"10.1.2.3", "10.1.2.3:", ":5051", "10.1.2.3:0", "10.1.2.3:99999", "::1"}) {
    const auto loaded = load(with(usual(), {{"MESOS_AGENT_ENDPOINT", bad}}));
    EXPECT_FALSE(loaded.reachable) << bad;
    EXPECT_TRUE(names(loaded, "MESOS_AGENT_ENDPOINT: ")) << bad;
    EXPECT_TRUE(names(loaded, std::string("\"") + bad + "\"")) << bad;
  }
}

/// The session works without them, and the LAUNCH can be answered: no reason to be unreachable.
TEST(AgentEnvironmentTest, BadTimesAreNamedAndDoNoHarm) {
  for (const char* name : {"MESOS_RECOVERY_TIMEOUT", "MESOS_SUBSCRIPTION_BACKOFF_MAX",
                           "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"}) {
    for (const char* bad : {"soon", "5", "5 parsecs", "-2secs", "1e999days"}) {
      const auto loaded = load(with(usual(), {{name, bad}}));
      EXPECT_TRUE(loaded.reachable) << name << "=" << bad;
      ASSERT_EQ(loaded.problems.size(), 1U) << name << "=" << bad;
      EXPECT_TRUE(loaded.problems[0].starts_with(name)) << loaded.problems[0];
    }
  }
  const auto loaded = load(with(usual(), {{"MESOS_CHECKPOINT", "yes"}}));
  EXPECT_TRUE(loaded.reachable);
  EXPECT_TRUE(names(loaded, "MESOS_CHECKPOINT=\"yes\""));
}

TEST(AgentEnvironmentTest, EmptyIsAsGoodAsUnset) {
  const auto loaded = load(with(usual(), {{"MESOS_RECOVERY_TIMEOUT", ""},
                                          {"MESOS_CHECKPOINT", ""},
                                          {"MESOS_SUBSCRIPTION_BACKOFF_MAX", ""}}));
  EXPECT_TRUE(loaded.problems.empty()) << loaded.problems[0];
  EXPECT_FALSE(loaded.environment.checkpoint);
  EXPECT_EQ(loaded.environment.recovery_timeout, 0ns);
  EXPECT_EQ(loaded.environment.subscription_backoff_max, 2s);
}

// ---- domain socket -----------------------------------------------------------------------------

TEST(AgentEnvironmentTest, DomainSocket) {
  const auto loaded = load(with(usual(), {{"MESOS_DOMAIN_SOCKET", "/run/agent.sock"}}));
  EXPECT_TRUE(loaded.reachable);
  EXPECT_EQ(loaded.environment.agent.display(), "unix:///run/agent.sock");
  EXPECT_EQ(loaded.environment.path, "/slave(1)/api/v1/executor");
}

/// What the socket does not serve, /state, is asked for by the agent's address.
TEST(AgentEnvironmentTest, DomainSocketLeavesTheAddressAsItIs) {
  const auto loaded = load(
      with(usual(), {{"MESOS_DOMAIN_SOCKET", "/run/agent.sock"}, {"LIBPROCESS_SSL_ENABLED", "1"}}));
  net::Address agent = loaded.environment.agent;
  agent.unix_path.clear();
  EXPECT_EQ(agent.display(), "https://10.1.2.3:5051");
  EXPECT_NE(agent.tls_context, nullptr);
}

TEST(AgentEnvironmentTest, DomainSocketNeedsTheAgentsId) {
  for (const char* bad : {"", "slave(1)", "@10.1.2.3:5051"}) {
    const auto loaded =
        load(with(usual(), {{"MESOS_DOMAIN_SOCKET", "/run/agent.sock"}, {"MESOS_SLAVE_PID", bad}}));
    EXPECT_FALSE(loaded.reachable) << bad;
    EXPECT_TRUE(names(loaded, "MESOS_SLAVE_PID=")) << bad;
  }
}

// ---- TLS ---------------------------------------------------------------------------------------

TEST(AgentEnvironmentTest, HttpsWhenTheAgentHasSsl) {
  for (const char* on : {"1", "true", "TRUE", "t"}) {
    const auto loaded = load(with(usual(), {{"LIBPROCESS_SSL_ENABLED", on}}));
    EXPECT_TRUE(loaded.reachable) << on;
    EXPECT_EQ(loaded.environment.agent.display(), "https://10.1.2.3:5051") << on;
    ASSERT_NE(loaded.environment.agent.tls_context, nullptr);
    EXPECT_FALSE(loaded.environment.agent.tls_context->settings().verify) << "Mesos' default";
  }
  for (const char* off : {"", "0", "false"}) {
    const auto loaded = load(with(usual(), {{"LIBPROCESS_SSL_ENABLED", off}}));
    EXPECT_EQ(loaded.environment.agent.display(), "http://10.1.2.3:5051") << off;
  }
}

struct Verify {
  Variables variables;
  bool verify;
};

TEST(AgentEnvironmentTest, WhenTheAgentsCertificateIsVerified) {
  const Verify cases[] = {
      {{}, false},
      {{{"LIBPROCESS_SSL_VERIFY_SERVER_CERT", "1"}}, true},
      {{{"LIBPROCESS_SSL_VERIFY_CERT", "true"}}, true},
      {{{"LIBPROCESS_SSL_VERIFY_SERVER_CERT", "0"}, {"LIBPROCESS_SSL_VERIFY_CERT", "1"}}, false},
      {{{"LIBPROCESS_SSL_VERIFY_SERVER_CERT", "1"}, {"LIBPROCESS_SSL_VERIFY_CERT", "0"}}, true},
      {{{"LIBPROCESS_SSL_REQUIRE_CERT", "1"}}, true},
      {{{"LIBPROCESS_SSL_REQUIRE_CERT", "1"}, {"LIBPROCESS_SSL_VERIFY_CERT", "0"}}, true},
  };
  for (const auto& tested : cases) {
    const auto loaded =
        load(with(with(usual(), {{"LIBPROCESS_SSL_ENABLED", "1"}}), tested.variables));
    ASSERT_NE(loaded.environment.agent.tls_context, nullptr);
    EXPECT_EQ(loaded.environment.agent.tls_context->settings().verify, tested.verify)
        << (tested.variables.empty() ? "nothing" : tested.variables.begin()->first);
  }
}

TEST(AgentEnvironmentTest, BadTlsFilesAreNamed) {
  const auto loaded = load(with(usual(), {{"LIBPROCESS_SSL_ENABLED", "1"},
                                          {"LIBPROCESS_SSL_VERIFY_CERT", "1"},
                                          {"LIBPROCESS_SSL_CA_FILE", "/nowhere/ca.pem"}}));
  EXPECT_FALSE(loaded.reachable);
  EXPECT_TRUE(names(loaded, "/nowhere/ca.pem"));
  for (const std::string name : {"CA_FILE", "CA_DIR", "CERT_FILE"}) {
    const std::string variable = "LIBPROCESS_SSL_" + name;
    const auto bad = load(with(usual(), {{"LIBPROCESS_SSL_ENABLED", "1"},
                                         {"LIBPROCESS_SSL_VERIFY_CERT", "1"},
                                         {variable, "/nowhere/file"}}));
    EXPECT_FALSE(bad.reachable) << name;
    EXPECT_TRUE(names(bad, variable + ": ")) << (bad.problems.empty() ? "" : bad.problems[0]);
  }
}

}  // namespace
}  // namespace sidecar_executor::mesos
