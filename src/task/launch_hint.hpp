#pragma once
// Pure: what to check for the error of a launch, by the words of Docker, runc, Vault and ourselves.

#include <span>
#include <string>
#include <string_view>

namespace sidecar_executor::task {

struct Hint {
  std::string_view part;    ///< in lower case, of the text
  std::string_view advice;  ///< what to check
};

/// The advice of the first whose part is in `text`, which is in lower case; empty when none is.
std::string_view first_advice(std::span<const Hint> hints, std::string_view text);

/// What to check for an error text of a step of the launch: `port 31000 is taken on this host...`.
std::string launch_hint(const std::string& error);

}  // namespace sidecar_executor::task
