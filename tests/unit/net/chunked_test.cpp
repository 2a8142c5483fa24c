#include "net/chunked.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::net {
namespace {

/// Fed in pieces of `step` bytes; "!" for what is no chunked body.
std::string decoded(const std::string& wire, std::size_t step, bool* done = nullptr) {
  ChunkDecoder decoder;
  std::string out;
  for (std::size_t at = 0; at < wire.size(); at += step) {
    std::string piece = wire.substr(at, step);
    const auto size = decoder.decode(piece.data(), piece.size());
    if (!size) return "!";
    out += piece.substr(0, *size);
  }
  if (done != nullptr) *done = decoder.done();
  return out;
}

TEST(ChunkDecoder, AnyBorders) {
  const std::string wire =
      "5\r\nhello\r\n1;name=value\r\n \r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n";
  for (std::size_t step = 1; step <= wire.size(); ++step) {
    bool done = false;
    EXPECT_EQ(decoded(wire, step, &done), "hello 0123456789") << step;
    EXPECT_TRUE(done) << step;
  }
}

TEST(ChunkDecoder, IsDoneAfterTheLastChunkOnly) {
  bool done = true;
  decoded("5\r\nhello\r\n", 100, &done);
  EXPECT_FALSE(done);
  decoded("5\r\nhello\r\n0\r\n", 100, &done);
  EXPECT_FALSE(done) << "the empty line is missing";
  EXPECT_EQ(decoded("0\r\n\r\nbytes behind the end", 100, &done), "");
  EXPECT_TRUE(done);
}

TEST(ChunkDecoder, WhatIsNoChunkedBody) {
  for (const char* bad :
       {"hello", "\r\n", "-1\r\n", "5\r\nhelloX", "1234567890123456\r\n", "5x\r\n"}) {
    EXPECT_EQ(decoded(bad, 100), "!") << bad;
  }
  EXPECT_EQ(decoded("1;" + std::string(20'000, 'x'), 1000), "!");
}

}  // namespace
}  // namespace sidecar_executor::net
