// vault://path?key=k: what is taken leads to one place, and nowhere else.
#include "base/text.hpp"
#include "fuzz/fuzz_target.hpp"
#include "vault/secret_ref.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

namespace {

void check(const std::string& text) {
  const auto ref = sx::vault::parse_secret_ref(text);
  if (!ref) {
    require(sx::fuzz::is_for_people(ref.error().message, 400), "the error's text");
    return;
  }
  for (const auto& segment : sx::split(ref->path, '/'))
    require(!segment.empty() && segment != "." && segment != "..", "no way out of the path");
  const auto encoded = sx::vault::encode_path(ref->path);
  require(encoded.find_first_of(" ?#&\r\n") == std::string::npos, "a path is one word");
  std::string again = "vault://" + encoded + "?key=" + sx::vault::encode_path(ref->key);
  if (ref->version) again += "&version=" + std::to_string(*ref->version);
  const auto same = sx::vault::parse_secret_ref(again);
  require(same && same->path == ref->path && same->key == ref->key && same->version == ref->version,
          "written anew, it is read as the same");
}

}  // namespace

SX_FUZZ_TARGET(secret_refs) {
  check(std::string(input));
  check("vault://" + std::string(input));
}
