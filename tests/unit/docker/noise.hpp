#pragma once
// Random and damaged input for parsers: seeded, so that a failure comes again.

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace sidecar_executor::docker {

/// Calls `use` with noise, and with `samples` in which bytes were changed, cut and doubled.
inline void with_noise(const std::vector<std::string>& samples,
                       const std::function<void(const std::string&)>& use, int rounds = 3000) {
  std::mt19937 random(20260102);
  const auto below = [&random](std::size_t end) {
    return end == 0 ? 0 : static_cast<std::size_t>(random() % end);
  };
  constexpr std::string_view likely = "{}[]\":,\\0123456789aE.@/=-+ \n\0\x01\xff";
  for (int i = 0; i < rounds; ++i) {
    std::string text = samples.empty() || i % 4 == 0 ? std::string(below(200), ' ')
                                                     : samples[below(samples.size())];
    const bool all = i % 4 == 0;
    for (std::size_t n = all ? text.size() : 1 + below(8); n > 0 && !text.empty(); --n) {
      char& c = text[all ? n - 1 : below(text.size())];
      c = random() % 2 == 0 ? likely[below(likely.size())] : static_cast<char>(random());
    }
    if (i % 5 == 0) text.resize(below(text.size() + 1));
    if (i % 7 == 0) text.insert(below(text.size() + 1), text.substr(0, below(text.size() + 1)));
    use(text);
  }
}

/// `text` in pieces of random size, as a connection gives them.
inline void in_pieces(std::string_view text, unsigned seed,
                      const std::function<void(std::string_view)>& use) {
  std::mt19937 random(seed);
  while (!text.empty()) {
    const auto size = std::min<std::size_t>(text.size(), 1 + random() % 9);
    use(text.substr(0, size));
    text.remove_prefix(size);
  }
}

}  // namespace sidecar_executor::docker
