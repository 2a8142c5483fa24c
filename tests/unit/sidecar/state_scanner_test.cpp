// The scanner finds our entry at any chunk border and skips the rest of the document.
#include "sidecar/state_scanner.hpp"

#include <gtest/gtest.h>

#include <string>

#include "unit/sidecar/states.hpp"

namespace sidecar_executor::sidecar {
namespace {

Found found(std::int64_t status) { return {Progress::found, status}; }
constexpr Found unparsable{Progress::unparsable};
constexpr Found no_host{Progress::host_missing};
constexpr Found no_service{Progress::service_missing};

/// Our service's entry is `entry`, and nothing else is there.
std::string with_entry(const std::string& entry) {
  return R"({"Servers":{"host-1":{"Services":{"0123456789ab":)" + entry + "}}}}";
}
/// `value` under another key, before ours.
std::string after_value(const std::string& value) {
  return R"({"x":)" + value +
         R"(,"Servers":{"host-1":{"Services":{"0123456789ab":{"Status":2}}}}})";
}
std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

struct Case {
  const char* name;
  std::string document;
  Found expected;
};

class ScannerTable : public ::testing::TestWithParam<Case> {};

/// Every case with every size of chunk: the answer does not depend on the borders.
TEST_P(ScannerTable, SaysTheSameWithEveryChunkSize) {
  const auto& c = GetParam();
  EXPECT_EQ(scan(c.document), c.expected);
  const std::size_t sizes = std::min<std::size_t>(c.document.size(), 200);
  for (std::size_t step = 1; step <= sizes; ++step) {
    ASSERT_EQ(scan_in_steps(c.document, step), c.expected) << "chunks of " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Status, ScannerTable,
    ::testing::Values(
        Case{"Alive", state("0"), found(0)}, Case{"Tombstone", state("1"), found(1)},
        Case{"Unhealthy", state("2"), found(2)}, Case{"Unknown", state("3"), found(3)},
        Case{"Draining", state("4"), found(4)}, Case{"NotKnownToUs", state("99"), found(99)},
        Case{"Negative", state("-1"), found(-1)}, Case{"WholeFloat", state("2.0"), found(2)},
        Case{"Exponent", state("20e-1"), found(2)}, Case{"PlusExponent", state("2E+0"), found(2)},
        Case{"Fraction", state("2.5"), unparsable}, Case{"Huge", state("2e9"), unparsable},
        Case{"BeyondDouble", state("1e999"), unparsable},
        Case{"ThousandsOfDigits", state("2" + std::string(5000, '0')), unparsable},
        // Cut after a thousand characters it would read as 2.
        Case{"LongFraction", state("2." + std::string(5000, '0') + "e9"), unparsable},
        Case{"String", state("\"2\""), unparsable}, Case{"Null", state("null"), unparsable},
        Case{"True", state("true"), unparsable}, Case{"NotANumber", state("nan"), unparsable},
        Case{"Infinite", state("-inf"), unparsable}, Case{"Object", state("{}"), unparsable},
        Case{"MoreThanANumber", state("2x"), unparsable}, Case{"Array", state("[2]"), unparsable},
        Case{"Garbage", state("?"), unparsable}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Shape, ScannerTable,
    ::testing::Values(
        Case{"HostMissing", R"({"Servers":{"host-2":{"Services":{}}},"Hostname":"host-1"})",
             no_host},
        Case{"NoServersKey", R"({"ClusterName":"default"})", no_host},
        Case{"ServersNull", R"({"Servers":null})", no_host}, Case{"EmptyDocument", "{}", no_host},
        Case{"NothingAtAll", "", unparsable}, Case{"OnlyBlanks", " \r\n\t ", unparsable},
        Case{"ArrayRoot", "[{}]", unparsable}, Case{"StringRoot", "\"Servers\"", unparsable},
        Case{"NumberRoot", "2", unparsable},
        Case{"Html", "<html>{\"Servers\":{}}</html>", unparsable},
        Case{"ByteOrderMark", "\xEF\xBB\xBF" + state(), unparsable},
        Case{"HostNull", R"({"Servers":{"host-1":null}})", no_host},
        Case{"ServiceMissing", R"({"Servers":{"host-1":{"Services":{"a":{"Status":2}}}}})",
             no_service},
        Case{"ServicesNull", R"({"Servers":{"host-1":{"Name":"x","Services":null}}})", no_service},
        Case{"ServicesEmpty", R"({"Servers":{"host-1":{"Services":{}}}})", no_service},
        Case{"ServicesString", R"({"Servers":{"host-1":{"Services":"none"}}})", no_service},
        Case{"NoServicesKey", R"({"Servers":{"host-1":{"Name":"x"}}})", no_service},
        Case{"EntryNull", with_entry("null"), no_service},
        Case{"EntryEmpty", with_entry("{}"), unparsable},
        Case{"EntryWithoutStatus", with_entry(R"({"ID":"x","status":2})"), unparsable},
        Case{"StatusFirst", with_entry(R"({"Status":2,"ID":"x"})"), found(2)},
        Case{"OtherStatusInside",
             with_entry(R"({"Ports":[{"Status":1}],"X":{"Status":3},"Status":2})"), found(2)},
        Case{"StatusInAString", with_entry(R"({"Name":"\",\"Status\":1,\"","Status":2})"),
             found(2)},
        Case{"OurNamesElsewhere",
             R"({"host-1":{"Services":{"0123456789ab":{"Status":1}}},"Services":)"
             R"({"0123456789ab":{"Status":1}},"0123456789ab":{"Status":1},"Status":1,"Servers":)"
             R"({"Servers":{"host-1":{"Services":{"0123456789ab":{"Status":1}}}},"host-1":)"
             R"({"host-1":{"Services":{"0123456789ab":{"Status":1}}},"Services":{"Services":)"
             R"({"0123456789ab":{"Status":1}},"0123456789ab":{"Status":2}}}}})",
             found(2)},
        Case{"ServersTwice",
             R"({"Servers":{},"Servers":{"host-1":{"Services":{"0123456789ab":)"
             R"({"Status":2}}}}})",
             found(2)},
        Case{"StatusTwiceTakesTheFirst", with_entry(R"({"Status":2,"Status":0})"), found(2)},
        Case{"EntryTwiceTakesTheFirst", with_entry(R"({"Status":2},"0123456789ab":{"Status":0})"),
             found(2)},
        Case{"RestNeverRead", with_entry(R"({"Status":2,)") + "garbage", found(2)},
        Case{"LineEnds",
             "{\r\n\"Servers\"\r\n:\r\n{\t\"host-1\" : { "
             "\"Services\":\n{\"0123456789ab\":{\"Status\""
             "\r:\r2\r}\n}}}}\r\n",
             found(2)}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Syntax, ScannerTable,
    ::testing::Values(
        Case{"NoColon", R"({"Servers" {}})", unparsable},
        Case{"NoComma", R"({"a":{} "Servers":{}})", unparsable},
        Case{"CommaFirst", R"({,"Servers":{}})", unparsable},
        Case{"CommaLast", R"({"Servers":{},})", unparsable},
        Case{"KeyWithoutQuotes", R"({Servers:{}})", unparsable},
        Case{"NoValue", R"({"Servers":,"a":1})", unparsable},
        Case{"Depth64", after_value(nested(63)), found(2)},
        Case{"Depth65", after_value(nested(64)), unparsable},
        // 7 levels up and down within one block of 64 bytes.
        Case{"Depth65InTheMiddleOfABlock",
             after_value(std::string(60, '[') + std::string(200, ' ') + nested(4) +
                         std::string(200, ' ') + std::string(60, ']')),
             unparsable},
        Case{"Depth64InTheMiddleOfABlock",
             after_value(std::string(60, '[') + std::string(200, ' ') + nested(3) +
                         std::string(200, ' ') + std::string(60, ']')),
             found(2)},
        Case{"DepthCountsFromTheDocument", with_entry(R"({"a":)" + nested(59) + R"(,"Status":2})"),
             found(2)},
        Case{"DepthCountsFromTheDocumentOneMore",
             with_entry(R"({"a":)" + nested(60) + R"(,"Status":2})"), unparsable},
        Case{"BracketsInStrings",
             after_value("[\"" + std::string(500, '{') + "\",\"" + std::string(500, ']') + "\"]"),
             found(2)},
        Case{"EscapesInStrings", after_value(R"(["\\","\"]","\\\"]\\",{"\"}":"\u0022}\\"}])"),
             found(2)},
        Case{"BackslashAtEveryPlaceOfABlock",
             after_value("[\"" + std::string(61, 'x') + "\\\\\",\"" + std::string(58, 'x') +
                         "\\\"]]]\",\"" + std::string(60, '\\') + "\"]"),
             found(2)},
        Case{"InvalidUtf8", after_value("\"\xff\xfe\x80\""), found(2)},
        Case{"LongNumber", after_value(std::string(5000, '9')), found(2)},
        Case{"LongString", after_value("\"" + std::string(5000, 'x') + "\""), found(2)},
        Case{"LongKey", R"({")" + std::string(5000, 'k') + R"(":1,)" + after_value("1").substr(1),
             found(2)}),
    [](const auto& info) { return info.param.name; });

/// The key of our host, written so.
std::string with_host_key(const std::string& key) {
  return R"({"Servers":{")" + key + R"(":{"Services":{"0123456789ab":{"Status":2}}}}})";
}

TEST(StateScanner, HostNameInEscapes) {
  EXPECT_EQ(scan(with_host_key(R"(\u0068\u006F\u0073t\u002d1)")), found(2));
  EXPECT_EQ(scan(with_host_key(R"(h\/1)"), "h/1"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(a\"\\\b\f\n\r\tz)"), "a\"\\\b\f\n\r\tz"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(h\u00f6st)"), "h\u00f6st"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(\u20ac)"), "\u20ac"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(\ud83d\ude00!)"), "\U0001F600!"), found(2));
  EXPECT_EQ(scan(with_host_key("h\u00f6st"), "h\u00f6st"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(a\u0000b)"), std::string("a\0b", 3)), found(2));
}

TEST(StateScanner, BrokenEscapes) {
  EXPECT_EQ(scan(with_host_key(R"(\u00g1)")), unparsable);
  EXPECT_EQ(scan(with_host_key(R"(\x41)")), unparsable);
  EXPECT_EQ(scan(R"({"Servers\)"), unparsable);
}

TEST(StateScanner, HalfAPairStandsForSomething) {
  for (const char* half : {R"(\ud800)", R"(\udc00)", R"(\ud800\ud800)", R"(\ud83d\u0041)"}) {
    for (const std::size_t at : {0u, 3u, 6u}) {
      std::string key = our_host;
      EXPECT_EQ(scan(with_host_key(key.insert(at, half))), no_host) << key;
    }
  }
  EXPECT_EQ(scan(with_host_key(R"(a\ud800b)"), "a\uFFFDb"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(a\ud800)"), "a\uFFFD"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(\udc00)"), "\uFFFD"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(\ud800\ud83d\ude00)"), "\uFFFD\U0001F600"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(\ud83d\uffee)"), "\uFFFD\uFFEE"), found(2));
  EXPECT_EQ(scan(with_host_key(R"(\uffee)"), "\uFFEE"), found(2));
}

TEST(StateScanner, HostNamesAreComparedWhole) {
  const std::string longest(1024, 'h');
  EXPECT_EQ(scan(with_host_key(longest), longest), found(2));
  EXPECT_EQ(scan(with_host_key(longest + "h"), longest), no_host);
  EXPECT_EQ(scan(with_host_key(longest + "hh"), longest + "h"), no_host);
  EXPECT_EQ(scan(with_host_key("host-11")), no_host);
  EXPECT_EQ(scan(with_host_key("host-")), no_host);
  EXPECT_EQ(scan(with_host_key("HOST-1")), no_host);
  EXPECT_EQ(scan(with_host_key(""), ""), found(2));
}

TEST(StateScanner, CutAtEveryByteIsUnparsableUntilOurEntryWasRead) {
  const std::string document = state("2");
  const auto entry = document.find("\"Status\":2}", document.find(our_id));
  const auto known_at = entry + std::string_view("\"Status\":2}").size();
  for (std::size_t size = 0; size <= document.size(); ++size) {
    const auto expected = size < known_at ? unparsable : found(2);
    ASSERT_EQ(scan(std::string_view(document).substr(0, size)), expected) << "cut at " << size;
  }
}

TEST(StateScanner, TwoChunksWithTheBorderAnywhere) {
  const std::string document = state("2");
  for (std::size_t border = 0; border <= document.size(); ++border) {
    StateScanner scanner(our_host, our_id);
    scanner.feed(std::string_view(document).substr(0, border));
    scanner.feed(std::string_view(document).substr(border));
    ASSERT_EQ(result_of(scanner), found(2)) << "border at " << border;
  }
}

TEST(StateScanner, TheAnswerIsKnownBeforeTheEndAndStays) {
  StateScanner scanner(our_host, our_id);
  EXPECT_EQ(scanner.feed(R"({"Servers":{"host-1":{"Services":{"0123456789ab":{"Status":2)"),
            Progress::reading);
  EXPECT_EQ(scanner.feed(","), Progress::found);
  EXPECT_EQ(scanner.feed(R"("Status":0}}}}})"), Progress::found);
  EXPECT_EQ(scanner.finish(), Progress::found);
  EXPECT_EQ(scanner.status(), 2);
}

TEST(StateScanner, MissingIsKnownAtTheEndOfWhatWouldHoldIt) {
  StateScanner scanner(our_host, our_id);
  EXPECT_EQ(scanner.feed(R"({"Servers":{"host-1":{"Services":{"a":{"Status":0})"),
            Progress::reading);
  EXPECT_EQ(scanner.feed("}"), Progress::service_missing);
  StateScanner other(our_host, our_id);
  EXPECT_EQ(other.feed(R"({"Servers":{"host-2":{}})"), Progress::reading);
  EXPECT_EQ(other.feed("}"), Progress::host_missing);
}

}  // namespace
}  // namespace sidecar_executor::sidecar
