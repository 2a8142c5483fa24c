// How long a token lives: what that counts from, and that a token of others never ends earlier for
// a renewal of ours.
#include "component/vault/vault_test.hpp"
#include "net/boot_timer.hpp"
#include "vault/aws_lease.hpp"
#include "vault/login.hpp"

namespace sidecar_executor::vault {
namespace {

const std::string log_in = "POST /v1/auth/userpass/login/exec";
const std::string look_up = "GET /v1/auth/token/lookup-self";
const std::string renew = "POST /v1/auth/token/renew-self";
const std::string creds = "GET /v1/aws/creds/app";
const std::string keys = answer(200, R"({"lease_id":"aws/creds/app/1","lease_duration":3600,)"
                                     R"("renewable":true,)"
                                     R"("data":{"access_key":"AK","secret_key":"SK"}})");

// ---- what it counts from -----------------------------------------------------------------------

class TokenTimeTest : public VaultComponentTest {
 protected:
  /// Keeps when each request came; `renewed` is what a renewal gets.
  void serve_with_times(std::string renewed) {
    server.serve([this, renewed = std::move(renewed)](const SeenRequest& request) {
      const std::string what = request.method + " " + request.target;
      came[what] = net::boot_now();
      if (what == log_in) return login_answer("s.own", 1800);
      return what == renew ? renewed : lookup_answer();
    });
  }
  /// As for an AWS role.
  Token own_token() {
    Client one = client();
    Login login(one, log);
    return loop.run([&login]() -> asio::awaitable<Token> {
      auto token = co_await login.own_token();
      if (!token) co_return Token();
      if (token->ours) co_return co_await login.extend(*token, Seconds(4200));
      co_return *token;
    });
  }

  const std::chrono::nanoseconds start = net::boot_now();
  std::map<std::string, std::chrono::nanoseconds> came;
};

TEST_F(TokenTimeTest, FromBeforeTheRenewal) {
  with_login();
  serve_with_times(login_answer("s.own", 4200));
  const Token token = own_token();
  EXPECT_EQ(token.duration, 4200s);
  EXPECT_GT(token.received, came[log_in]);
  EXPECT_LT(token.received, came[renew]);
}

TEST_F(TokenTimeTest, FromBeforeTheLoginWhenTheRenewalFails) {
  with_login();
  serve_with_times(errors(403, "permission denied"));
  const Token token = own_token();
  EXPECT_EQ(count(renew), 1);
  EXPECT_EQ(token.duration, 1800s);
  EXPECT_GT(token.received, start);
  EXPECT_LT(token.received, came[log_in]);
}

TEST_F(TokenTimeTest, FromBeforeTheLookUpOfATokenOfOthers) {
  settings.token = Secret("s.team");
  serve_with_times({});
  const Token token = own_token();
  EXPECT_EQ(token.duration, 3600s);
  EXPECT_GT(token.received, start);
  EXPECT_LT(token.received, came[look_up]);
}

TEST_F(TokenTimeTest, FromBeforeTheLookUpOfTheFilesToken) {
  with_login(dir / "token");
  std::ofstream(settings.token_file) << "s.good";
  serve_with_times({});
  Client one = client();
  Login login(one, log);
  const auto token = loop.run([&login] { return login.shared_token(); });
  ASSERT_OK(token);
  EXPECT_EQ(count(log_in), 0);
  EXPECT_GT(token->received, start);
  EXPECT_LT(token->received, came[look_up]);
}

/// Login gives a second, of which half is usable; the renewal says no when that is over.
TEST_F(TokenTimeTest, ARenewalThatFailsSlowlyAddsNothing) {
  with_login();
  server.always([this](Peer& peer) -> asio::awaitable<void> {
    std::chrono::nanoseconds logged_in{0};
    for (;;) {
      const auto request = co_await peer.request();
      if (request.target.find("login") != std::string::npos) {
        logged_in = net::boot_now();
        co_await peer.send(login_answer("s.own", 1));
      } else if (request.target.find("renew-self") != std::string::npos) {
        co_await net::sleep_until_boot(logged_in + 500ms, cancellation);
        co_await peer.send(errors(403, "permission denied"));
      } else {
        co_await peer.send(keys);
      }
    }
  });
  AwsLease lease(loop.executor(), settings, environment, log, {"app", Seconds(0), true});
  ASSERT_OK(loop.run([&] { return lease.fetch(cancellation); }));
  EXPECT_TRUE(was_logged("going on with its first life")) << logged();
  EXPECT_TRUE(was_logged("usable_for=-")) << "half a second is over: " << logged();
}

// ---- a token of others -------------------------------------------------------------------------

class OthersTokenTest : public VaultComponentTest {
 protected:
  void SetUp() override { settings.token = Secret("s.team"); }
  /// 4 s are left at the start, so that the token's time comes after two thirds of half of that.
  /// `later` is what Vault says then.
  void fetch(std::string later) {
    server.serve([this, later = std::move(later)](const SeenRequest& request) {
      const std::string what = request.method + " " + request.target;
      if (what == look_up) return count(look_up) == 1 ? lookup_answer(4) : later;
      return what == creds ? keys : login_answer("s.team", 4200);
    });
    ASSERT_OK(loop.run([&] { return lease.fetch(cancellation); }));
  }
  /// Until the container has to stop, or `done`.
  void watch(const std::function<bool()>& done) {
    auto watching = loop.start([this] {
      return lease.watch([this](std::string text) { ended = std::move(text); }, cancellation);
    });
    loop.until([&] { return done() || !ended.empty(); }, "what becomes of the token");
    cancellation.cancel();
    loop.finish(watching);
  }

