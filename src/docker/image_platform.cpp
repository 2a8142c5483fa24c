#include "docker/image_platform.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"

namespace sidecar_executor::docker {
namespace {

/// One spelling for each, as github.com/containerd/platforms normalizes them.
ImagePlatform normalized(ImagePlatform platform) {
  auto& [os, architecture, variant] = platform;
  os = to_lower(os);
  architecture = to_lower(architecture);
  variant = to_lower(variant);
  if (os == "macos") os = "darwin";
  if (architecture == "x86_64" || architecture == "x86-64") architecture = "amd64";
  if (architecture == "i386") architecture = "386";
  if (architecture == "aarch64") architecture = "arm64";
  if (architecture == "armhf") architecture = "arm";
  if (architecture == "armel") {
    architecture = "arm";
    variant = "v6";
  }
  if (architecture == "arm64" && (variant == "8" || variant == "v8")) variant.clear();
  if (architecture == "arm" && variant.empty()) variant = "v7";
  if (architecture == "amd64" && variant == "v1") variant.clear();
  return platform;
}

}  // namespace

std::string to_text(const ImagePlatform& platform) {
  return platform.os + "/" + platform.architecture +
         (platform.variant.empty() ? "" : "/" + platform.variant);
}

bool is_platform(const ImagePlatform& image, std::string_view wanted) {
  auto parts = split(wanted, '/');
  if (parts.size() < 2 || parts.size() > 3) return false;
  parts.resize(3);
  return to_text(normalized(image)) == to_text(normalized({parts[0], parts[1], parts[2]}));
}

std::string platform_query(std::string_view platform) {
  return platform.empty() ? "" : "&platform=" + percent_encode(platform);
}

}  // namespace sidecar_executor::docker
