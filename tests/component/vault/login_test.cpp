// Which token: its order, the shared file in every state, and one login for all.
#include "vault/login.hpp"

#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>

#include "component/vault/vault_test.hpp"

namespace sidecar_executor::vault {
namespace {

namespace fs = std::filesystem;

const std::string login = "POST /v1/auth/userpass/login/exec";
const std::string renew = "POST /v1/auth/token/renew-self";
const std::string lookup = "GET /v1/auth/token/lookup-self";

class VaultLoginTest : public VaultComponentTest {
 protected:
  void SetUp() override {
    with_login(file);
    serve_vault();
  }
  /// Accepts s.good and s.new; gives s.new to whoever logs in.
  void serve_vault() {
    server.serve([this](const SeenRequest& request) {
      const std::string what = request.method + " " + request.target;
      const std::string token = request.header("X-Vault-Token");
      if (what == login) return login_answer("s.new");
      if (token != "s.good" && token != "s.new") return errors(403, "permission denied");
      if (what == renew) return login_answer("s.new", granted);
      return what == lookup ? lookup_answer() : errors(404, "");
    });
  }
  std::string token() {
    Client one = client();
    Login of(one, log);
    auto got = loop.run([&] { return of.shared_token(); });
    return got ? got->secret.text() : "error: " + got.error().message;
  }
  void write(const std::string& text, mode_t mode = 0600,
             std::chrono::hours age = std::chrono::hours(0)) const {
    std::ofstream(file, std::ios::trunc) << text;
    ::chmod(file.c_str(), mode);
    fs::last_write_time(file, fs::file_time_type::clock::now() - age);
  }
  [[nodiscard]] std::string stored() const {
    std::stringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  int granted = 87000;
  const std::string file = dir / "token";
};

TEST_F(VaultLoginTest, VaultTokenGoesFirstAndIsNotLookedAt) {
  settings.token = Secret("s.own");
  write("s.good");
  EXPECT_EQ(token(), "s.own");
  EXPECT_TRUE(seen().empty());
}

TEST_F(VaultLoginTest, AYoungGoodTokenOfTheFileIsReused) {
  write("s.good\n");
  EXPECT_EQ(token(), "s.good");
  EXPECT_EQ(seen(), std::vector<std::string>{lookup});
  EXPECT_FALSE(was_logged("chmod"));
}

TEST_F(VaultLoginTest, NoFileMeansLoginAndAFileForTheOthers) {
  EXPECT_EQ(token(), "s.new");
  EXPECT_EQ(seen(), (std::vector<std::string>{login, renew}));
  EXPECT_EQ(server.requests()[0].body, R"({"password":"pass word/1"})");
  EXPECT_EQ(server.requests()[1].body, R"({"increment":87000})");
  EXPECT_EQ(stored(), "s.new");
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  long files = 0;
  for (const auto& entry : fs::directory_iterator(dir.path()))
    files += entry.path().filename().string().starts_with("token") ? 1 : 0;
  EXPECT_EQ(files, 2) << "the token and its lock, no temporary file";
}

struct BadFile {
  const char* name;
  std::string text;
  mode_t mode;
  int hours;
  const char* logged;
};

class VaultBadFileTest : public VaultLoginTest, public ::testing::WithParamInterface<BadFile> {};

TEST_P(VaultBadFileTest, IsReplacedByALogin) {
  const auto& row = GetParam();
  write(row.text, row.mode, std::chrono::hours(row.hours));
  EXPECT_EQ(token(), "s.new");
  EXPECT_EQ(count(login), 1);
  EXPECT_EQ(stored(), "s.new");
  EXPECT_TRUE(was_logged(row.logged)) << logged();
  if (!row.text.empty()) EXPECT_FALSE(was_logged(row.text)) << logged();
}

INSTANTIATE_TEST_SUITE_P(
    All, VaultBadFileTest,
    ::testing::Values(BadFile{"Empty", "", 0600, 0, "is empty"},
                      BadFile{"Stale", "s.good", 0600, 23, "too old"},
                      BadFile{"HalfWritten", "s.go", 0600, 0, "does not accept"},
                      BadFile{"Revoked", "s.revoked", 0600, 0, "does not accept"},
                      BadFile{"NoToken", "two words", 0600, 0, "holds no token"},
                      BadFile{"Huge", std::string(20000, 'x'), 0600, 0, "larger than a token"}),
    [](const auto& info) { return info.param.name; });

TEST_F(VaultLoginTest, AWorldReadableFileIsUsedWithAWarning) {
  write("s.good", 0644);
  EXPECT_EQ(token(), "s.good");
  EXPECT_TRUE(was_logged("chmod 600")) << logged();
}

TEST_F(VaultLoginTest, AFolderOrAFifoInItsPlaceHoldsNothingUp) {
  fs::create_directory(file);
  EXPECT_EQ(token(), "s.new");
  EXPECT_TRUE(was_logged("is no regular file")) << logged();
  EXPECT_TRUE(was_logged("cannot be written")) << logged();
  fs::remove_all(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_EQ(token(), "s.new");
}

TEST_F(VaultLoginTest, AFolderThatIsNotThereMeansLoginsWithoutAFile) {
  settings.token_file = dir / "none/token";
  EXPECT_EQ(token(), "s.new");
  EXPECT_TRUE(was_logged("cannot be locked")) << logged();
  EXPECT_TRUE(was_logged("cannot be written")) << logged();
}

TEST_F(VaultLoginTest, ABadTtlReusesNothing) {
  settings.reuse_token_file = false;
  write("s.good");
  EXPECT_EQ(token(), "s.new");
  EXPECT_EQ(count(lookup), 0);
}

TEST_F(VaultLoginTest, LessLifeThanAskedForIsAWarning) {
  granted = 600;
  EXPECT_EQ(token(), "s.new");
  EXPECT_TRUE(was_logged("shorter life than asked for")) << logged();
}

TEST_F(VaultLoginTest, ATokenThatCannotBeRenewedIsUsedAsItIs) {
  const std::string fixed =
      R"({"auth":{"client_token":"s.new","lease_duration":60,"renewable":false}})";
  server.serve([&fixed](const SeenRequest&) { return answer(200, fixed); });
  EXPECT_EQ(token(), "s.new");
  EXPECT_EQ(seen(), std::vector<std::string>{login}) << "nothing to ask for";
  EXPECT_TRUE(was_logged("Vault's token cannot be renewed")) << logged();
  EXPECT_TRUE(was_logged("1m0s")) << logged();
}

TEST_F(VaultLoginTest, ARefusedRenewalLeavesTheFirstLife) {
  server.serve([](const SeenRequest& request) {
    return request.method + " " + request.target == login ? login_answer("s.new", 600)
                                                          : errors(403, "permission denied");
  });
  EXPECT_EQ(token(), "s.new");
  EXPECT_EQ(seen(), (std::vector<std::string>{login, renew}));
  EXPECT_TRUE(was_logged("going on with its first life")) << logged();
  EXPECT_EQ(logged().find("s.new"), std::string::npos) << logged();
}

TEST_F(VaultLoginTest, WaitsForWhoLogsInAlready) {
  const int held = ::open((file + ".lock").c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_EQ(::flock(held, LOCK_EX | LOCK_NB), 0);
  Client one = client();
  Login of(one, log);
  auto started = loop.start([&] { return of.shared_token(); });
  loop.run([]() -> asio::awaitable<void> {
    net::Cancellation never;
    co_await net::sleep_for(50ms, never);
  });
  EXPECT_FALSE(started.ended()) << "somebody else has the lock";
  write("s.good");
  ::close(held);
  auto got = loop.finish(started);
  ASSERT_OK(got);
  EXPECT_EQ(got->secret.text(), "s.good") << "what the other one wrote";
  EXPECT_EQ(count(login), 0);
}

TEST_F(VaultLoginTest, TheWaitForTheLockIsBoundedAndCancelled) {
  const int held = ::open((file + ".lock").c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_EQ(::flock(held, LOCK_EX | LOCK_NB), 0);
  const auto take = [&](net::Duration limit) {
    return loop.run([&]() -> asio::awaitable<Result<void>> {
      const auto lock = co_await TokenLock::take(file, limit, cancellation);
      if (lock) co_return boost::system::in_place_value;
      co_return lock.error();
    });
  };
  EXPECT_ERROR(take(50ms), ErrorKind::timeout, "token.lock was not free within 50 ms");
  cancellation.cancel();
  EXPECT_ERROR(take(60s), ErrorKind::cancelled, "cancelled");
  ::close(held);
}

TEST_F(VaultLoginTest, ManyAtOnceLogInOnce) {
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::unique_ptr<Login>> logins;
  std::vector<test::Started<Result<Token>>> started;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Client>(client()));
    logins.push_back(std::make_unique<Login>(*clients.back(), log));
    started.push_back(loop.start([&of = *logins.back()] { return of.shared_token(); }));
  }
  for (auto& one : started) {
    auto got = loop.finish(one);
    ASSERT_OK(got);
    EXPECT_EQ(got->secret.text(), "s.new");
  }
  EXPECT_EQ(count(login), 1);
}

TEST_F(VaultLoginTest, WrongPasswordIsSaidWithoutUserAndPassword) {
  server.serve(
      [](const SeenRequest&) { return errors(400, "invalid username or password pass word/1"); });
  const auto said = token();
  EXPECT_NE(said.find("log in by userpass: POST http://"), std::string::npos) << said;
  EXPECT_NE(said.find("invalid username or password"), std::string::npos) << said;
  EXPECT_EQ(said.find("pass word/1"), std::string::npos) << said;
  EXPECT_EQ(said.find("login/exec"), std::string::npos) << said;
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(VaultLoginTest, NothingToLogInWith) {
  settings.method = Method::none;
  settings.token_file.clear();
  EXPECT_NE(token().find("no token for Vault: set VAULT_TOKEN"), std::string::npos);
  settings.home_token_file = file;
  write("s.good");
  EXPECT_EQ(token(), "s.good") << "as Vault's command line does";
}

TEST_F(VaultLoginTest, AppRoleAndCert) {
  settings.token_file.clear();
  settings.method = Method::approle;
  settings.mount = "team/approle";
  settings.role_id = "the-role";
  settings.secret_id = Secret("the-secret-id");
  server.serve([](const SeenRequest&) { return login_answer("s.new", 87000); });
  EXPECT_EQ(token(), "s.new");
  EXPECT_EQ(server.requests()[0].target, "/v1/auth/team/approle/login");
  EXPECT_EQ(server.requests()[0].body, R"({"role_id":"the-role","secret_id":"the-secret-id"})");
  settings.method = Method::cert;
  settings.mount = "cert";
  EXPECT_EQ(token(), "s.new");
  EXPECT_EQ(server.requests()[2].target, "/v1/auth/cert/login");
}

TEST_F(VaultLoginTest, ARejectedTokenIsReplacedByOneLogin) {
  write("s.revoked");
  Client one = client();
  Login of(one, log);
  const Secret rejected("s.revoked");
  auto got = loop.run([&] { return of.another_token(rejected); });
  ASSERT_OK(got);
  EXPECT_EQ(got->secret.text(), "s.new");
  EXPECT_EQ(count(lookup), 0) << "Vault has said what it thinks of it";
  EXPECT_EQ(stored(), "s.new");
  settings.method = Method::none;
  EXPECT_ERROR(loop.run([&] { return of.another_token(rejected); }), ErrorKind::unauthorized,
               "nothing to log in with");
}

}  // namespace
}  // namespace sidecar_executor::vault
