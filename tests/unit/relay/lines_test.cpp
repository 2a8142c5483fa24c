#include "relay/lines.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::relay {
namespace {

struct Got {
  Stream stream;
  std::string stamp;
  std::string text;
  bool cut;
  bool operator==(const Got&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Got& got) {
  return out << (got.stream == Stream::out ? "out" : "err") << " " << got.stamp << " "
             << got.text.substr(0, 60) << " (" << got.text.size() << ")" << (got.cut ? " cut" : "");
}

class LinesTest : public testing::Test {
 protected:
  void add(Stream stream, std::string_view stamp, std::string_view text) {
    lines.add(stream, stamp, text);
    for (Line line; lines.next(line);) keep(line);
  }
  void add(std::string_view text) { add(Stream::out, "t", text); }
  void finish() {
    for (Line line; lines.finish(line);) keep(line);
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const auto& one : got) out.push_back(one.text);
    return out;
  }
  void keep(const Line& line) {
    got.push_back({line.stream, std::string(line.stamp), std::string(line.text), line.cut});
  }

  Lines lines;
  std::vector<Got> got;
};
using Texts = std::vector<std::string>;

TEST_F(LinesTest, SplitsAtNewlines) {
  add("one\ntwo\n\nfour\n");
  EXPECT_EQ(texts(), (Texts{"one", "two", "", "four"}));
  finish();
  EXPECT_EQ(got.size(), 4U) << "nothing is left";
}

TEST_F(LinesTest, DropsOneCarriageReturnAtTheEnd) {
  add("one\r\ntwo\r\r\na\rb\n\r\n");
  add("joined\r");
  add("\n");
  EXPECT_EQ(texts(), (Texts{"one", "two\r", "a\rb", "", "joined"}));
}

TEST_F(LinesTest, LastLineWithoutNewline) {
  add("one\nlast");
  EXPECT_EQ(texts(), (Texts{"one"}));
  add(Stream::err, "t2", "other\r");
  finish();
  EXPECT_EQ(texts(), (Texts{"one", "last", "other"}));
  EXPECT_EQ(got[2].stream, Stream::err);
}

TEST_F(LinesTest, JoinsPiecesAndHasTheStampOfTheFirst) {
  add(Stream::out, "first", "aaa");
  add(Stream::out, "second", "bbb");
  add(Stream::out, "third", "ccc\nnext\n");
  EXPECT_EQ(got, (std::vector<Got>{{Stream::out, "first", "aaabbbccc", false},
                                   {Stream::out, "third", "next", false}}));
}

TEST_F(LinesTest, StreamsDoNotMix) {
  add(Stream::out, "o", "out-");
  add(Stream::err, "e", "err-");
  add(Stream::out, "o2", "put\n");
  add(Stream::err, "e2", "or\n");
  EXPECT_EQ(got, (std::vector<Got>{{Stream::out, "o", "out-put", false},
                                   {Stream::err, "e", "err-or", false}}));
}

TEST_F(LinesTest, AMebibyteIsALineAndMoreIsCut) {
  const std::string piece(16 * 1024, 'x');
  for (int i = 0; i < 64; ++i) add(piece);
  EXPECT_TRUE(got.empty());
  add("\n");
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].text.size(), 1024U * 1024);
  EXPECT_FALSE(got[0].cut);
  for (int i = 0; i < 65; ++i) add(piece);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[1].text.size(), 1024U * 1024);
  EXPECT_TRUE(got[1].cut);
  add("end\n");
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[2].text, piece + "end");
  EXPECT_FALSE(got[2].cut);
}

TEST_F(LinesTest, BothStreamsTogetherAreBounded) {
  const std::string piece(16 * 1024, 'x');
  for (int i = 0; i < 60; ++i) add(piece);
  for (int i = 0; i < 4; ++i) add(Stream::err, "e", piece);
  EXPECT_TRUE(got.empty());
  add(Stream::err, "e", piece);
  ASSERT_EQ(got.size(), 1U) << "the longer one is cut, the other goes on";
  EXPECT_EQ(got[0].stream, Stream::out);
  EXPECT_EQ(got[0].text.size(), 60 * piece.size());
  add(Stream::err, "e", "end\n");
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[1].text.size(), 5 * piece.size() + 3);
}

TEST_F(LinesTest, AnEntryThatWasBrokenOffIsTakenBack) {
  lines.begin_entry(Stream::out);
  add("first piece ");
  lines.begin_entry(Stream::out);
  add("broken of");
  lines.undo_entry();
  lines.begin_entry(Stream::out);
  add("broken off no more\n");
  EXPECT_EQ(texts(), (Texts{"first piece broken off no more"}));
  lines.begin_entry(Stream::err);
  add(Stream::err, "old", "half a li");
  lines.undo_entry();
  lines.begin_entry(Stream::err);
  add(Stream::err, "new", "half a line\n");
  EXPECT_EQ(got.back(), (Got{Stream::err, "new", "half a line", false}));
}

TEST_F(LinesTest, AnyBordersGiveTheSameLines) {
  const std::string text = "a\n\r\nbb\r\n\n\nccc\rd\ne";
  add(text);
  finish();
  const auto whole = texts();
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      got.clear();
      lines = Lines();
      add(text.substr(0, first));
      add(text.substr(first, second - first));
      add(text.substr(second));
      finish();
      ASSERT_EQ(texts(), whole) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace sidecar_executor::relay
