#include "options.hpp"

#include <gtest/gtest.h>

#include "durations.hpp"
#include "task_file.hpp"
#include "wire_json.hpp"

namespace mini_agent {
namespace {

using namespace std::chrono_literals;

TEST(MiniAgentOptions, AreRead) {
  const Options options = parse_options({"--kill-after", "0.5", "--kill-grace=2secs", "--env",
                                         "A=b=c", "--shutdown-grace", "7", "t.json", "--json"});
  EXPECT_EQ(options.kill_after, 500ms);
  EXPECT_EQ(options.kill_grace, 2s);
  EXPECT_EQ(options.environment, std::vector<std::string>{"A=b=c"});
  EXPECT_EQ(options.shutdown_grace, "7secs");
  EXPECT_EQ(options.task_path, "t.json");
  EXPECT_TRUE(options.json);
  EXPECT_EQ(options.capabilities, std::vector<std::string>{"TASK_KILLING_STATE"});
  EXPECT_TRUE(parse_options({"--no-capabilities", "t"}).capabilities.empty());
}

TEST(MiniAgentOptions, MistakesAreNamed) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
      {{}, "no TASK.json"},
      {{"a", "b"}, "more than one"},
      {{"--nope", "a"}, "--nope"},
      {{"a", "--kill-after"}, "needs TIME"},
      {{"a", "--kill-after", "soon"}, "--kill-after: 'soon'"},
      {{"a", "--json=1"}, "takes no value"},
      {{"a", "--env", "X"}, "NAME=VALUE"},
      {{"a", "--slaves", "-1"}, "'-1'"},
      {{"a", "--kill-on", "RUNNING"}, "task state"},
      {{"a", "--master-port", "70000"}, "65535"}};
  for (const auto& [arguments, wanted] : mistakes) {
    try {
      parse_options(arguments);
      ADD_FAILURE() << wanted;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(wanted), std::string::npos) << error.what();
    }
  }
}

TEST(MiniAgentDurations, MesosAndSeconds) {
  EXPECT_EQ(parse_duration("5secs"), 5s);
  EXPECT_EQ(parse_duration("2500ms"), 2500ms);
  EXPECT_EQ(parse_duration("0.25"), 250ms);
  EXPECT_EQ(parse_duration("1.5mins"), 90s);
  EXPECT_EQ(parse_duration("0ns"), 0ns);
  for (const char* bad : {"", "secs", "-1", "5 secs", "1e400", "5parsecs"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_EQ(to_mesos(2s), "2secs");
  EXPECT_EQ(to_mesos(1500ms), "1500ms");
}

TEST(MiniAgentTaskFile, WhatIsMissingIsCompleted) {
  const Task task = complete_task(
      parse_as_agent(R"({"task_id":{"value":"t"},"resources":[{"name":"cpus","type":"SCALAR",)"
                     R"("scalar":{"value":1}}],"container":{"type":"DOCKER","docker":)"
                     R"({"image":"i"}}})")
          .value,
      "/opt/executor");
  EXPECT_EQ(task.executor_id, "t");
  EXPECT_EQ(task.info.at("name").as_string(), "t");
  EXPECT_EQ(task.info.at("agent_id").at("value").as_string(), task.agent_id);
  EXPECT_EQ(task.info.at("executor").at("command").at("value").as_string(), "/opt/executor");
  EXPECT_EQ(print_as_agent(task.info.at("container")),
            R"({"type":"DOCKER","docker":{"image":"i","network":"HOST","privileged":false}})");
  EXPECT_EQ(print_as_agent(task.info.at("resources")),
            R"([{"name":"cpus","type":"SCALAR","scalar":{"value":1.0},)"
            R"("allocation_info":{"role":"*"}}])");
}

TEST(MiniAgentTaskFile, TheEnvironmentKeepsItsOrderAndSecretsAreResolved) {
  const Task task = complete_task(
      parse_as_agent(R"({"executor":{"command":{"environment":{"variables":[)"
                     R"({"name":"B","value":"1"},{"name":"A"},{"name":"S","type":"SECRET",)"
                     R"("secret":{"type":"VALUE","value":{"data":"aGk="}}}]}}}})")
          .value,
      "/x");
  EXPECT_EQ(task.environment, (std::vector<std::string>{"B=1", "A=", "S=hi"}));
}

}  // namespace
}  // namespace mini_agent
