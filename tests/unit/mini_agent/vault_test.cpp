// The stand-in Vault's faults, its lines and its options.
#include "vault.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "options.hpp"

namespace mini_agent {
namespace {

namespace json = boost::json;

class StandIn : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(file()) << R"({"tokens":{"fixed":{"id":"s.secret"}},)"
                             R"("userpass":{"userpass":{"u":{"password":"pw"}}},)"
                             R"("kv1":{"secret":{"a":{"value":"v"}}}})";
  }
  void TearDown() override {
    for (const auto& path : {file(), issued()}) ::unlink(path.c_str());
  }
  static std::string file() {
    return ::testing::TempDir() + "vault-" + std::to_string(::getpid()) + ".json";
  }
  static std::string issued() { return file() + ".issued"; }

  StandInVault& start(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"t", "--vault", file()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    vault_.emplace(io_, parse_options(all).vault, [this](const char* event, json::object details) {
      details["event"] = event;
      lines_.push_back(std::move(details));
    });
    vault_->listen();
    return *vault_;
  }

  HttpAnswer ask(const std::string& target, const std::string& method = "GET",
                 const std::string& body = {}) {
    CallRequest call;
    call.method = method;
    call.target = target;
    call.body = body;
    call.headers = {
        {"x-vault-token", "s.secret"}, {"x-vault-namespace", "team"}, {"x-vault-request", "true"}};
    return vault_->answer(call);
  }

  boost::asio::io_context io_;
  std::vector<json::object> lines_;
  std::optional<StandInVault> vault_;
};

TEST_F(StandIn, TellsEachRequestWithoutSecrets) {
  auto& vault = start({"--vault-issued", issued()});
  EXPECT_EQ(ask("/v1/secret/a").status, 200u);
  EXPECT_EQ(ask("/ui").status, 404u);
  const auto login = ask("/v1/auth/userpass/login/u", "POST", R"({"password":"pw"})");
  vault.close();
  ASSERT_EQ(lines_.size(), 4u);
  EXPECT_EQ(json::serialize(lines_[0]),
            R"({"n":1,"call":"GET /v1/secret/a","status":200,"fault":false,"namespace":"team",)"
            R"("request_header":"true","token":"fixed","event":"vault_request"})");
  const auto token = json::parse(login.body).at("auth").at("client_token").as_string();
  for (const auto& line : lines_) {
    const std::string text = json::serialize(line);
    EXPECT_EQ(text.find(token.c_str()), std::string::npos) << text;
    EXPECT_EQ(text.find("s.secret"), std::string::npos) << text;
  }
  std::ifstream file(issued());
  std::string first;
  std::getline(file, first);
  EXPECT_EQ(first, token.c_str());
  EXPECT_EQ(lines_[3].at("event").as_string(), "vault_end");
  EXPECT_EQ(lines_[3].at("requests").as_int64(), 3);
  EXPECT_EQ(json::serialize(lines_[3].at("tokens")), R"(["fixed","userpass-u-1"])");
}

TEST_F(StandIn, FaultsHaveAPathANumberAndAnOrder) {
  start({"--vault-fault", "429,path=secret/,times=1,retry-after=7", "--vault-fault",
         "500,path=auth/"});
  const auto first = ask("/v1/secret/a");
  EXPECT_EQ(first.status, 429u);
  EXPECT_NE(std::find(first.headers.begin(), first.headers.end(),
                      std::pair<std::string, std::string>("Retry-After", "7")),
            first.headers.end());
  EXPECT_EQ(ask("/v1/secret/a").status, 200u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("/v1/auth/token/lookup-self").status, 500u);
  EXPECT_TRUE(lines_[0].at("fault").as_bool());
  EXPECT_FALSE(lines_[1].at("fault").as_bool());
}

TEST_F(StandIn, FaultsHaveATime) {
  start({"--vault-fault", "sealed,until=3600", "--vault-fault", "500,from=3600"});
  EXPECT_EQ(json::parse(ask("/v1/secret/a").body),
            json::parse(R"({"errors":["Vault is sealed"]})"));
  start({"--vault-fault", "sealed,from=3600"});
  EXPECT_EQ(ask("/v1/secret/a").status, 200u);
}

TEST_F(StandIn, OtherFaults) {
  start({"--vault-fault", "hang,times=1", "--vault-fault", "truncate,times=1", "--vault-fault",
         "drip,times=1", "--vault-fault", "html,times=1"});
  EXPECT_TRUE(ask("/v1/secret/a").silent);
  EXPECT_TRUE(ask("/v1/secret/a").cut);
  const auto dripping = ask("/v1/secret/a");
  EXPECT_TRUE(dripping.stream);
  EXPECT_EQ(dripping.body, "") << "or it would come twice, the first time between the chunks";
  EXPECT_EQ(ask("/v1/secret/a").body.front(), '<');
  EXPECT_EQ(ask("/v1/secret/a").status, 200u);
  EXPECT_TRUE(lines_[0].at("status").is_null());
}

TEST_F(StandIn, AStandbyRedirects) {
  auto& vault = start({"--vault-standby"});
  CallRequest call;
  call.target = "/v1/secret/a?version=2";
  const auto answer = vault.redirect(call);
  EXPECT_EQ(answer.status, 307u);
  ASSERT_EQ(answer.headers.size(), 1u);
  EXPECT_TRUE(answer.headers[0].second.ends_with("/v1/secret/a?version=2"));
  EXPECT_FALSE(answer.headers[0].second.starts_with(vault.address()));
}

TEST_F(StandIn, GoesDownComesBackAndRevokes) {
  auto& vault = start({});
  const std::string address = vault.address();
  vault.go_down();
  vault.come_back();
  EXPECT_EQ(vault.address(), address);
  vault.revoke_all();
  EXPECT_EQ(ask("/v1/secret/a").status, 403u);
}

TEST(VaultOptions, MistakesAreNamed) {
  for (const char* bad : {"", "200", "600", "soon", "hang,often", "hang,times=0", "500,from=x"}) {
    EXPECT_THROW(parse_options({"--vault-fault", bad, "t"}), UsageError) << bad;
  }
  const auto options = parse_options({"--vault", "f", "--vault-down-from", "2",
                                      "--vault-down-until=3", "--vault-revoke-after", "4", "t"});
  EXPECT_TRUE(options.vault.on);
  EXPECT_EQ(options.vault.down_from, std::chrono::seconds(2));
  EXPECT_EQ(options.vault.down_until, std::chrono::seconds(3));
  EXPECT_EQ(options.vault.revoke_after, std::chrono::seconds(4));
  EXPECT_FALSE(parse_options({"t"}).vault.on);
}

}  // namespace
}  // namespace mini_agent
