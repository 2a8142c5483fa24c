#include "mesos/recordio.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sidecar_executor::mesos {
namespace {

using Records = std::vector<std::string>;

TEST(RecordIo, AnyBordersGiveTheSameRecords) {
  const Records sent = {"{}", "", std::string(300, 'x'), "a\n5\nb", std::string("\0\xFF", 2)};
  std::string stream;
  for (const auto& record : sent) stream += encode_record(record);
  std::mt19937 random(4);
  for (int i = 0; i < 2'000; ++i) {
    RecordIoDecoder decoder;
    Records got;
    for (std::string_view rest = stream; !rest.empty();) {
      const std::size_t size =
          std::min<std::size_t>(1 + random() % (1U << (random() % 9)), rest.size());
      ASSERT_TRUE(decoder.feed(rest.substr(0, size), got));
      rest.remove_prefix(size);
      ASSERT_EQ(rest.empty() && !decoder.at_border(), false);
    }
    ASSERT_EQ(got, sent);
  }
}

TEST(RecordIo, KnowsItsBorders) {
  RecordIoDecoder decoder;
  Records got;
  EXPECT_TRUE(decoder.at_border());
  ASSERT_TRUE(decoder.feed("1", got));
  EXPECT_FALSE(decoder.at_border());
  ASSERT_TRUE(decoder.feed("2\nab", got));
  EXPECT_FALSE(decoder.at_border());
  ASSERT_TRUE(decoder.feed("0123456789", got));
  EXPECT_TRUE(decoder.at_border());
  EXPECT_EQ(got, Records{"ab0123456789"});
}

TEST(RecordIo, BadFramingIsFinal) {
  struct Case {
    std::string_view bytes;
    ErrorKind kind;
  };
  const Case cases[] = {
      {"x", ErrorKind::protocol},
      {"\n", ErrorKind::protocol},
      {"-1\n", ErrorKind::protocol},
      {"12 \n", ErrorKind::protocol},
      {"0x10\n", ErrorKind::protocol},
      {"11\n", ErrorKind::too_large},
      {"99999999999999999999\n", ErrorKind::too_large},
      {"999999999999999999999", ErrorKind::protocol},
      {"HTTP/1.1 200 OK\r\n", ErrorKind::protocol},
  };
  for (const auto& [bytes, kind] : cases) {
    RecordIoDecoder decoder(10);
    Records got;
    ASSERT_TRUE(decoder.feed("10\n0123456789", got));
    const auto bad = decoder.feed("2\nok" + std::string(bytes), got);
    ASSERT_FALSE(bad) << bytes;
    EXPECT_EQ(bad.error().kind, kind) << bytes;
    EXPECT_EQ(got, (Records{"0123456789", "ok"}));
    EXPECT_FALSE(decoder.feed("2\nok", got));
    EXPECT_EQ(got.size(), 2U);
  }
}

TEST(RecordIo, RandomBytesDoNoHarm) {
  std::mt19937 random(5);
  for (int i = 0; i < 20'000; ++i) {
    RecordIoDecoder decoder(100);
    Records got;
    for (int piece = 0; piece < 5; ++piece) {
      std::string bytes(random() % 20, '\0');
      for (char& c : bytes) c = "0123\n\n5x"[random() % 8];
      if (!decoder.feed(bytes, got)) break;
    }
  }
}

}  // namespace
}  // namespace sidecar_executor::mesos
