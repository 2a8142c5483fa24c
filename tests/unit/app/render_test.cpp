// What `render` shows of whoever runs it: nothing but what the definition says.
#include "app/render.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <sstream>

namespace sidecar_executor::app {
namespace {

TEST(RenderTest, ValuesOfItsOwnEnvironmentAreNotShown) {
  const std::map<std::string, std::string, std::less<>> own{
      {"DEPLOY_KEY", "hunter2"}, {"EMPTY", ""}, {"NOT_ASKED_FOR", "hunter3"}};
  RenderInputs inputs;
  inputs.text = R"({"task_id":{"value":"t"},"container":{"type":"DOCKER","docker":{
      "image":"a:1","network":"BRIDGE","parameters":[{"key":"env","value":"DEPLOY_KEY"},
      {"key":"env","value":"EMPTY"},{"key":"env","value":"SAID=here"}]}}})";
  inputs.environment = [&own](std::string_view name) -> std::optional<std::string> {
    const auto found = own.find(name);
    if (found == own.end()) return std::nullopt;
    return found->second;
  };
  std::ostringstream out;
  std::ostringstream err;
  ASSERT_EQ(render(inputs, out, err), 0) << err.str();
  EXPECT_EQ((out.str() + err.str()).find("hunter"), std::string::npos) << out.str() << err.str();
  std::string env;
  const auto body = boost::json::parse(out.str());
  for (const auto& assignment : body.at("Env").as_array())
    env += std::string(assignment.as_string()) + " ";
  for (const char* shown : {"DEPLOY_KEY=[REDACTED] ", "EMPTY=[REDACTED] ", "SAID=here "})
    EXPECT_NE(env.find(shown), std::string::npos) << env;
  EXPECT_NE(err.str().find("note: the value of DEPLOY_KEY is this process's own, not shown; the "
                           "executor takes its own at the launch\n"),
            std::string::npos)
      << err.str();
}

}  // namespace
}  // namespace sidecar_executor::app
