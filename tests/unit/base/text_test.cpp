#include "base/text.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sidecar_executor {
namespace {

const std::string bad = "\xEF\xBF\xBD";
using Words = std::vector<std::string>;

TEST(Text, EveryBadByteBecomesTheReplacementCharacter) {
  EXPECT_EQ(to_utf8("plain \x01\n"), "plain \x01\n");
  EXPECT_EQ(to_utf8("caf\xC3\xA9 \xF0\x9F\x98\x80"), "caf\xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(to_utf8("a\xFFz"), "a" + bad + "z");
  EXPECT_EQ(to_utf8("\xC0\x80"), bad + bad);                      // overlong
  EXPECT_EQ(to_utf8("\xED\xA0\x80"), bad + bad + bad);            // surrogate
  EXPECT_EQ(to_utf8("\xF4\x90\x80\x80"), bad + bad + bad + bad);  // above U+10FFFF
  EXPECT_EQ(to_utf8("\xE2\x82"), bad + bad);                      // cut off
  EXPECT_EQ(to_utf8("\xE2\x82x"), bad + bad + "x");
  EXPECT_EQ(to_utf8(std::string_view("a\0b", 3)), std::string("a\0b", 3));
}

TEST(Text, ClipsAtACharacter) {
  EXPECT_EQ(clip_utf8("abc", 3), "abc");
  EXPECT_EQ(clip_utf8("abcdefgh", 7), "abcd...");
  EXPECT_EQ(clip_utf8("\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9", 7), "\xC3\xA9\xC3\xA9...");
  EXPECT_EQ(clip_utf8("\xFF\xFF\xFF", 8), bad + "...");
  EXPECT_EQ(clip_utf8("abcd", 2), "ab");
  EXPECT_EQ(clip_utf8("abcd", 0), "");
  EXPECT_EQ(clip_utf8("", 0), "");
}

TEST(Text, ClippedIsShortValidAndABeginning) {
  std::mt19937 random(2);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = "ab\xC3\xA9\xF0\x9F\x98\x80\xFF"[random() % 9];
    const std::size_t limit = random() % 50;
    const std::string clipped = clip_utf8(bytes, limit);
    ASSERT_LE(clipped.size(), limit);
    ASSERT_EQ(to_utf8(clipped), clipped);
    const std::string whole = to_utf8(bytes);
    if (whole.size() <= limit) {
      ASSERT_EQ(clipped, whole);
    } else {
      const std::string begin = limit > 3 ? clipped.substr(0, clipped.size() - 3) : clipped;
      ASSERT_EQ(whole.substr(0, begin.size()), begin);
    }
  }
}

TEST(Text, OneLine) {
  EXPECT_EQ(one_line("a\nb\tc\x7F"), "a b c ");
  EXPECT_EQ(one_line("abcdefgh", 6), "abc...");
}

TEST(Text, Split) {
  EXPECT_EQ(split("a,b,,c", ','), (Words{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), Words{});
  EXPECT_EQ(split(",", ','), (Words{"", ""}));
  EXPECT_EQ(split_blanks("  a \t b\nc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(split_blanks(" "), Words{});
}

TEST(Text, SplitsAsAShell) {
  struct Case {
    std::string_view text;
    std::optional<Words> words;
  };
  const Case cases[] = {
      {"", Words{}},
      {"  ", Words{}},
      {"app  exit 0", Words{"app", "exit", "0"}},
      {"sh -c 'echo \"a b\" $X'", Words{"sh", "-c", "echo \"a b\" $X"}},
      {R"(a "b \"c\" \n" d)", Words{"a", R"(b "c" \n)", "d"}},
      {R"(a\ b '' "")", Words{"a b", "", ""}},
      {R"(x'y'"z")", Words{"xyz"}},
      {"a\\\nb", Words{"ab"}},
      {"\"a\\\nb\"", Words{"ab"}},
      {"it's", std::nullopt},
      {"a \"b", std::nullopt},
      {"a \"b\\", std::nullopt},
      {"a\\", std::nullopt},
  };
  for (const auto& [text, words] : cases) EXPECT_EQ(split_shell_words(text), words) << text;
}

TEST(Text, ToLowerTouchesAsciiOnly) { EXPECT_EQ(to_lower("AbZ\xC3\x89"), "abz\xC3\x89"); }

TEST(Text, AllDigits) {
  for (const char* yes : {"0", "0123456789"}) EXPECT_TRUE(all_digits(yes)) << yes;
  for (const char* no : {"", "-1", "1.0", "a", " 1", "1 "}) EXPECT_FALSE(all_digits(no)) << no;
}

TEST(Text, IsWord) {
  for (const char* yes : {"a", "Z", "0", "9z", "a-b_c", "-"})
    EXPECT_TRUE(is_word(yes, "-_")) << yes;
  for (const char* no : {"", "a.b", "a b", "a/b", "@", "[", "`", "{", ":", "\xC3\xA9"})
    EXPECT_FALSE(is_word(no, "-_")) << no;
}

}  // namespace
}  // namespace sidecar_executor
