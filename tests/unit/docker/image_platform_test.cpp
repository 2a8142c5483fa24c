#include "docker/image_platform.hpp"

#include <gtest/gtest.h>

namespace sidecar_executor::docker {
namespace {

TEST(ImagePlatform, IsWhatWasAskedFor) {
  const struct {
    ImagePlatform image;
    const char* wanted;
    bool same;
  } table[] = {
      {{"linux", "amd64", ""}, "linux/amd64", true},
      {{"linux", "amd64", ""}, "linux/x86_64", true},
      {{"linux", "amd64", ""}, "linux/arm64", false},
      {{"linux", "amd64", ""}, "windows/amd64", false},
      {{"linux", "amd64", ""}, "linux/amd64/v3", false},
      {{"linux", "arm64", "v8"}, "linux/arm64", true},
      {{"linux", "arm64", ""}, "linux/arm64/v8", true},
      {{"linux", "arm64", ""}, "linux/aarch64", true},
      {{"linux", "arm", "v7"}, "linux/arm", true},
      {{"linux", "arm", "v6"}, "linux/arm", false},
      {{"linux", "arm", "v6"}, "linux/arm/v6", true},
      {{"linux", "arm", "v6"}, "linux/armel", true},
      {{"linux", "arm", "v7"}, "linux/armel", false},
      {{"linux", "arm", "v7"}, "linux/armhf", true},
      {{"linux", "386", ""}, "linux/i386", true},
      {{"", "", ""}, "linux/amd64", false},
      {{"darwin", "amd64", ""}, "macOS/amd64", true},
      {{"linux", "amd64", ""}, "Linux/x86-64", true},
      {{"linux", "amd64", ""}, "linux/amd64/v1", true},
      {{"linux", "arm64", "8"}, "linux/arm64", true},
      {{"linux", "arm64", ""}, "linux/arm64/v9", false},
      {{"linux", "amd64", ""}, "linux/amd64/v1/x", false},
      {{"linux", "amd64", ""}, "linux", false},
  };
  for (const auto& row : table)
    EXPECT_EQ(is_platform(row.image, row.wanted), row.same)
        << to_text(row.image) << " for " << row.wanted;
}

}  // namespace
}  // namespace sidecar_executor::docker
