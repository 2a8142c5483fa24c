// The progress stream of a pull.
#include "docker/progress.hpp"
#include "fuzz/fuzz_target.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

struct Pulled {
  bool fed = true;
  std::string finished;  // the error's text, empty when it went well
  std::string described;
  std::string digest;
  std::uint64_t bytes = 0;
  bool operator==(const Pulled&) const = default;
};

Pulled pull(std::string_view input, std::size_t step) {
  sx::docker::PullProgress progress;
  Pulled out;
  sx::fuzz::in_steps(input, step, [&](std::string_view piece) {
    if (out.fed) out.fed = progress.feed(piece).has_value();
  });
  const auto finished = progress.finish();
  if (!finished) {
    out.finished = finished.error().message;
    sx::docker::pull_is_hopeless(finished.error());
    require(!out.finished.empty() && out.finished.size() < 3000, "the error's text is bounded");
  }
  out.described = progress.describe();
  out.digest = progress.digest();
  out.bytes = progress.bytes();
  return out;
}

}  // namespace

SX_FUZZ_TARGET(pull_progress) {
  const Pulled whole = pull(input, input.size() + 1);
  for (const auto step : sx::fuzz::steps_for(input))
    require(pull(input, step) == whole, "the same progress, however it comes");
  require(sx::fuzz::is_for_people(whole.described + ".", 200), "the log gets a line");
  require(whole.digest.size() <= 200, "the digest is bounded");
}
