// What the fuzzer found worth keeping, in every build.
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#define SX_REPLAY_CORPUS
// NOLINTNEXTLINE(bugprone-suspicious-include): the fuzz target itself is what is replayed.
#include "fuzz/state_scanner_fuzz.cpp"

namespace {

TEST(StateScannerCorpus, EveryInputHolds) {
  int inputs = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SX_SOURCE_DIR "/tests/fuzz/corpus/state_scanner")) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    const std::string text = bytes.str();
    // It aborts where something does not hold; then the output names the input.
    std::fprintf(stderr, "%s\n", entry.path().c_str());
    check_state_scanner(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    ++inputs;
  }
  EXPECT_GE(inputs, 10);
}

}  // namespace
