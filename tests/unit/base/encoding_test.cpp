#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sidecar_executor {
namespace {

TEST(Base64, KnownPairs) {
  const std::pair<std::string, std::string> pairs[] = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xFB\xFF\xFE", "+//+"},
  };
  for (const auto& [plain, text] : pairs) {
    EXPECT_EQ(base64_encode(plain), text);
    EXPECT_EQ(base64_decode(text), plain);
    const std::string bare = text.substr(0, text.find('='));
    EXPECT_EQ(base64_decode(bare), plain) << bare;
  }
  EXPECT_EQ(base64url_encode("\xFB\xFF\xFE\xFB"), "-__--w==");
  EXPECT_EQ(base64_decode(" Zm9v\r\nYmFy\t"), "foobar");
}

TEST(Base64, RefusesEverythingElse) {
  for (const std::string_view text : {"Z", "Zm9vY", "Zg=", "Zg===", "Z===", "=",
                                      "====", "Zg==Zg==", "Zm9*", "-__-", "Zm\xC3\xA9v", "Zm9v="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
  EXPECT_EQ(base64_decode(std::string_view("Zg\0=", 4)), std::nullopt);
}

TEST(Base64, RoundTripAcrossOpenSslPieces) {
  std::mt19937 random(3);
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, (std::size_t{12} << 20) + 1,
                                 (std::size_t{24} << 20) + 5}) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_TRUE(base64_decode(base64_encode(bytes)) == bytes) << size;
  }
}

TEST(Percent, Encodes) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b/c%\xff"), "a%20b%2Fc%25%FF");
  EXPECT_EQ(percent_encode("a b/c", "/"), "a%20b/c");
}

TEST(Percent, Escapes) {
  EXPECT_EQ(percent_escape("x%41", 1), 'A');
  EXPECT_EQ(percent_escape("%fF", 0), '\xff');
  EXPECT_EQ(percent_escape("%00", 0), '\0');
  for (const char* none : {"", "%", "%4", "%4g", "%g4", "%-1", "%+1", "% 1", "x41"})
    EXPECT_EQ(percent_escape(none, 0), std::nullopt) << none;
}

}  // namespace
}  // namespace sidecar_executor
