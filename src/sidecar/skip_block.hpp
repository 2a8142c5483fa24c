#pragma once
// 64 bytes of JSON at once: which of them are inside strings, how many brackets open and close
// outside. The quote parity trick is known from simdjson (Langdale, Lemire: Parsing Gigabytes of
// JSON per Second, 2019); here only brackets are counted.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace sidecar_executor::sidecar {

constexpr std::size_t skip_block_size = 64;

struct BlockMasks {
  std::uint64_t quotes = 0;
  std::uint64_t backslashes = 0;
  std::uint64_t opens = 0;   ///< { and [
  std::uint64_t closes = 0;  ///< } and ]
};

inline BlockMasks masks_of(const char* block) {
  BlockMasks masks;
#if defined(__SSE2__)
  for (int i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i));
    // [ and { differ in bit 5 only, as do ] and }.
    const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    const auto bits = [i](__m128i equal) {
      return static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(equal)))
             << (16 * i);
    };
    masks.quotes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    masks.backslashes |= bits(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    masks.opens |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')));
    masks.closes |= bits(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
  }
#else
  for (std::size_t i = 0; i < skip_block_size; ++i) {
    const std::uint64_t bit = std::uint64_t{1} << i;
    const char c = block[i];
    if (c == '"') masks.quotes |= bit;
    if (c == '\\') masks.backslashes |= bit;
    if (c == '{' || c == '[') masks.opens |= bit;
    if (c == '}' || c == ']') masks.closes |= bit;
  }
#endif
  return masks;
}

/// Bit i = parity of the bits 0..i.
inline std::uint64_t prefix_parity(std::uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

/// Advances `in_string` and `depth` over one block. False, and nothing changed, when the block
/// holds a backslash or depth could leave 1..`limit` in it: then it has to be read byte by byte.
inline bool skip_block(const char* block, bool& in_string, int& depth, int limit) {
  const BlockMasks masks = masks_of(block);
  if (masks.backslashes != 0) return false;
  std::uint64_t inside = prefix_parity(masks.quotes);
  if (in_string) inside = ~inside;
  const int closes = std::popcount(masks.closes & ~inside);
  const int opens = std::popcount(masks.opens & ~inside);
  // Counted as if all closed first or all opened first: the answer must not depend on where the
  // blocks begin.
  if (closes >= depth || depth + opens > limit) return false;
  depth += opens - closes;
  in_string = (inside >> 63) != 0;
  return true;
}

}  // namespace sidecar_executor::sidecar
