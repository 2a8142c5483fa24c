#pragma once
// What the fuzz targets share. NAME_fuzz.cpp holds one SX_FUZZ_TARGET(NAME): a libFuzzer program of
// its own in build/fuzz (make fuzz), and in every other build one test of unit_tests, which replays
// tests/fuzz/corpus/NAME (replay_test.cpp). An input is what the parser would get, without
// decisions in it, so that real samples can be put into a corpus as they are.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace sidecar_executor::fuzz {

/// What does not hold is a finding: told, and aborted, so that both kinds of runs notice.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// In the bodies of secrets: a text that nothing may show.
inline constexpr std::string_view secret_mark = "s3cr3t";
inline bool has_secret(std::string_view text) {
  return text.find(secret_mark) != std::string_view::npos;
}

/// Calls `use` with pieces of `step` bytes, as a connection might give them.
template <typename Use>
void in_steps(std::string_view text, std::size_t step, Use&& use) {
  for (std::size_t at = 0; at < text.size(); at += step) use(text.substr(at, step));
}

/// Sizes of pieces to try beside all at once: single bytes, and one that the input decides.
inline std::vector<std::size_t> steps_for(std::string_view input) {
  return {1, 2 + input.size() % 29};
}

/// Text for people: bounded, and on one line.
inline bool is_for_people(std::string_view text, std::size_t limit) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  return !text.empty() && text.size() <= limit && std::none_of(text.begin(), text.end(), control);
}

struct Target {
  const char* name;
  void (*run)(std::string_view input);
};
/// Those of this program, in no order.
inline std::vector<Target>& targets() {
  static std::vector<Target> all;
  return all;
}

}  // namespace sidecar_executor::fuzz

#ifndef SX_LIBFUZZER
#define SX_FUZZ_TARGET(NAME)                                           \
  static void fuzz_##NAME(std::string_view input);                     \
  [[maybe_unused]] static const bool fuzz_##NAME##_is_known = [] {     \
    sidecar_executor::fuzz::targets().push_back({#NAME, fuzz_##NAME}); \
    return true;                                                       \
  }();                                                                 \
  static void fuzz_##NAME(std::string_view input)
#else
#define SX_FUZZ_TARGET(NAME)                                                          \
  static void fuzz_##NAME(std::string_view input);                                    \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) { \
    fuzz_##NAME({reinterpret_cast<const char*>(data), size});                         \
    return 0;                                                                         \
  }                                                                                   \
  static void fuzz_##NAME(std::string_view input)
#endif
