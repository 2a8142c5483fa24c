// The scanner against any bytes. First byte: size of the chunks. What it finds may not depend on
// the chunks, and what a full parse takes it has to judge alike.
//
// Also built without libFuzzer: tests/unit/sidecar/state_scanner_corpus_test.cpp replays the
// corpus.
#include <cstdint>
#include <cstdlib>

#include "unit/sidecar/states.hpp"

namespace sx = sidecar_executor::sidecar;

namespace {

/// Duplicate keys: the scanner takes the first, Boost.JSON the last, so there is nothing to hold it
/// against. Told by the names on our way: more than one of any of them is left out.
bool may_have_duplicates(std::string_view document) {
  if (document.find("\\u") != std::string_view::npos) return true;
  for (const std::string_view key :
       {"\"Servers\"", "\"host-1\"", "\"Services\"", "\"0123456789ab\"", "\"Status\""}) {
    const auto first = document.find(key);
    if (first == std::string_view::npos) continue;
    if (document.find(key, first + 1) != std::string_view::npos) return true;
  }
  return false;
}

void require(bool holds) {
  if (!holds) std::abort();
}

void check_state_scanner(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return;
  const std::size_t step = 1 + data[0];
  const std::string document(reinterpret_cast<const char*>(data + 1), size - 1);
  const sx::Found whole = sx::scan(document);
  require(whole.progress != sx::Progress::reading);
  require(sx::scan_in_steps(document, step) == whole);
  require(sx::scan_in_steps(document, 1) == whole);
  const auto parsed = sx::full_parse(document);
  if (parsed && !may_have_duplicates(document)) require(*parsed == whole);
}

}  // namespace

#ifndef SX_REPLAY_CORPUS  // the unit tests have this function once for each target
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_state_scanner(data, size);
  return 0;
}
#endif
