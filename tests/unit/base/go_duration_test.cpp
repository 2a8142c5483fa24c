#include "base/go_duration.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

namespace sidecar_executor {
namespace {

using std::chrono::nanoseconds;

struct Parsed {
  std::string_view text;
  std::int64_t nanoseconds;
};

TEST(GoDuration, ParsesWhatGoParses) {
  const Parsed cases[] = {
      {"0", 0},
      {"-0", 0},
      {"+0", 0},
      {"5s", 5'000'000'000},
      {"300ms", 300'000'000},
      {"1m40s", 100'000'000'000},
      {"1.5h", 5'400'000'000'000},
      {"-1s", -1'000'000'000},
      {"+5s", 5'000'000'000},
      {"1s500ms", 1'500'000'000},
      {"3h2m1s", 10'921'000'000'000},
      {"12us", 12'000},
      {"12\xC2\xB5s", 12'000},
      {"12\xCE\xBCs", 12'000},
      {"52763797000ns", 52'763'797'000},
      {".5s", 500'000'000},
      {"5.s", 5'000'000'000},
      {"-.5m", -30'000'000'000},
      {"0.3333333333333333333h", 1'200'000'000'000},
      {"0.830103483285477580700h", 2'988'372'539'827},
      {"9007199254740993ns", 9'007'199'254'740'993},
      {"9223372036854775807ns", INT64_MAX},
      {"-9223372036854775808ns", INT64_MIN},
      {"0.9223372036854775807h", 3'320'413'933'267},
      {"2562047h47m16.854775807s", INT64_MAX},
      {"0.100000000000000000000h", 360'000'000'000},
  };
  for (const auto& [text, count] : cases) {
    const auto value = parse_go_duration(text);
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->count(), count) << text;
  }
}

TEST(GoDuration, RefusesWhatGoRefuses) {
  for (const std::string_view text : {"",
                                      "3",
                                      "-",
                                      "s",
                                      ".",
                                      "-.",
                                      ".s",
                                      "+.s",
                                      "1d",
                                      "5 s",
                                      " 5s",
                                      "1s ",
                                      "abc",
                                      "0x5s",
                                      "1e3s",
                                      "\x85\x85",
                                      "\xff\xff",
                                      "hello \xff world",
                                      "9223372036854775808ns",
                                      "10000000000000000000ns",
                                      "9223372036.9s",
                                      "9223372036854775.808us",
                                      "-9223372036854775809ns",
                                      "9223372036854775807s",
                                      "3000000h",
                                      "2562047h47m16.854775808s",
                                      "1..5s",
                                      "--1s",
                                      "1S",
                                      "9223372036854775808ns9223372036854775808ns"}) {
    const auto value = parse_go_duration(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().kind, ErrorKind::invalid);
    EXPECT_NE(value.error().message.find("1m40s"), std::string::npos);
  }
}

TEST(GoDuration, PrintsAsGo) {
  const Parsed cases[] = {
      {"0s", 0},
      {"1ns", 1},
      {"1.1\xC2\xB5s", 1'100},
      {"2.2ms", 2'200'000},
      {"3.3s", 3'300'000'000},
      {"4m5s", 245'000'000'000},
      {"4m5.001s", 245'001'000'000},
      {"5h6m7.001s", 18'367'001'000'000},
      {"8m0.000000001s", 480'000'000'001},
      {"2562047h47m16.854775807s", INT64_MAX},
      {"-2562047h47m16.854775808s", INT64_MIN},
      {"1m0s", 60'000'000'000},
      {"744h0m0s", 744 * 3'600'000'000'000},
      {"-1.5s", -1'500'000'000},
      {"300ms", 300'000'000},
  };
  for (const auto& [text, count] : cases) {
    EXPECT_EQ(format_go_duration(nanoseconds(count)), text);
  }
}

TEST(GoDuration, PrintedIsParsedBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = static_cast<std::int64_t>(random() >> (random() % 64));
    const nanoseconds value(i % 2 == 0 ? bits : -(bits / 2));
    const auto back = parse_go_duration(format_go_duration(value));
    ASSERT_TRUE(back) << value.count();
    // Go's own fractions of a second are exact to the nanosecond.
    ASSERT_EQ(back->count(), value.count());
  }
}

TEST(GoDuration, ForPeople) {
  const Parsed cases[] = {
      {"0s", 0},
      {"17ns", 17},
      {"250us", 250'000},
      {"350ms", 350'000'000},
      {"1s", 999'900'000},
      {"4.2s", 4'200'000'000},
      {"5s", 5'000'000'000},
      {"1m", 59'960'000'000},
      {"1m12s", 72'000'000'000},
      {"15m", 900'000'000'000},
      {"3h05m", 11'100'000'000'000},
      {"2d03h", 51 * 3'600'000'000'000},
      {"-4.2s", -4'200'000'000},
  };
  for (const auto& [text, count] : cases) EXPECT_EQ(format_for_people(nanoseconds(count)), text);
}

}  // namespace
}  // namespace sidecar_executor
