// Every corpus through its target, in every build: what a fuzzer found stays found.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "fuzz/fuzz_target.hpp"

namespace sidecar_executor::fuzz {
namespace {

namespace fs = std::filesystem;
const fs::path corpora = SX_SOURCE_DIR "/tests/fuzz/corpus";

class FuzzCorpus : public testing::TestWithParam<Target> {};

TEST_P(FuzzCorpus, EveryInputHolds) {
  int inputs = 0;
  for (const auto& entry : fs::directory_iterator(corpora / GetParam().name)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << file.rdbuf();
    // It aborts where something does not hold; then this is the last line.
    std::fprintf(stderr, "%s\n", entry.path().c_str());
    GetParam().run(bytes.view());
    ++inputs;
  }
  EXPECT_GE(inputs, 3) << "a corpus worth the name";
}

INSTANTIATE_TEST_SUITE_P(All, FuzzCorpus, testing::ValuesIn(targets()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(FuzzCorpora, EachHasItsTarget) {
  for (const auto& entry : fs::directory_iterator(corpora)) {
    const auto name = entry.path().filename().string();
    const auto known = [&name](const Target& target) { return target.name == name; };
    EXPECT_TRUE(std::any_of(targets().begin(), targets().end(), known)) << entry.path();
  }
}

}  // namespace
}  // namespace sidecar_executor::fuzz
