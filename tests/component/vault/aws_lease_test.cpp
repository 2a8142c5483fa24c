// AWS keys against a scripted Vault: what is kept for revoking, and that nothing waits for ever.
#include "vault/aws_lease.hpp"

#include "component/vault/vault_test.hpp"
#include "net/boot_timer.hpp"

namespace sidecar_executor::vault {
namespace {

const std::string creds = "GET /v1/aws/creds/app";
const std::string revoke_lease = "PUT /v1/sys/leases/revoke";
const std::string revoke_token = "POST /v1/auth/token/revoke-self";

std::string keys_answer(int duration = 3600, bool renewable = true) {
  return answer(200, R"({"lease_id":"aws/creds/app/1","lease_duration":)" +
                         std::to_string(duration) + R"(,"renewable":)" +
                         (renewable ? "true" : "false") +
                         R"(,"data":{"access_key":"AK","secret_key":"SK","security_token":null}})");
}

class AwsLeaseVaultTest : public VaultComponentTest {
 protected:
  void SetUp() override { with_login(); }
  AwsLease lease(Seconds ttl = Seconds(0)) {
    return {loop.executor(), settings, environment, log, {"app", ttl, true}};
  }
  /// A Vault where all goes well, except for what `special` answers (empty = nothing special).
  void serve_but(std::function<std::string(const std::string& what)> special) {
    server.serve([special = std::move(special)](const SeenRequest& request) {
      const std::string what = request.method + " " + request.target;
      if (auto bytes = special(what); !bytes.empty()) return bytes;
      if (what.find("login") != std::string::npos) return login_answer("s.own", 4200);
      if (what.find("renew-self") != std::string::npos) return login_answer("s.own", 4200);
      if (what.find("lookup-self") != std::string::npos) return lookup_answer();
      return what == creds ? keys_answer() : answer(204);
    });
  }
  Result<AwsCredentials> fetch(AwsLease& of) {
    return loop.run([&] { return of.fetch(cancellation); });
  }
  void revoke(AwsLease& of, net::Duration limit = 10s) {
    net::Cancellation never;
    loop.run([&] { return of.revoke(limit, never); });
  }
};

TEST_F(AwsLeaseVaultTest, FetchedAndGivenBackOnce) {
  serve_but([](const std::string&) { return std::string(); });
  AwsLease one = lease();
  const auto keys = fetch(one);
  ASSERT_OK(keys);
  EXPECT_EQ(keys->access_key.text(), "AK");
  revoke(one);
  revoke(one);
  EXPECT_EQ(count(revoke_lease), 1);
  EXPECT_EQ(count(revoke_token), 1);
  const auto& last = server.requests().back();
  EXPECT_EQ(last.header("X-Vault-Token"), "s.own");
}

TEST_F(AwsLeaseVaultTest, KeysThatAreRefusedLeaveNoToken) {
  serve_but([](const std::string& what) {
    return what == creds ? errors(403, "permission denied") : std::string();
  });
  AwsLease one = lease();
  EXPECT_ERROR(fetch(one), ErrorKind::unauthorized, "EXECUTOR_AWS_ROLE app: GET http://");
  revoke(one);
  EXPECT_EQ(count(revoke_lease), 0);
  EXPECT_EQ(count(revoke_token), 1);
}

TEST_F(AwsLeaseVaultTest, AnAnswerWithoutKeysIsRevokedAllTheSame) {
  serve_but([](const std::string& what) {
    return what == creds ? answer(200, R"({"lease_id":"l/1","lease_duration":60,"data":{}})")
                         : std::string();
  });
  AwsLease one = lease();
  EXPECT_ERROR(fetch(one), ErrorKind::protocol, "no data.access_key");
  revoke(one);
  EXPECT_EQ(count(revoke_lease), 1);
  EXPECT_EQ(count(revoke_token), 1);
}

TEST_F(AwsLeaseVaultTest, CancelledWhileTheKeysAreFetched) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await peer.request();
      if (request.target.find("/aws/") != std::string::npos) co_await peer.hang();
      co_await peer.send(request.target.find("revoke") != std::string::npos
                             ? answer(204)
                             : login_answer("s.own", 4200));
    }
  });
  AwsLease one = lease();
  auto started = loop.start([&] { return one.fetch(cancellation); });
  loop.until([&] { return count(creds) == 1; }, "the request for the keys");
  cancellation.cancel();
  EXPECT_ERROR(loop.finish(started), ErrorKind::cancelled, "cancelled");
  revoke(one);
  EXPECT_EQ(count(revoke_token), 1) << "what the request leased ends with its token";
}

