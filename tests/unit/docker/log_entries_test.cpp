#include "docker/log_entries.hpp"

#include <gtest/gtest.h>

#include "docker/log_position.hpp"

namespace sidecar_executor::docker {
namespace {

const std::string s1 = "2026-01-02T15:04:05.000000001Z";
const std::string s2 = "2026-01-02T15:04:05.000000002Z";

std::string frame(int stream, std::string_view payload) {
  const auto size = payload.size();
  std::string out{static_cast<char>(stream), 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  return out + std::string(payload);
}

struct Entry {
  LogStream stream = LogStream::out;
  std::string stamp;
  std::string text;
  bool operator==(const Entry&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Entry& entry) {
  return out << static_cast<int>(entry.stream) << " [" << entry.stamp << "] "
             << entry.text.substr(0, 50) << " (" << entry.text.size() << ")";
}

/// Fed in pieces of `step` bytes.
std::vector<Entry> entries(std::string_view bytes, bool tty, std::size_t step) {
  LogEntries decoder(tty);
  std::vector<Entry> out;
  bool open = false;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size()))) {
    decoder.feed(bytes.substr(0, step));
    LogPiece piece;
    for (;;) {
      const auto more = decoder.next(piece);
      if (!more) {
        out.push_back({LogStream::err, "error", more.error().message});
        return out;
      }
      if (!*more) break;
      EXPECT_EQ(piece.begins, !open);
      if (piece.begins) out.push_back({piece.stream, std::string(piece.stamp), ""});
      out.back().text += piece.text;
      EXPECT_EQ(out.back().stamp, piece.stamp);
      open = !piece.ends;
    }
    EXPECT_EQ(decoder.inside(), open);
  }
  return out;
}

void expect(const std::string& bytes, bool tty, const std::vector<Entry>& wanted) {
  for (std::size_t step = 1; step <= std::min<std::size_t>(bytes.size(), 90); ++step) {
    ASSERT_EQ(entries(bytes, tty, step), wanted) << step;
  }
  EXPECT_EQ(entries(bytes, tty, bytes.size()), wanted);
}

TEST(LogEntries, FramesWithStamps) {
  expect(frame(1, s1 + " hello\n") + frame(2, s2 + " oops\n") + frame(1, s2 + " \n"), false,
         {{LogStream::out, s1, "hello\n"},
          {LogStream::err, s2, "oops\n"},
          {LogStream::out, s2, "\n"}});
}

TEST(LogEntries, EmptyFrameAndEmptyEntry) {
  expect(frame(1, "") + frame(1, s1 + " ") + frame(2, s2 + " x"), false,
         {{LogStream::out, s1, ""}, {LogStream::err, s2, "x"}});
}

TEST(LogEntries, WithoutStamp) {
  expect(frame(3, "Error grabbing logs: EOF\n") + frame(1, "abc") + frame(1, " x\n") +
             frame(1, "2026-01-02T15:04:05.1Q z\n") +
             frame(1, "no blank in the first forty bytes of it, so no stamp either\n"),
         false,
         {{LogStream::err, "", "Error grabbing logs: EOF\n"},
          {LogStream::out, "", "abc"},
          {LogStream::out, "", " x\n"},
          {LogStream::out, "", "2026-01-02T15:04:05.1Q z\n"},
          {LogStream::out, "", "no blank in the first forty bytes of it, so no stamp either\n"}});
}

TEST(LogEntries, StampsOfOtherForms) {
  expect(frame(1, "2026-01-02T15:04:05Z a\n") + frame(1, "2026-01-02T15:04:05.5+02:00 b\n"), false,
         {{LogStream::out, "2026-01-02T15:04:05Z", "a\n"},
          {LogStream::out, "2026-01-02T15:04:05.5+02:00", "b\n"}});
}

TEST(LogEntries, LinesInATerminal) {
  expect(s1 + " hello\r\n" + s2 + " \r\n" + s2 + " no newline", true,
         {{LogStream::out, s1, "hello\r\n"},
          {LogStream::out, s2, "\r\n"},
          {LogStream::out, s2, "no newline"}});
}

TEST(LogEntries, LongLineInATerminalHasAStampEvery16KiB) {
  const std::string piece(16 * 1024, 'x');
  const std::string bytes = s1 + " " + piece + s2 + " " + piece + s2 + " end\n" + s1 + " next\n";
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    EXPECT_EQ(entries(bytes, true, step), (std::vector<Entry>{{LogStream::out, s1, piece},
                                                              {LogStream::out, s2, piece},
                                                              {LogStream::out, s2, "end\n"},
                                                              {LogStream::out, s1, "next\n"}}))
        << step;
  }
}