  AwsLease lease{loop.executor(), settings, environment, log, {"app", Seconds(0), true}};
  std::string ended;  ///< why the container has to stop
};

struct LeftRow {
  const char* name;
  int left;  ///< s, when the token's time has come; 0 = without end
  long renewals;
};

class OthersTokenLeft : public OthersTokenTest, public ::testing::WithParamInterface<LeftRow> {};

/// Vault counts an increment from now: 4200 s would be all that is left of a day.
TEST_P(OthersTokenLeft, IsNeverShortened) {
  fetch(lookup_answer(GetParam().left));
  watch([this] { return was_logged("Vault token"); });
  EXPECT_EQ(ended, "") << "the container may go on";
  EXPECT_EQ(count(look_up), 2);
  EXPECT_EQ(count(renew), GetParam().renewals);
  if (GetParam().renewals > 0) {
    EXPECT_EQ(server.requests().back().body, R"({"increment":4200})") << "more than is left";
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, OthersTokenLeft,
                         ::testing::Values(LeftRow{"ADay", 86400, 0},
                                           LeftRow{"AsMuchAsAsked", 4200, 0},
                                           LeftRow{"LessThanAsked", 4199, 1},
                                           LeftRow{"WithoutEnd", 0, 0}),
                         [](const auto& row) { return row.param.name; });

TEST_F(OthersTokenTest, IsNotRenewedWhenVaultDoesNotTellWhatIsLeft) {
  fetch(errors(503, "Vault is sealed"));
  watch([this] { return count(renew) > 0; });
  EXPECT_NE(ended.find("the Vault token could not be renewed: "), std::string::npos) << ended;
  EXPECT_NE(ended.find("Vault is sealed"), std::string::npos) << ended;
  EXPECT_EQ(count(renew), 0);
}

TEST_F(OthersTokenTest, IsNotRenewedWhenItIsOver) {
  fetch(errors(403, "permission denied"));
  watch([this] { return count(renew) > 0; });
  EXPECT_NE(ended.find("could not be renewed: Vault does not accept the token"), std::string::npos)
      << ended;
  EXPECT_EQ(count(renew), 0);
}

}  // namespace
}  // namespace sidecar_executor::vault