/// Vault goes on without us, and only the answer names what there is to revoke.
TEST_F(AwsLeaseVaultTest, CancelledWhileTheKeysOfAnotherOnesTokenAreFetched) {
  settings.method = Method::none;
  settings.token = Secret("s.team");
  net::Signal killed(loop.executor());
  server.always([&killed](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await peer.request();
      const std::string what = request.method + " " + request.target;
      if (what == creds) co_await killed.wait();
      co_await peer.send(what == creds                                   ? keys_answer()
                         : what.find("lookup-self") != std::string::npos ? lookup_answer()
                                                                         : answer(204));
    }
  });
  AwsLease one = lease();
  auto started = loop.start([&] { return one.fetch(cancellation); });
  loop.until([&] { return count(creds) == 1; }, "the request for the keys");
  cancellation.cancel();
  killed.raise();
  EXPECT_ERROR(loop.finish(started), ErrorKind::cancelled, "cancelled");
  revoke(one);
  EXPECT_EQ(count(revoke_lease), 1);
  EXPECT_EQ(count(revoke_token), 0);
}

TEST_F(AwsLeaseVaultTest, CancelledWhileItLogsIn) {
  net::Signal killed(loop.executor());
  server.always([&killed](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await peer.request();
      const bool login = request.target.find("login") != std::string::npos;
      if (login) co_await killed.wait();
      co_await peer.send(login ? login_answer("s.own", 4200) : answer(204));
    }
  });
  AwsLease one = lease();
  auto started = loop.start([&] { return one.fetch(cancellation); });
  loop.until([&] { return !seen().empty(); }, "the login");
  cancellation.cancel();
  killed.raise();
  EXPECT_ERROR(loop.finish(started), ErrorKind::cancelled, "cancelled");
  EXPECT_EQ(count(creds), 0);
  revoke(one);
  EXPECT_EQ(count(revoke_token), 1) << "it would live on for its TTL";
}

TEST_F(AwsLeaseVaultTest, AVaultThatHangsHoldsUpAKillForSecondsOnly) {
  server.always([](Peer& peer) -> asio::awaitable<void> { co_await peer.hang(); });
  AwsLease one = lease();
  auto started = loop.start([&] { return one.fetch(cancellation); });
  loop.until([&] { return server.connections() == 1; }, "the login");
  cancellation.cancel();
  EXPECT_ERROR(loop.finish(started, 10s), ErrorKind::cancelled, "cancelled");
}

TEST_F(AwsLeaseVaultTest, ATokenThatIsNotOursStays) {
  settings.method = Method::none;
  settings.token = Secret("s.team");
  serve_but([](const std::string&) { return std::string(); });
  settings.home_token_file = dir / "home-token";
  std::ofstream(settings.home_token_file) << "s.home";
  AwsLease one = lease();
  ASSERT_OK(fetch(one));
  EXPECT_FALSE(was_logged("Vault's command line")) << "VAULT_TOKEN is used";
  revoke(one);
  EXPECT_EQ(count(revoke_lease), 1);
  EXPECT_EQ(count(revoke_token), 0);
}

TEST_F(AwsLeaseVaultTest, ATokenThatAVaultAgentMayHaveGivenOthersStays) {
  settings.address_set_by = "VAULT_AGENT_ADDR";
  serve_but([](const std::string&) { return std::string(); });
  AwsLease one = lease();
  ASSERT_OK(fetch(one));
  revoke(one);
  EXPECT_EQ(count(revoke_lease), 1);
  EXPECT_EQ(count(revoke_token), 0);
}

TEST_F(AwsLeaseVaultTest, RevokingIsBounded) {
  server.always([](Peer& peer) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await peer.request();
      if (request.target.find("revoke") != std::string::npos) co_await peer.hang();
      co_await peer.send(request.target.find("/aws/") != std::string::npos
                             ? keys_answer()
                             : login_answer("s.own", 4200));
    }
  });
  AwsLease one = lease();
  ASSERT_OK(fetch(one));
  revoke(one, 100ms);
  EXPECT_EQ(count(revoke_lease), 1);
  EXPECT_EQ(count(revoke_token), 1) << "tried although the lease's call hung";
  EXPECT_TRUE(was_logged("could not be revoked"));
}

