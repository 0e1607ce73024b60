// What a machine must be for an image to run on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::oci {

// In Go's words (image-spec, image-index.md, "platform"): os "linux", architecture "amd64", variant "" or
// "v7".
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;

  friend bool operator==(const Platform&, const Platform&) = default;
};

// "linux/amd64", "linux/arm/v7"; a lone "arm64" means linux. Other names of the same thing (x86_64, aarch64,
// armhf) are turned into these. Code::usage.
Result<Platform> parse_platform(std::string_view text);

// The same platform in one spelling: x86_64 is amd64, arm64's v8 and amd64's v1 are no variant, arm's default
// is v7.
Platform normalized(Platform platform);

// The platform that this program was built for.
Platform host_platform();

// "linux/arm/v7".
std::string describe(const Platform& platform);

// How well an image for `offered` serves one who asks for `wanted`: 0 is exact, more is worse (an older
// variant of the same architecture), none is not at all.
std::optional<int> mismatch(const Platform& wanted, const Platform& offered);

}  // namespace berth::oci
