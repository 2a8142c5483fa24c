// What the stand-in Sidecar shows and how it answers.
#include "sidecar.hpp"

#include <gtest/gtest.h>

namespace mini_agent {
namespace {

namespace json = boost::json;

TEST(MiniAgentSidecar, ServicesAreTheContainersThatAreNotHidden) {
  const Services services = services_of(
      R"([{"Id":"0123456789abcdef","Image":"web:1","Labels":{"SidecarDiscover":"true"}},)"
      R"({"Id":"bbbbbbbbbbbbbbbb","Image":"db:1","Labels":{"SidecarDiscover":"false"}},)"
      R"({"Id":"cccccccccccccccc","Image":"x:1","Labels":null}])");
  EXPECT_EQ(services, (Services{{"0123456789ab", "web:1"}, {"cccccccccccc", "x:1"}}));
  EXPECT_THROW(services_of("{}"), std::exception);
  EXPECT_THROW(services_of("<html>"), std::exception);
}

struct Asked {
  explicit Asked(SidecarOptions options)
      : sidecar(io, std::move(options), "h1", "unix:///nowhere",
                [this](const char* event, const json::object&) { events.emplace_back(event); }) {}
  HttpAnswer ask(const char* method, const char* target) {
    CallRequest request;
    request.method = method;
    request.target = target;
    return sidecar.answer(request);
  }
  boost::asio::io_context io;
  std::vector<std::string> events;
  StandInSidecar sidecar;
};

TEST(MiniAgentSidecar, StateAndDrain) {
  Asked asked({});
  for (const char* path : {"/state.json", "/api/state.json"}) {
    const auto root = json::parse(asked.ask("GET", path).body);
    EXPECT_TRUE(root.at("Servers").at("h1").at("Services").as_object().empty());
  }
  EXPECT_EQ(asked.ask("POST", "/api/services/0123456789ab/drain").status, 404u);
  EXPECT_EQ(asked.ask("POST", "/api/services//drain").status, 404u);
  EXPECT_EQ(asked.ask("GET", "/api/services/0123456789ab/drain").status, 404u);
  EXPECT_EQ(asked.events, (std::vector<std::string>{"sidecar_polled", "sidecar_polled",
                                                    "sidecar_drain_unknown"}));
}

TEST(MiniAgentSidecar, AnswersDrainsAsTold) {
  Asked asked(parse_options({"--sidecar-drain-status", "500", "t"}).sidecar);
  EXPECT_EQ(asked.ask("POST", "/api/services/0123456789ab/drain").status, 500u);
  EXPECT_EQ(asked.ask("GET", "/state.json").status, 200u);
  EXPECT_EQ(asked.events, (std::vector<std::string>{"sidecar_refused", "sidecar_polled"}));
}

TEST(MiniAgentSidecar, Faults) {
  SidecarOptions options;
  options.fail = true;
  EXPECT_EQ(Asked(options).ask("GET", "/state.json").status, 500u);
  options = {};
  options.hang = true;
  EXPECT_TRUE(Asked(options).ask("GET", "/state.json").silent);
  options = {};
  options.truncate = true;
  EXPECT_THROW(json::parse(Asked(options).ask("GET", "/state.json").body), std::exception);
}

TEST(MiniAgentSidecar, PaddingIsOtherHostsBeforeOurs) {
  SidecarOptions options;
  options.pad_mb = 1;
  const std::string body = Asked(options).ask("GET", "/state.json").body;
  EXPECT_GT(body.size(), 1024u * 1024);
  EXPECT_GT(json::parse(body).at("Servers").as_object().size(), 20u);
  EXPECT_GT(body.find("\"h1\":{"), 1024u * 1024);
}

TEST(MiniAgentSidecar, OptionsSwitchItOn) {
  EXPECT_FALSE(parse_options({"t"}).sidecar.on);
  EXPECT_TRUE(parse_options({"--sidecar", "t"}).sidecar.on);
  const auto options = parse_options({"--sidecar-status", "2,2,0", "--sidecar-pad", "3", "t"});
  EXPECT_TRUE(options.sidecar.on);
  EXPECT_EQ(options.sidecar.statuses, (std::vector<int>{2, 2, 0}));
  EXPECT_EQ(options.sidecar.pad_mb, 3);
  EXPECT_EQ(parse_options({"--sidecar-unhealthy-after=2", "t"}).sidecar.bad_after,
            std::chrono::seconds(2));
  for (const char* bad : {"", "2,", "x", "-1"}) {
    EXPECT_THROW(parse_options({"--sidecar-status", bad, "t"}), UsageError) << bad;
  }
}

TEST(MiniAgentSidecar, WantsAUnixSocket) {
  boost::asio::io_context io;
  EXPECT_THROW(ContainerWatch(io, "tcp://127.0.0.1:2375"), std::runtime_error);
  ContainerWatch fine(io, "");
  EXPECT_TRUE(fine.known().empty());
}

}  // namespace
}  // namespace mini_agent
