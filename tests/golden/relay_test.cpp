// The records that the Go executor sent, byte by byte: what they say, told again by us.
#include <gtest/gtest.h>

#include "golden_files.hpp"
#include "relay/record.hpp"

namespace sidecar_executor::relay {
namespace {

namespace json = boost::json;

std::string take(json::object& record, std::string_view name) {
  std::string value(record.at(name).as_string());
  record.erase(name);
  return value;
}

std::string told_again(const std::string& text) {
  json::object record = json::parse(text).as_object();
  RecordFields fields;
  fields.format = SyslogFormat::json;
  fields.host = take(record, "Hostname");
  const std::string level = take(record, "Level");
  const std::string payload = take(record, "Payload");
  const std::string stamp = take(record, "Timestamp");
  for (const auto& label : record)
    fields.labels.emplace_back(label.key(), label.value().as_string());
  Record records(fields);
  std::string out;
  EXPECT_EQ(records.begin({level == "error" ? Stream::err : Stream::out, stamp, payload, false}),
            1U);
  EXPECT_TRUE(records.append(out));
  return out;
}

class GoldenRelay : public testing::TestWithParam<std::string> {};

TEST_P(GoldenRelay, RecordsAreTheGoExecutors) {
  const auto recorded = golden::read(golden::folder("go-executor") / (GetParam() + ".json"));
  const auto& records = recorded.at("syslog").as_array();
  EXPECT_FALSE(records.empty());
  for (const auto& record : records) {
    std::string text(record.as_string());
    // The recorder's mask for the container's id, which JSON would escape.
    constexpr std::string_view mask = "<CID12>";
    const auto at = text.find(mask);
    if (at != std::string::npos) text.replace(at, mask.size(), "0123456789ab");
    EXPECT_EQ(told_again(text), text);
  }
}

// Not relay_long_60k: the recorder kept 3,000 bytes of its long record.
INSTANTIATE_TEST_SUITE_P(All, GoldenRelay,
                         testing::Values("relay_binary", "relay_mixed", "relay_stdout_copy"),
                         golden::test_name);

}  // namespace
}  // namespace sidecar_executor::relay
