// The scanner against any bytes. First byte: size of the chunks. What it finds may not depend on
// the chunks, and what a full parse takes it has to judge alike.
#include "fuzz/fuzz_target.hpp"
#include "unit/sidecar/states.hpp"

namespace sx = sidecar_executor::sidecar;
using sidecar_executor::fuzz::require;

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

}  // namespace

SX_FUZZ_TARGET(state_scanner) {
  if (input.empty()) return;
  const std::size_t step = 1 + static_cast<unsigned char>(input.front());
  const auto document = input.substr(1);
  const sx::Found whole = sx::scan(document);
  require(whole.progress != sx::Progress::reading, "an end");
  require(sx::scan_in_steps(document, step) == whole, "the same, however it comes");
  require(sx::scan_in_steps(document, 1) == whole, "the same, byte by byte");
  const auto parsed = sx::full_parse(document);
  if (parsed && !may_have_duplicates(document)) require(*parsed == whole, "as in a full parse");
}
