// The tools that everything else cleans its text with.
#include "base/encoding.hpp"
#include "base/redact.hpp"
#include "base/text.hpp"
#include "fuzz/fuzz_target.hpp"
#include "relay/escape.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

void check_utf8(std::string_view input) {
  const auto clean = sx::to_utf8(input);
  require(sx::to_utf8(clean) == clean, "cleaned once");
  std::string appended;
  sx::relay::append_utf8(appended, input);
  require(appended == clean, "two ways to clean, one result");
  for (const std::size_t limit : {0U, 1U, 3U, 4U, 10U, 100U}) {
    const auto clipped = sx::clip_utf8(input, limit);
    require(clipped.size() <= limit && sx::to_utf8(clipped) == clipped, "clipped at a character");
    const auto line = sx::one_line(input, limit);
    require(line.empty() || sx::fuzz::is_for_people(line, limit), "one line");
    const auto fit = sx::relay::fit_utf8(input, limit);
    require(fit.size <= limit && fit.taken <= input.size(), "what fits");
    std::string part;
    sx::relay::append_json(part, input.substr(0, sx::relay::fit_json(input, limit).taken));
    require(part.size() == sx::relay::fit_json(input, limit).size && part.size() <= limit,
            "what fits as JSON");
  }
}

void check_words(std::string_view input) {
  const auto words = sx::split_shell_words(input);
  if (!words) return;
  std::string quoted;
  for (const auto& word : *words) {
    quoted += '\'';
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    quoted += "' ";
  }
  require(sx::split_shell_words(quoted) == words, "quoted, they are the same words");
}

}  // namespace

SX_FUZZ_TARGET(texts) {
  check_utf8(input);
  check_words(input);
  require(sx::base64_decode(sx::base64_encode(input)) == std::string(input), "Base64 and back");
  if (const auto bytes = sx::base64_decode(input))
    require(sx::base64_decode(sx::base64_encode(*bytes)) == bytes, "and once more");
  const std::string mark(sx::fuzz::secret_mark);
  const auto url = sx::redact_value("URL", std::string(input) + " http://user:" + mark + "@host/");
  require(sx::fuzz::has_secret(input) || !sx::fuzz::has_secret(url), "no password of a URL");
  require(sx::redact_value("DB_PASSWORD", mark) != mark, "no secret by its name");
}
