// Image references: taken apart and put together again.
#include "docker/image_ref.hpp"
#include "fuzz/fuzz_target.hpp"

namespace sx = sidecar_executor;
using sx::fuzz::require;

SX_FUZZ_TARGET(image_names) {
  const auto image = sx::docker::parse_image_ref(input);
  if (!image) {
    require(sx::fuzz::is_for_people(image.error().message, 500), "the error's text");
    return;
  }
  std::string text = image->name;
  if (!image->tag.empty()) text += ":" + image->tag;
  if (!image->digest.empty()) text += "@" + image->digest;
  require(text == input, "its parts are all of it");
  require(!image->registry().empty() && !image->pull_tag().empty(), "a registry and a tag");
  const auto again = sx::docker::parse_image_ref(image->full());
  require(again && again->name == image->name && again->digest == image->digest &&
              again->full() == image->full() && again->registry() == image->registry(),
          "the full reference means the same");
}
