#include "oci/platform.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/letter_case.h"

namespace berth::oci {

namespace {

struct Alias {
  std::string_view name;
  std::string_view architecture;
  std::string_view variant;
};
constexpr std::array<Alias, 8> kAliases{{{"x86_64", "amd64", ""},
                                         {"x86-64", "amd64", ""},
                                         {"i386", "386", ""},
                                         {"i686", "386", ""},
                                         {"aarch64", "arm64", ""},
                                         {"armhf", "arm", "v7"},
                                         {"armel", "arm", "v6"},
                                         {"loongarch64", "loong64", ""}}};

constexpr size_t kMaxPart = 32;

bool is_platform_part(std::string_view part) {
  return !part.empty() && part.size() <= kMaxPart && std::all_of(part.begin(), part.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

// The number of a variant "vN" with one digit; what an architecture's missing variant stands for is
// `otherwise`.
std::optional<int> variant_level(std::string_view variant, int otherwise) {
  if (variant.empty()) return otherwise;
  if (variant.size() != 2 || variant[0] != 'v' || variant[1] < '1' || variant[1] > '9') return std::nullopt;
  return variant[1] - '0';
}

int baseline_level(std::string_view architecture) {
  if (architecture == "arm") return 7;
  if (architecture == "arm64") return 8;
  return 1;
}

}  // namespace

Platform normalized(Platform platform) {
  platform.os = small(platform.os);
  platform.architecture = small(platform.architecture);
  platform.variant = small(platform.variant);
  for (const Alias& alias : kAliases) {
    if (platform.architecture != alias.name) continue;
    platform.architecture = alias.architecture;
    if (platform.variant.empty()) platform.variant = alias.variant;
    break;
  }
  const bool bare_number =
      platform.variant.size() == 1 && platform.variant[0] >= '1' && platform.variant[0] <= '9';
  if (bare_number) platform.variant.insert(0, "v");
  if (platform.architecture == "arm" && platform.variant.empty()) platform.variant = "v7";
  if (platform.architecture == "arm64" && platform.variant == "v8") platform.variant.clear();
  if (platform.architecture == "amd64" && platform.variant == "v1") platform.variant.clear();
  return platform;
}

Result<Platform> parse_platform(std::string_view text) {
  std::vector<std::string> parts;
  for (std::string_view rest = text;;) {
    const size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (!is_platform_part(part) || parts.size() == 3) {
      return fail(Code::usage,
                  "\"{}\" is not a platform: it is OS/ARCH or OS/ARCH/VARIANT, for example linux/arm64",
                  text.substr(0, 3 * kMaxPart));
    }
    parts.emplace_back(part);
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (parts.size() == 1) parts.insert(parts.begin(), "linux");
  return normalized({parts[0], parts[1], parts.size() == 3 ? parts[2] : std::string()});
}

Platform host_platform() {
#if defined(__x86_64__)
  return {"linux", "amd64", ""};
#elif defined(__aarch64__)
  return {"linux", "arm64", ""};
#elif defined(__arm__)
  return {"linux", "arm", "v7"};
#elif defined(__i386__)
  return {"linux", "386", ""};
#elif defined(__riscv) && __riscv_xlen == 64
  return {"linux", "riscv64", ""};
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
  return {"linux", "ppc64le", ""};
#elif defined(__s390x__)
  return {"linux", "s390x", ""};
#else
#error "no image-spec name is known for this architecture"
#endif
}

std::string describe(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

std::optional<int> mismatch(const Platform& wanted_raw, const Platform& offered_raw) {
  const Platform wanted = normalized(wanted_raw);
  const Platform offered = normalized(offered_raw);
  if (wanted.os != offered.os || wanted.architecture != offered.architecture) return std::nullopt;
  if (wanted.variant == offered.variant) return 0;
  const int baseline = baseline_level(wanted.architecture);
  const std::optional<int> want = variant_level(wanted.variant, baseline);
  const std::optional<int> have = variant_level(offered.variant, baseline);
  // A newer variant has instructions that the machine lacks.
  if (!want || !have || *have > *want) return std::nullopt;
  return *want - *have;
}

}  // namespace berth::oci