TEST_F(AwsLeaseVaultTest, ALeaseThatEndsIsSaidWithItsReason) {
  serve_but([](const std::string& what) {
    return what == creds ? keys_answer(1, false) : std::string();
  });
  AwsLease one = lease();
  ASSERT_OK(fetch(one));
  std::string said;
  loop.run([&] {
    return one.watch([&said](std::string text) { said = std::move(text); }, cancellation);
  });
  EXPECT_NE(said.find("lease aws/creds/app/1 of role app runs out, expiry 2"), std::string::npos)
      << said;
  EXPECT_NE(said.find("cannot be renewed"), std::string::npos) << said;
}

/// The lease ends with our token, whose life is the shorter one here: of 6 s half counts, and two
/// thirds of that are waited.
TEST_F(AwsLeaseVaultTest, TheTokenIsRenewedInTime) {
  int renewals = 0;
  serve_but([&renewals](const std::string& what) {
    if (what.find("renew-self") == std::string::npos) return std::string();
    return login_answer("s.own", ++renewals == 1 ? 6 : 4200);
  });
  AwsLease one = lease();
  ASSERT_OK(fetch(one));
  std::string said;
  net::Cancellation stop;
  auto watching = loop.start(
      [&] { return one.watch([&said](std::string text) { said = std::move(text); }, stop); });
  loop.until([&] { return was_logged("Vault token renewed") || !said.empty(); }, "a renewal");
  EXPECT_EQ(said, "") << "the container may go on";
  EXPECT_EQ(renewals, 2);
  stop.cancel();
  loop.finish(watching);
}

TEST_F(AwsLeaseVaultTest, ATokenThatVaultDoesNotRenewEndsTheKeysWithItsReason) {
  int renewals = 0;
  serve_but([&renewals](const std::string& what) {
    if (what.find("renew-self") == std::string::npos) return std::string();
    return ++renewals == 1 ? login_answer("s.own", 4) : errors(403, "permission denied");
  });
  AwsLease one = lease();
  ASSERT_OK(fetch(one));
  std::string said;
  loop.run([&] {
    return one.watch([&said](std::string text) { said = std::move(text); }, cancellation);
  });
  EXPECT_NE(said.find("the Vault token could not be renewed: "), std::string::npos) << said;
  EXPECT_NE(said.find("permission denied"), std::string::npos) << said;
  EXPECT_TRUE(was_logged("Cannot be renewed, retrying")) << logged();
}

TEST_F(AwsLeaseVaultTest, KeysAreGoodThoughVaultGivesThemLessTimeThanAsked) {
  const std::string extend = "PUT /v1/sys/leases/renew";
  std::string answered =
      answer(200, R"({"lease_id":"aws/creds/app/1","lease_duration":7000,"renewable":true})");
  serve_but([&](const std::string& what) { return what == extend ? answered : std::string(); });
  AwsLease longer = lease(Seconds(7200));
  ASSERT_OK(fetch(longer));
  EXPECT_TRUE(was_logged("Vault gave the AWS lease less than EXECUTOR_AWS_ROLE_TTL")) << logged();
  answered = errors(400, "lease is not renewable");
  AwsLease never = lease(Seconds(7200));
  ASSERT_OK(fetch(never));
  EXPECT_TRUE(was_logged("cannot be made as long as EXECUTOR_AWS_ROLE_TTL says")) << logged();
  EXPECT_TRUE(was_logged("lease is not renewable")) << logged();
}

TEST_F(AwsLeaseVaultTest, WatchingEndsWithItsCancellation) {
  serve_but([](const std::string&) { return std::string(); });
  AwsLease one = lease();
  ASSERT_OK(fetch(one));
  net::Cancellation stop;
  bool ended = false;
  auto started =
      loop.start([&] { return one.watch([&](const std::string&) { ended = true; }, stop); });
  loop.poll();
  EXPECT_FALSE(started.ended());
  stop.cancel();
  loop.finish(started);
  EXPECT_FALSE(ended);
}

TEST_F(AwsLeaseVaultTest, BootTimer) {
  const auto before = net::boot_now();
  net::Cancellation never;
  EXPECT_TRUE(loop.run([&] { return net::sleep_until_boot(before + 30ms, never); }));
  EXPECT_GE(net::boot_now() - before, 30ms);
  EXPECT_TRUE(loop.run([&] { return net::sleep_until_boot(before, never); })) << "it is past";
  net::Cancellation stop;
  auto started =
      loop.start([&] { return net::sleep_until_boot(std::chrono::nanoseconds::max(), stop); });
  loop.poll();
  EXPECT_FALSE(started.ended());
  stop.cancel();
  EXPECT_FALSE(loop.finish(started));
}

}  // namespace
}  // namespace sidecar_executor::vault
