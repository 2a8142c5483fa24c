#include "docker/image_platform.hpp"

#include <algorithm>

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

#if defined(__aarch64__)
constexpr const char* own_architecture = "arm64";
#else
constexpr const char* own_architecture = "amd64";
#endif

bool is_one_of(const std::string& text, std::initializer_list<std::string_view> all) {
  return std::find(all.begin(), all.end(), text) != all.end();
}

// What images are built for; containerd knows more names, of systems without containers.
bool is_os(const std::string& text) {
  return is_one_of(text, {"linux", "windows", "darwin", "freebsd"});
}
bool is_architecture(const std::string& text) {
  return is_one_of(text, {"386", "amd64", "arm", "arm64", "loong64", "mips64le", "ppc64le",
                          "riscv64", "s390x", "wasm"});
}

}  // namespace

std::optional<std::string> complete_platform(std::string_view text) {
  const auto parts = split(text, '/');
  const auto word = [](const std::string& part) { return is_word(part, "-_."); };
  if (parts.empty() || parts.size() > 3 || !std::all_of(parts.begin(), parts.end(), word))
    return std::nullopt;
  if (parts.size() > 1) return std::string(text);
  const auto as_os = normalized({parts[0], own_architecture, {}});
  if (is_os(as_os.os)) return to_text(as_os);
  const auto as_architecture = normalized({"linux", parts[0], {}});
  if (is_architecture(as_architecture.architecture)) return to_text(as_architecture);
  return std::nullopt;
}

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
