#include "base/stamp.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor {
namespace {

TEST(Stamp, WhatIsOne) {
  for (const char* good :
       {"2026-01-02T15:04:05Z", "2026-01-02T15:04:05.1Z", "2026-01-02T15:04:05.123456789Z",
        "2026-01-02T15:04:05+02:00", "2026-01-02T15:04:05.123-11:30"}) {
    EXPECT_TRUE(is_stamp(good)) << good;
  }
  for (const char* bad :
       {"", "Z", "2026-01-02T15:04:05", "2026-01-02 15:04:05Z", "2026-01-02T15:04:05.Z",
        "2026-01-02T15:04:05.1", "2026-01-02T15:04:05,1Z", "2026-01-02T15:04:05.1xZ",
        "x026-01-02T15:04:05Z", "2026-01-02T15:04:05+0200", "2026-01-02T15:04:05.1+02-00",
        "2026-01-02T15:04:05+x2:00", "2026-01-02T15:04:05+0x:00", "2026-01-02T15:04:05+02:x0",
        "2026-01-02T15:04:05+02:0x", "2026-01-02T15:04:05x02:00"}) {
    EXPECT_FALSE(is_stamp(bad)) << bad;
  }
}

TEST(Stamp, Nanoseconds) {
  EXPECT_EQ(stamp_nanoseconds("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(stamp_nanoseconds("1970-01-01T00:00:01.5Z"), 1'500'000'000);
  EXPECT_EQ(stamp_nanoseconds("2026-01-02T15:04:05.123456789Z"), 1767366245123456789);
  EXPECT_EQ(stamp_nanoseconds("2026-01-02T17:04:05.123456789+02:00"), 1767366245123456789);
  EXPECT_EQ(stamp_nanoseconds("2026-01-02T15:04:05.1234567899Z"), 1767366245123456789);
  EXPECT_EQ(stamp_nanoseconds("9999-12-31T23:59:59.999999999Z"), 4611686017999999999) << "the last";
  EXPECT_EQ(stamp_nanoseconds("0000-00-00T00:00:00.5Z"), 500'000'000);
}

TEST(Stamp, OfAMoment) {
  using std::chrono::system_clock;
  const auto time = system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
      std::chrono::nanoseconds(1767366245000000789)));
  EXPECT_EQ(stamp_of(time), "2026-01-02T15:04:05.000000789Z");
  EXPECT_TRUE(is_stamp(stamp_of(system_clock::now())));
  EXPECT_EQ(format_utc(time), "2026-01-02T15:04:05Z");
  EXPECT_EQ(unix_time(time.time_since_epoch()), "1767366245.000000789");
}

}  // namespace
}  // namespace sidecar_executor
