// AWS keys in a whole run: leased, renewed, and given back at every kind of end.
#include <signal.h>

#include <algorithm>

#include "system/vault_run.hpp"

namespace sx_test {
namespace {

class VaultLeaseTest : public VaultTest {
 protected:
  void role(std::int64_t ttl, std::int64_t max_ttl = 0, bool renewable = true) {
    content_["aws"] = {
        {"aws", {{"app", {{"ttl", ttl}, {"max_ttl", max_ttl}, {"renewable", renewable}}}}}};
  }
  static RunOptions with_role(std::vector<std::string> arguments = {}) {
    RunOptions options;
    options.executor_environment = userpass();
    options.executor_environment.emplace_back("EXECUTOR_AWS_ROLE", "app");
    options.agent_arguments = std::move(arguments);
    return options;
  }
  static void expect_all_given_back(const RunResult& result) {
    EXPECT_EQ(at_the_end(result, "leases"), States{}) << result.transcript();
    EXPECT_EQ(at_the_end(result, "tokens"), States{"team"}) << result.transcript();
    EXPECT_EQ(at_the_end(result, "revoked"), (States{"app-1", "userpass-exec-1"}))
        << result.transcript();
  }
};

TEST_F(VaultLeaseTest, KeysReachTheContainerAndAreRevokedAtItsEnd) {
  TaskBuilder task(
      "/bin/sh -c '[ ${#AWS_ACCESS_KEY_ID} = 20 ] && [ ${#AWS_SECRET_ACCESS_KEY} = 40 ] && "
      "[ -z \"$AWS_SESSION_TOKEN\" ]'");
  const auto result = run(task, with_role());
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  // As the record aws_role.json of the Go executor, less its look-up, POST for PUT.
  EXPECT_EQ(calls(result),
            (States{"POST /v1/auth/userpass/login/exec", "POST /v1/auth/token/renew-self",
                    "GET /v1/aws/creds/app", "PUT /v1/sys/leases/revoke",
                    "POST /v1/auth/token/revoke-self"}));
  EXPECT_EQ(events_named(result, "vault_request")[1].at("increment").as_int64(), 4200);
  expect_all_given_back(result);
}

TEST_F(VaultLeaseTest, TtlAndSessionToken) {
  content_["aws"] = {{"aws", {{"app", {{"ttl", 3600}, {"security_token", true}}}}}};
  TaskBuilder task("/bin/sh -c '[ -n \"$AWS_SESSION_TOKEN\" ]'");
  auto options = with_role();
  options.executor_environment.emplace_back("EXECUTOR_AWS_ROLE_TTL", "30m");
  const auto result = run(task, options);
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  const auto requests = events_named(result, "vault_request");
  ASSERT_GE(requests.size(), 4u);
  // Increments as in the record aws_role_ttl.json.
  EXPECT_EQ(requests[1].at("increment").as_int64(), 2400);
  EXPECT_EQ(requests[3].at("call").as_string(), "PUT /v1/sys/leases/renew");
  EXPECT_EQ(requests[3].at("increment").as_int64(), 2160);
  expect_all_given_back(result);
}

TEST_F(VaultLeaseTest, VaultsOwnTokenIsNotRevoked) {
  TaskBuilder task("/bin/true");
  auto options = with_role();
  options.executor_environment = {{"VAULT_TOKEN", "s.the-teams-own-token"},
                                  {"EXECUTOR_AWS_ROLE", "app"}};
  const auto result = run(task, options);
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  EXPECT_EQ(at_the_end(result, "leases"), States{});
  EXPECT_EQ(at_the_end(result, "tokens"), States{"team"});
}

struct Ending {
  const char* name;
  const char* command;
  std::vector<std::string> arguments;
  const char* state;
};

class VaultEndTest : public VaultLeaseTest, public ::testing::WithParamInterface<Ending> {};

TEST_P(VaultEndTest, EverythingIsGivenBack) {
  const auto& row = GetParam();
  TaskBuilder task(row.command);
  const auto result = run(task, with_role(row.arguments));
  EXPECT_EQ(result.last().state, row.state) << result.transcript();
  expect_all_given_back(result);
  // The terminal update first: whoever waits for it does not wait for Vault.
  double revoked = 0;
  for (const auto& event : events_named(result, "vault_request")) {
    if (event.at("call").as_string() == "PUT /v1/sys/leases/revoke")
      revoked = event.at("t").to_number<double>();
  }
  EXPECT_GT(revoked, 0);
}

INSTANTIATE_TEST_SUITE_P(
    All, VaultEndTest,
    ::testing::Values(Ending{"Fails", "/bin/false", {}, "TASK_FAILED"},
                      Ending{"Killed", runs_until_told, {"--kill-after", "1"}, "TASK_KILLED"},
                      Ending{"ShutDown", runs_until_told, {"--shutdown-after", "1"}, "TASK_KILLED"},
                      Ending{"CannotStart", "/no/such/program", {}, "TASK_FAILED"}),
    [](const auto& info) { return info.param.name; });

TEST_F(VaultLeaseTest, TermGivesEverythingBack) {
  TaskBuilder task(runs_until_told);
  auto options = with_role();
  pid_t executor = 0;
  options.on_event = [&executor](const json::object& event) {
    const auto name = event.at("event").as_string();
    if (name == "executor_pid") executor = static_cast<pid_t>(event.at("pid").as_int64());
    if (name == "update" && event.at("status").at("state").as_string() == "TASK_RUNNING") {
      ::kill(executor, SIGTERM);
    }
  };
  const auto result = run(task, options);
  EXPECT_EQ(result.last().state, "TASK_KILLED") << result.transcript();
  EXPECT_EQ(result.executor_exit, 128 + SIGTERM);
  expect_all_given_back(result);
}

TEST_F(VaultLeaseTest, RefusedKeysFailTheTaskAndTheTokenIsGivenBack) {
  TaskBuilder task("/bin/true");
  auto options = with_role();
  options.executor_environment.emplace_back("EXECUTOR_AWS_ROLE", "no-such-role");
  const auto result = run(task, options);
  EXPECT_EQ(result.states(), (States{"TASK_STARTING", "TASK_FAILED"})) << result.transcript();
  EXPECT_TRUE(says(result.last().message, "no-such-role")) << result.last().message;
  EXPECT_EQ(at_the_end(result, "tokens"), States{"team"});
}

TEST_F(VaultLeaseTest, RenewedForAsLongAsTheTaskRuns) {
  role(2);
  TaskBuilder task("/bin/sh -c 'sleep 3'");
  const auto result = run(task, with_role());
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  EXPECT_GE(count_of(calls(result), "PUT /v1/sys/leases/renew"), 3);
  EXPECT_EQ(at_the_end(result, "expired"), States{});
  expect_all_given_back(result);
}

struct RunOut {
  const char* name;
  std::int64_t max_ttl;
  bool renewable;
  std::vector<std::string> arguments;
  const char* why;
  /// Docker has stopped it well before the lease ends; the last second of a lease is too short.
  bool rest_is_long;
};

class VaultRunOutTest : public VaultLeaseTest, public ::testing::WithParamInterface<RunOut> {};

TEST_P(VaultRunOutTest, StopsTheContainerBeforeTheKeysEnd) {
  const auto& row = GetParam();
  role(4, row.max_ttl, row.renewable);
  TaskBuilder task(runs_until_told);
  auto options = with_role(row.arguments);
  options.executor_environment.emplace_back("VAULT_MAX_RETRIES", "0");
  const auto result = run(task, options);
  EXPECT_EQ(result.last().state, "TASK_KILLED") << result.transcript();
  EXPECT_EQ(result.executor_exit, 0);
  EXPECT_TRUE(says(result.last().message, "the AWS keys' lease aws/creds/app/"))
      << result.last().message;
  EXPECT_TRUE(says(result.last().message, "expiry 20")) << result.last().message;
  EXPECT_TRUE(says(result.last().message, row.why)) << result.last().message;
  if (row.rest_is_long) EXPECT_EQ(at_the_end(result, "expired"), States{}) << "stopped before";
  EXPECT_GE(result.last().at, 1.5);
}

INSTANTIATE_TEST_SUITE_P(
    All, VaultRunOutTest,
    ::testing::Values(RunOut{"NotRenewable", 0, false, {}, "cannot be renewed", true},
                      RunOut{"MaximumReached", 5, true, {}, "were asked for", false},
                      RunOut{"RenewalRefused",
                             0,
                             true,
                             {"--vault-fault", "500,path=sys/leases/renew"},
                             "could not be renewed",
                             true}),
    [](const auto& info) { return info.param.name; });

TEST_F(VaultLeaseTest, VaultAwayForLessThanTheRestHarmsNothing) {
  role(8);
  TaskBuilder task("/bin/sh -c 'sleep 5'");
  // Renewal is due at 2.7 s; the keys can be used until 4 s.
  const auto result = run(task, with_role({"--vault-down-from", "2", "--vault-down-until", "3"}));
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  EXPECT_GE(count_of(calls(result), "PUT /v1/sys/leases/renew"), 1);
  expect_all_given_back(result);
}

TEST_F(VaultLeaseTest, VaultThatHangsAtTheEndHoldsNothingUp) {
  TaskBuilder task("/bin/true");
  const auto result = run(task, with_role({"--vault-fault", "hang,path=sys/leases/revoke"}));
  EXPECT_EQ(result.last().state, "TASK_FINISHED") << result.transcript();
  double hung = 0;
  double exited = 0;
  for (const auto& event : result.events) {
    const auto name = event.at("event").as_string();
    if (name == "vault_request" && event.at("call").as_string() == "PUT /v1/sys/leases/revoke" &&
        hung == 0) {
      hung = event.at("t").to_number<double>();
    }
    if (name == "executor_exit") exited = event.at("t").to_number<double>();
  }
  ASSERT_GT(hung, 0);
  EXPECT_LT(result.last().at, hung + 1) << "the update did not wait";
  EXPECT_GT(exited, hung + 3) << "or nothing was tried";
  EXPECT_EQ(at_the_end(result, "leases"), States{}) << "revoked with its token";
  EXPECT_EQ(at_the_end(result, "tokens"), States{"team"});
}

}  // namespace
}  // namespace sx_test
