#include "docker/parameters.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace sidecar_executor::docker {
namespace {

std::optional<std::string> environment(std::string_view name) {
  if (name == "HOST_VAR") return "from the host";
  if (name == "EMPTY_VAR") return "";
  return std::nullopt;
}

Result<ParameterValues> read(const std::vector<mesos::Parameter>& parameters, bool strict = false) {
  return read_parameters(parameters, environment, strict);
}

TEST(Parameters, WhatEachSets) {
  const struct {
    std::vector<mesos::Parameter> given;
    const char* body;
  } table[] = {
      {{{"cap-add", "NET_ADMIN"}, {"cap-add", "SYS_PTRACE"}},
       R"({"HostConfig":{"CapAdd":["NET_ADMIN","SYS_PTRACE"]}})"},
      {{{"--cap-drop", "MKNOD"}, {"cap-add", "ALL"}},
       R"({"HostConfig":{"CapDrop":["MKNOD"],"CapAdd":["ALL"]}})"},
      {{{"volume-driver", "first"}, {"volume-driver", "local"}},
       R"({"HostConfig":{"VolumeDriver":"local"}})"},
      {{{"env", "A=1"}, {"label", "a=b"}}, "{}"},
  };
  for (const auto& row : table) {
    const auto got = read(row.given);
    ASSERT_TRUE(got);
    EXPECT_EQ(boost::json::serialize(got->body), row.body);
    EXPECT_TRUE(got->warnings.empty());
  }
}

TEST(Parameters, Environment) {
  const auto got = read({{"env", "A=1"},
                         {"e", "B="},
                         {"--env", "C=x=y z"},
                         {"env", "HOST_VAR"},
                         {"env", "EMPTY_VAR"},
                         {"env", "ABSENT"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->env, (std::vector<std::string>{"A=1", "B=", "C=x=y z", "HOST_VAR=from the host",
                                                "EMPTY_VAR="}));
  EXPECT_EQ(got->warnings, (std::vector<std::string>{"parameter env: ABSENT has no value and is "
                                                     "not set for the executor, ignoring"}));
}

TEST(Parameters, Labels) {
  const auto got =
      read({{"label", "a=1"}, {"label", "b=x=y"}, {"l", "a=2"}, {"label", "c="}, {"label", "d"}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->labels, (std::vector<std::pair<std::string, std::string>>{
                             {"a", "2"}, {"b", "x=y"}, {"c", ""}}));
  EXPECT_TRUE(got->warnings.empty());
  EXPECT_EQ(got->notes.size(), 1U);
}

TEST(Parameters, FaultsAreWarningsOrErrors) {
  const struct {
    mesos::Parameter given;
    const char* says;
  } table[] = {
      {{"ulimit", "nofile=1"}, "parameter \"ulimit\" is not supported yet"},
      {{"--ulimit", "nofile=1"}, "parameter \"ulimit\" is not supported yet"},
      {{"", "x"}, "parameter with an empty key"},
      {{"--", "x"}, "parameter with an empty key"},
      {{" ", "x"}, "parameter with an empty key"},
      {{"CAP-ADD", "x"}, "parameter \"CAP-ADD\" is not supported yet"},
      {{"cap-add", ""}, "parameter \"cap-add\": expected a value, found nothing"},
      {{"volume-driver", ""}, "parameter \"volume-driver\": expected a value, found nothing"},
      {{"env", "=s3cr3t"}, "parameter \"env\": expected NAME=value or NAME"},
      {{"env", ""}, "parameter \"env\": expected NAME=value or NAME"},
      {{"label", "=x"}, "parameter \"label\": expected name=value"},
      {{"new\nline", "x"}, "parameter \"new line\" is not supported yet"},
  };
  for (const auto& row : table) {
    const auto loose = read({{"cap-add", "A"}, row.given});
    ASSERT_TRUE(loose);
    EXPECT_EQ(loose->warnings, (std::vector<std::string>{row.says + std::string(", ignoring")}));
    EXPECT_EQ(boost::json::serialize(loose->body), R"({"HostConfig":{"CapAdd":["A"]}})");

    const auto strict = read({{"cap-add", "A"}, row.given}, true);
    ASSERT_FALSE(strict) << row.says;
    EXPECT_EQ(strict.error().kind, ErrorKind::invalid);
    EXPECT_EQ(strict.error().message, "container.docker.parameters[1]: " + std::string(row.says) +
                                          " (EXECUTOR_STRICT_PARAMETERS is true)");
  }
}

TEST(Parameters, StrictTakesWhatIsMerelyIgnored) {
  EXPECT_TRUE(read({{"label", "novalue"}, {"env", "ABSENT"}}, true));
}

TEST(Parameters, LongKeysAreClipped) {
  const auto got = read({{std::string(100'000, 'x'), "v"}});
  ASSERT_TRUE(got);
  EXPECT_LT(got->warnings.at(0).size(), 200U);
}

TEST(Parameters, TheTableIsTheDocumentation) {
  const auto text = parameters_markdown();
  for (const auto& flag : parameter_flags()) {
    EXPECT_NE(text.find("`" + std::string(flag.name) + "`"), std::string::npos) << flag.name;
    EXPECT_FALSE(flag.doc.empty());
  }
  EXPECT_GE(parameter_flags().size(), 5U);
}

}  // namespace
}  // namespace sidecar_executor::docker
