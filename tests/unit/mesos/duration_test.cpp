#include "mesos/duration.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <fstream>
#include <string>

namespace sidecar_executor::mesos {
namespace {

/// What a real agent wrote for so many nanoseconds.
TEST(MesosDuration, AsAnAgentWritesThem) {
  std::ifstream in(SX_SOURCE_DIR "/tests/golden/transcripts/02-durations.jsonl");
  ASSERT_TRUE(in);
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    const auto entry = boost::json::parse(line);
    const std::string text(entry.at("env").as_string());
    const auto value = parse_duration(std::string_view(text).substr(text.find('=') + 1));
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->count(), entry.at("nanoseconds").to_number<std::int64_t>()) << text;
  }
  EXPECT_GT(lines, 10);
}

TEST(MesosDuration, Others) {
  const std::pair<std::string_view, std::int64_t> good[] = {
      {"15mins", 900'000'000'000}, {"-1secs", -1'000'000'000}, {"1.5us", 1'500}, {"0weeks", 0}};
  for (const auto& [text, count] : good) {
    const auto value = parse_duration(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->count(), count) << text;
  }
  for (const std::string_view text :
       {"", "5", "5s", "secs", "5 secs", "1e3secs", "nansecs", "infsecs", "1000000weeks", "5secs ",
        "1.2.3secs", "0x5secs"}) {
    const auto value = parse_duration(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().kind, ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace sidecar_executor::mesos
