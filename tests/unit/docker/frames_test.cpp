#include "docker/frames.hpp"

#include <gtest/gtest.h>

#include "noise.hpp"

namespace sidecar_executor::docker {
namespace {

std::string frame(char stream, const std::string& payload) {
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string out{stream, 0, 0, 0};
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((size >> shift) & 0xFFU);
  return out + payload;
}

/// `out:text|` with `|` at the end of a frame.
struct Collected {
  std::string text;
  FrameDecoder::Sink sink() {
    return [this](LogStream stream, std::string_view payload, bool end) {
      if (begin_) text += stream == LogStream::out ? "out:" : "err:";
      text += payload;
      begin_ = end;
      if (end) text += '|';
    };
  }

 private:
  bool begin_ = true;
};

TEST(Frames, AtEveryBorder) {
  const auto bytes = frame(1, "hello\n") + frame(2, "oops") + frame(0, "in") + frame(1, "") +
                     frame(3, "Error grabbing logs") + frame(1, std::string(300, 'x'));
  const auto wanted =
      "out:hello\n|err:oops|out:in|out:|err:Error grabbing logs|out:" + std::string(300, 'x') + "|";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameDecoder decoder(false);
    Collected got;
    ASSERT_TRUE(decoder.feed(std::string_view(bytes).substr(0, cut), got.sink()));
    ASSERT_TRUE(decoder.feed(std::string_view(bytes).substr(cut), got.sink()));
    EXPECT_EQ(got.text, wanted) << cut;
  }
  FrameDecoder decoder(false);
  Collected got;
  for (const char c : bytes) ASSERT_TRUE(decoder.feed(std::string_view(&c, 1), got.sink()));
  EXPECT_EQ(got.text, wanted);
}

TEST(Frames, PayloadComesBeforeItsFrameIsComplete) {
  FrameDecoder decoder(false);
  std::string got;
  bool ended = false;
  const auto bytes = frame(1, "abcdef");
  ASSERT_TRUE(decoder.feed(bytes.substr(0, 11), [&](LogStream, std::string_view text, bool end) {
    got += text;
    ended = end;
  }));
  EXPECT_EQ(got, "abc");
  EXPECT_FALSE(ended);
}

TEST(Frames, RefusesOtherHeaders) {
  for (const std::string& header :
       {std::string("hello world"), std::string("\x04\0\0\0\0\0\0\1x", 9),
        std::string("\x01\1\0\0\0\0\0\1x", 9), std::string("\x01\0\0\1\0\0\0\1x", 9)}) {
    FrameDecoder decoder(false);
    const auto fed = decoder.feed(header, [](LogStream, std::string_view, bool) { FAIL(); });
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().kind, ErrorKind::protocol);
  }
}

TEST(Frames, TtyHasNone) {
  FrameDecoder decoder(true);
  std::string got;
  const auto sink = [&](LogStream stream, std::string_view text, bool) {
    EXPECT_EQ(stream, LogStream::out);
    got += text;
  };
  ASSERT_TRUE(decoder.feed("plain\r\n", sink));
  ASSERT_TRUE(decoder.feed("", sink));
  EXPECT_EQ(got, "plain\r\n");
}

TEST(Frames, NoiseNeverGivesMoreThanCame) {
  with_noise({frame(1, "hello") + frame(2, "oops"), frame(1, std::string(100, 'x'))},
             [](const std::string& bytes) {
               FrameDecoder decoder(false);
               std::size_t got = 0;
               in_pieces(bytes, 7, [&](std::string_view piece) {
                 (void)decoder.feed(
                     piece, [&](LogStream, std::string_view text, bool) { got += text.size(); });
               });
               EXPECT_LE(got, bytes.size());
             });
}

}  // namespace
}  // namespace sidecar_executor::docker
