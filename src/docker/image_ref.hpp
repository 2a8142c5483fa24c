#pragma once
// Docker image references: [registry[:port]/]name[:tag][@algorithm:digest].

#include <string>
#include <string_view>

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
};

/// Errors (invalid): empty, upper case in the name, bad characters, bad digest; they show the text.
Result<ImageRef> parse_image_ref(std::string_view text);

}  // namespace sidecar_executor::docker
