// Byte by byte: what collectors get. Written by hand from relay.md and Go's encoding/json.
#include "relay/record.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "relay/batch.hpp"

namespace sidecar_executor::relay {
namespace {

namespace json = boost::json;
constexpr std::string_view stamp = "2026-01-02T15:04:05.123456789Z";

RecordFields plain() { return {SyslogFormat::json, "h", "0123456789ab", {}}; }

std::vector<std::string> records(Record& record, const Line& line) {
  std::vector<std::string> out;
  const auto count = record.begin(line);
  for (std::string one; record.append(one); one.clear()) out.push_back(one);
  EXPECT_EQ(out.size(), count);
  return out;
}

std::string one(const RecordFields& fields, std::string_view text, Stream stream = Stream::out,
                std::string_view at = stamp) {
  Record record(fields);
  const auto all = records(record, {stream, at, text, false});
  EXPECT_EQ(all.size(), 1U);
  return all.empty() ? "" : all[0];
}

std::string payload_of(std::string_view text) {
  const std::string record = one(plain(), text);
  constexpr std::string_view before = "{\"Hostname\":\"h\",\"Level\":\"info\",\"Payload\":\"";
  constexpr std::string_view after = "\",\"Timestamp\":\"2026-01-02T15:04:05Z\"}\n";
  EXPECT_TRUE(record.starts_with(before)) << record;
  EXPECT_TRUE(record.ends_with(after)) << record;
  return record.substr(before.size(), record.size() - before.size() - after.size());
}

TEST(JsonRecord, IsWhatLogrusSends) {
  RecordFields fields = plain();
  fields.labels = {{"ServiceName", "lsvc"}, {"Environment", "dev"}};
  EXPECT_EQ(
      one(fields, "the line"),
      "{\"Environment\":\"dev\",\"Hostname\":\"h\",\"Level\":\"info\",\"Payload\":\"the line\","
      "\"ServiceName\":\"lsvc\",\"Timestamp\":\"2026-01-02T15:04:05Z\"}\n");
}

TEST(JsonRecord, KeysAreSortedByBytes) {
  RecordFields fields = plain();
  fields.labels = {{"zulu", "1"}, {"alpha", "2"}, {"Zulu", "3"},    {"Alpha", "4"},
                   {"M", "5"},    {"Q", "6"},     {"\xC3\xA9", "7"}};
  EXPECT_EQ(one(fields, "x"),
            "{\"Alpha\":\"4\",\"Hostname\":\"h\",\"Level\":\"info\",\"M\":\"5\",\"Payload\":\"x\","
            "\"Q\":\"6\",\"Timestamp\":\"2026-01-02T15:04:05Z\",\"Zulu\":\"3\",\"alpha\":\"2\","
            "\"zulu\":\"1\",\"\xC3\xA9\":\"7\"}\n");
}

TEST(JsonRecord, LabelsThatClash) {
  RecordFields fields = plain();
  fields.labels = {{"Level", "l"},     {"Payload", "p"}, {"Timestamp", "t"},
                   {"Hostname", "no"}, {"Level", "2nd"}, {"Part", "whole lines have no part"}};
  EXPECT_EQ(one(fields, "x"),
            "{\"Hostname\":\"h\",\"Level\":\"info\",\"Part\":\"whole lines have no part\","
            "\"Payload\":\"x\",\"Timestamp\":\"2026-01-02T15:04:05Z\",\"fields.Level\":\"l\","
            "\"fields.Payload\":\"p\",\"fields.Timestamp\":\"t\"}\n");
}

TEST(JsonRecord, LabelsAndHostAreEscapedToo) {
  RecordFields fields = plain();
  fields.host = "a\"b";
  fields.labels = {{"<k>", "v\n\xFF"}};
  EXPECT_EQ(one(fields, ""),
            "{\"\\u003ck\\u003e\":\"v\\n\\ufffd\",\"Hostname\":\"a\\\"b\",\"Level\":\"info\","
            "\"Payload\":\"\",\"Timestamp\":\"2026-01-02T15:04:05Z\"}\n");
}

TEST(JsonRecord, EscapesAsGo) {
  const std::pair<std::string, std::string> table[] = {
      {"", ""},
      {"plain text, 100 % of it ~ \x7F", "plain text, 100 % of it ~ \x7F"},
      {"quote\" backslash\\ slash/", "quote\\\" backslash\\\\ slash/"},
      {"<a href='x'>&amp;", "\\u003ca href='x'\\u003e\\u0026amp;"},
      {"tab\t nl\n cr\r", "tab\\t nl\\n cr\\r"},
      {"\b\f", "\\u0008\\u000c"},
      {std::string("\0\x01\x1F", 3), "\\u0000\\u0001\\u001f"},
      {"\x1B[31mred\x1B[0m", "\\u001b[31mred\\u001b[0m"},
      {"\xE2\x80\xA8 \xE2\x80\xA9 \xE2\x80\xAA", "\\u2028 \\u2029 \xE2\x80\xAA"},
      {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"\xEF\xBF\xBD", "\xEF\xBF\xBD"},
      // Each bad byte on its own: alone, cut off, overlong, a surrogate, above U+10FFFF.
      {"\xFF\xFE", "\\ufffd\\ufffd"},
      {"a\x80z", "a\\ufffdz"},
      {"\xE2\x82", "\\ufffd\\ufffd"},
      {"\xE2\x28\xA1", "\\ufffd(\\ufffd"},
      {"\xC0\xAF", "\\ufffd\\ufffd"},
      {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},
      {"\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
  };
  for (const auto& [text, escaped] : table) EXPECT_EQ(payload_of(text), escaped);
}

TEST(JsonRecord, EscapesAtEveryPlaceOfALongLine) {
  for (std::size_t at = 0; at < 70; ++at) {
    std::string text(70, 'x');
    text[at] = '"';
    EXPECT_EQ(payload_of(text), std::string(at, 'x') + "\\\"" + std::string(69 - at, 'x'));
  }
}

TEST(JsonRecord, LevelIsErrorForStderrThatSaysSo) {
  const auto level = [](Stream stream, std::string_view text) {
    const auto record = json::parse(one(plain(), text, stream)).as_object();
    return std::string(record.at("Level").as_string());
  };
  EXPECT_EQ(level(Stream::err, "an ERROR here"), "error");
  EXPECT_EQ(level(Stream::err, "error"), "error");
  EXPECT_EQ(level(Stream::err, "eeError"), "error");
  EXPECT_EQ(level(Stream::err, "terrors"), "error");
  EXPECT_EQ(level(Stream::err, "erro"), "info");
  EXPECT_EQ(level(Stream::err, "err or"), "info");
  EXPECT_EQ(level(Stream::err, ""), "info");
  EXPECT_EQ(level(Stream::out, "error"), "info");
}

TEST(JsonRecord, Timestamps) {
  const auto shown = [](std::string_view at) {
    return std::string(json::parse(one(plain(), "x", Stream::out, at)).at("Timestamp").as_string());
  };
  EXPECT_EQ(shown("2026-01-02T15:04:05Z"), "2026-01-02T15:04:05Z");
  EXPECT_EQ(shown("2026-01-02T15:04:05.9Z"), "2026-01-02T15:04:05Z");
  EXPECT_EQ(shown("2026-01-02T15:04:05.000000001+02:00"), "2026-01-02T15:04:05+02:00");
}

TEST(JsonRecord, OneRecordWriterManyLines) {
  Record record(plain());
  EXPECT_EQ(records(record, {Stream::out, "2026-01-02T15:04:05.1Z", "a", false}).at(0),
            "{\"Hostname\":\"h\",\"Level\":\"info\",\"Payload\":\"a\","
            "\"Timestamp\":\"2026-01-02T15:04:05Z\"}\n");
  EXPECT_EQ(records(record, {Stream::err, "2026-01-02T15:04:05.2Z", "error b", false}).at(0),
            "{\"Hostname\":\"h\",\"Level\":\"error\",\"Payload\":\"error b\","
            "\"Timestamp\":\"2026-01-02T15:04:05Z\"}\n");
  EXPECT_EQ(records(record, {Stream::out, "2026-01-02T15:04:06.2Z", "c", false}).at(0),
            "{\"Hostname\":\"h\",\"Level\":\"info\",\"Payload\":\"c\","
            "\"Timestamp\":\"2026-01-02T15:04:06Z\"}\n");
}

/// Text → parts → text again, each of a size that a datagram takes.
void check_parts(const std::string& text, std::size_t expected) {
  Record record(plain());
  const auto all = records(record, {Stream::out, stamp, text, false});
  EXPECT_EQ(all.size(), expected) << text.size();
  std::string joined;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_LE(all[i].size(), 65'507U);
    const auto parsed = json::parse(all[i]).as_object();
    joined += parsed.at("Payload").as_string();
    if (all.size() == 1) {
      EXPECT_FALSE(parsed.contains("Part"));
    } else {
      EXPECT_EQ(parsed.at("Part").as_string(),
                std::to_string(i + 1) + "/" + std::to_string(all.size()));
      EXPECT_LT(all[i].find("\"Part\""), all[i].find("\"Payload\""));
    }
  }
  EXPECT_EQ(joined, text);
}

TEST(JsonRecord, LongLines) {
  check_parts(std::string(16 * 1024 - 1, 'x'), 1);
  check_parts(std::string(16 * 1024, 'x'), 1);
  check_parts(std::string(16 * 1024 + 1, 'x'), 1);
  check_parts(std::string(60'000, 'x'), 1);
  check_parts(std::string(64 * 1024, 'x'), 2);
  check_parts(std::string(1024 * 1024, 'x'), 17);
  check_parts(std::string(20'000, '\x01'), 2);
  std::string mixed;
  for (int i = 0; mixed.size() < 200'000; ++i)
    mixed += i % 3 == 0 ? "\xE2\x82\xAC" : "<\"x\xC3\xA9";
  check_parts(mixed, 6);
}

TEST(JsonRecord, TheLargestThatFitsIsNotParted) {
  const std::size_t frame = one(plain(), "").size();
  // Reckoned with the largest stamp, level and part number: a few bytes are not used.
  std::size_t largest = 0;
  Record record(plain());
  for (std::size_t size = 65'507 - frame - 60; size <= 65'507 - frame; ++size) {
    const std::string text(size, 'x');
    if (record.begin({Stream::out, stamp, text, false}) == 1) largest = size;
  }
  EXPECT_GE(largest, 65'507 - frame - 50);
  EXPECT_LE(largest + frame, 65'507U);
}

TEST(JsonRecord, LabelPartGivesWayInParts) {
  RecordFields fields = plain();
  fields.labels = {{"Part", "mine"}};
  Record record(fields);
  const std::string text(70'000, 'x');
  const auto all = records(record, {Stream::out, stamp, text, false});
  ASSERT_EQ(all.size(), 2U);
  const auto parsed = json::parse(all[0]).as_object();
  EXPECT_EQ(parsed.at("Part").as_string(), "1/2");
  EXPECT_EQ(parsed.at("fields.Part").as_string(), "mine");
}

TEST(JsonRecord, LabelsThatLeaveNoRoomAreLeftOut) {
  RecordFields fields = plain();
  fields.labels = {{"big", std::string(70'000, 'x')}};
  Record record(fields);
  EXPECT_TRUE(record.labels_left_out());
  EXPECT_EQ(records(record, {Stream::out, stamp, "x", false}).at(0),
            "{\"Hostname\":\"h\",\"Level\":\"info\",\"Payload\":\"x\","
            "\"Timestamp\":\"2026-01-02T15:04:05Z\"}\n");
  EXPECT_FALSE(Record(plain()).labels_left_out());
}

TEST(Rfc5424Record, HeaderAndLabels) {
  RecordFields fields = plain();
  fields.format = SyslogFormat::rfc5424;
  EXPECT_EQ(one(fields, "the line"),
            "<14>1 2026-01-02T15:04:05.123456Z h sidecar-executor 0123456789ab - - the line");
  fields.labels = {{"ServiceName", "my svc"}, {"a=b", "q\" b\\ ]\xFF"}};
  EXPECT_EQ(one(fields, "an error\xFF", Stream::err, "2026-01-02T15:04:05+02:00"),
            "<11>1 2026-01-02T15:04:05+02:00 h my_svc 0123456789ab - "
            "[labels@32473 ServiceName=\"my svc\" a_b=\"q\\\" b\\\\ \\]\xEF\xBF\xBD\"] "
            "an error\xEF\xBF\xBD");
  fields.host = "";
  EXPECT_TRUE(one(fields, "x").starts_with("<14>1 2026-01-02T15:04:05.123456Z - my_svc "));
}

TEST(Rfc5424Record, TheProgramIsTheService) {
  RecordFields fields = plain();
  fields.format = SyslogFormat::rfc5424;
  fields.labels = {{"Other", "x"}, {"ServiceName", ""}};
  EXPECT_NE(one(fields, "x").find(" h sidecar-executor 0123456789ab - [labels@32473 Other=\"x\""),
            std::string::npos)
      << one(fields, "x");
  fields.labels = {{"Other", "x"}, {"ServiceName", "sv\xC3\xA9\x7F"}};
  EXPECT_NE(one(fields, "x").find(" h sv___ 0123456789ab "), std::string::npos) << one(fields, "x");
}

TEST(Rfc5424Record, Parts) {
  RecordFields fields = plain();
  fields.format = SyslogFormat::rfc5424;
  Record record(fields);
  const std::string text(100'000, 'x');
  const auto all = records(record, {Stream::out, stamp, text, false});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_NE(all[1].find(" - [labels@32473 Part=\"2/2\"] xxx"), std::string::npos)
      << all[1].substr(0, 200);
}

class Rfc3164Record : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "CET-1", 1);
    ::tzset();
  }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
};

TEST_F(Rfc3164Record, HeaderInLocalTime) {
  RecordFields fields = plain();
  fields.format = SyslogFormat::rfc3164;
  EXPECT_EQ(one(fields, "the line"),
            "<14>Jan  2 16:04:05 h sidecar-executor[0123456789ab]: the line");
  EXPECT_EQ(one(fields, "error", Stream::err, "2026-12-31T23:30:00-01:00"),
            "<11>Jan  1 01:30:00 h sidecar-executor[0123456789ab]: error");
  fields.labels = {{"ServiceName", "web:1"}};
  EXPECT_EQ(one(fields, "x"), "<14>Jan  2 16:04:05 h web_1[0123456789ab]: x");
}

TEST(Batch, CountsOctetsForAStream) {
  Record record(plain());
  Batch batch(Framing::octet_counting);
  for (const std::string_view text : {"a", "longer than that"}) {
    record.begin({Stream::out, stamp, text, false});
    while (batch.append(record)) {
    }
  }
  ASSERT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch[0],
            "80 {\"Hostname\":\"h\",\"Level\":\"info\",\"Payload\":\"a\","
            "\"Timestamp\":\"2026-01-02T15:04:05Z\"}");
  EXPECT_TRUE(batch[1].starts_with("95 {")) << batch[1];
  batch.clear();
  EXPECT_TRUE(batch.empty());
}

TEST(Batch, KeepsDatagramsAsTheyAre) {
  Record record(plain());
  Batch batch(Framing::none);
  while (!batch.full()) {
    record.begin({Stream::out, stamp, "line", false});
    EXPECT_TRUE(batch.append(record));
    EXPECT_FALSE(batch.append(record));
  }
  EXPECT_EQ(batch[0], one(plain(), "line"));
  EXPECT_EQ(batch[batch.size() - 1], one(plain(), "line"));
}

}  // namespace
}  // namespace sidecar_executor::relay
