#pragma once
// What an image was built for: operating system, architecture, variant.

#include <optional>
#include <string>
#include <string_view>

namespace sidecar_executor::docker {

/// What an image was built for, as its inspect document has it.
struct ImagePlatform {
  std::string os;
  std::string architecture;
  std::string variant;  ///< `v7`; empty where there is one only
};

std::string to_text(const ImagePlatform& platform);  ///< `linux/arm/v7`

/// As the command line of Docker takes it: `arm64` is linux/arm64, `linux` is linux on the
/// architecture of this program; two or three parts stay as they are. nullopt: no platform.
std::optional<std::string> complete_platform(std::string_view text);

/// Whether an image is what `wanted` (`linux/arm64`, `linux/arm/v7`) asks for. Docker's other names
/// (x86_64, aarch64) are understood. False where it cannot be told.
bool is_platform(const ImagePlatform& image, std::string_view wanted);

/// Asks a call for a platform: `&platform=linux%2Farm64`; empty without one.
std::string platform_query(std::string_view platform);

}  // namespace sidecar_executor::docker