TEST(LogEntries, LongLineInATerminalWithoutStampsStaysWhole) {
  const std::string bytes = s1 + " " + std::string(20'000, 'x') + "\n";
  const auto got = entries(bytes, true, 1000);
  std::string all;
  for (const auto& entry : got) all += entry.text;
  EXPECT_EQ(all, std::string(20'000, 'x') + "\n");
}

TEST(LogEntries, NoFramesIsAnError) {
  const auto got = entries("this is plain text", false, 100);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].stamp, "error");
}

std::string at(int nanoseconds) {
  std::string digits = std::to_string(nanoseconds);
  return "2026-01-02T15:04:05." + std::string(9 - digits.size(), '0') + digits + "Z";
}

TEST(LogPosition, BeginsAtTheBeginning) {
  LogPosition position;
  EXPECT_EQ(position.begin_again(), "0");
  EXPECT_FALSE(position.was_taken(at(1), LogStream::out));
}

TEST(LogPosition, SkipsWhatWasTakenAndNothingElse) {
  LogPosition position;
  position.took(at(10), LogStream::out);
  position.took(at(20), LogStream::out);
  position.took(at(20), LogStream::out);
  position.took(at(15), LogStream::err);  // stamped before, written after
  EXPECT_EQ(position.begin_again(), "1767366245.000000010");
  EXPECT_TRUE(position.was_taken(at(10), LogStream::out));
  EXPECT_FALSE(position.was_taken(at(12), LogStream::err)) << "new, though older than the newest";
  EXPECT_TRUE(position.was_taken(at(20), LogStream::out));
  EXPECT_TRUE(position.was_taken(at(20), LogStream::out));
  EXPECT_FALSE(position.was_taken(at(20), LogStream::out)) << "a third line of that very stamp";
  EXPECT_FALSE(position.was_taken(at(20), LogStream::err));
  EXPECT_TRUE(position.was_taken(at(15), LogStream::err));
}

TEST(LogPosition, TwoRestartsInARow) {
  LogPosition position;
  position.took(at(10), LogStream::out);
  EXPECT_EQ(position.begin_again(), "1767366245.000000010");
  EXPECT_TRUE(position.was_taken(at(10), LogStream::out));
  position.took(at(11), LogStream::out);
  position.begin_again();
  EXPECT_TRUE(position.was_taken(at(10), LogStream::out));
  EXPECT_TRUE(position.was_taken(at(11), LogStream::out));
  EXPECT_FALSE(position.was_taken(at(11), LogStream::out));
}

TEST(LogPosition, RemembersTheNewest4096) {
  LogPosition position;
  for (int i = 1; i <= 10'000; ++i) position.took(at(i), LogStream::out);
  EXPECT_EQ(position.begin_again(), "1767366245.000005905");
  EXPECT_TRUE(position.was_taken(at(10'000), LogStream::out));
  EXPECT_TRUE(position.was_taken(at(5905), LogStream::out));
  EXPECT_TRUE(position.was_taken(at(5904), LogStream::out)) << "forgotten, but not new";
  EXPECT_FALSE(position.was_taken(at(10'001), LogStream::out));
}

TEST(LogPosition, CountsWhatHasTheSameStamp) {
  LogPosition position;
  for (int i = 0; i < 100'000; ++i) position.took("2026-01-02T15:04:05Z", LogStream::out);
  position.took("2026-01-02T15:04:06Z", LogStream::out);
  position.begin_again();
  int again = 0;
  while (position.was_taken("2026-01-02T15:04:05Z", LogStream::out)) ++again;
  EXPECT_EQ(again, 100'000);
  EXPECT_TRUE(position.was_taken("2026-01-02T15:04:06Z", LogStream::out));
  EXPECT_FALSE(position.was_taken("2026-01-02T15:04:06Z", LogStream::out));
}

TEST(LogPosition, EntriesWithoutStampAreNotSkipped) {
  LogPosition position;
  position.took("", LogStream::out);
  EXPECT_EQ(position.begin_again(), "0");
  EXPECT_FALSE(position.was_taken("", LogStream::out));
}

}  // namespace
}  // namespace sidecar_executor::docker
