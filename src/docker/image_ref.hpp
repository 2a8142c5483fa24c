#pragma once
// Docker image references: [registry[:port]/]name[:tag][@algorithm:digest].

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace sidecar_executor::docker {

struct ImageRef {
  std::string name;    ///< registry and path without tag and digest: `host:5000/team/app`
  std::string tag;     ///< empty when none is written
  std::string digest;  ///< `sha256:...`, empty when none is written

  /// What to ask Docker for: `:latest` added when there is neither tag nor digest.
  [[nodiscard]] std::string full() const;
  /// Registry host as Docker reads it: the first part of the name when it contains '.' or ':' or is
  /// `localhost`; else `docker.io`.
  [[nodiscard]] std::string registry() const;
  /// `tag=` of POST /images/create: the digest when there is one, else the tag, else `latest`.
  [[nodiscard]] std::string pull_tag() const;
  /// The registry's digest, `sha256:...`, among the RepoDigests (`name@sha256:...`) that Docker has
  /// of the image: the written one, that of the same name, or the only one. Empty for an image that
  /// never was in a registry.
  [[nodiscard]] std::string digest_among(const std::vector<std::string>& repo_digests) const;
};

/// Errors (invalid): empty, upper case in the name, bad characters, bad digest; they show the text.
Result<ImageRef> parse_image_ref(std::string_view text);

}  // namespace sidecar_executor::docker
