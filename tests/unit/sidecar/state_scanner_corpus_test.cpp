// What the fuzzer found worth keeping, in every build.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

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
    RecordProperty("last_input", entry.path().string());
    EXPECT_EQ(
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), 0);
    ++inputs;
  }
  EXPECT_GE(inputs, 10);
}

}  // namespace
