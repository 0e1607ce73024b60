#include "engine/volumes/image_volumes.h"

#include <algorithm>
#include <climits>

#include "safepath/root.h"

namespace berth::engine {

namespace {

// Far above any image that people use; each one is a directory, a record and a mount.
constexpr size_t kMostVolumes = 256;

// "/data" for "/data", "data/", "//data/.".
Result<std::string> checked_path(std::string_view path) {
  const auto refused = [&](std::string_view why) {
    return fail(Code::refused, "the image asks for a volume at \"{}\", {}", path, why);
  };
  if (path.size() >= PATH_MAX) return refused("which is too long a path");
  if (path.find('\0') != std::string_view::npos) return refused("which holds a NUL byte");
  std::string inside = "/" + safepath::relative(path);
  if ((inside + "/").find("/../") != std::string::npos) return refused("which goes through \"..\"");
  return inside;
}

}  // namespace

Result<> add_image_volumes(const oci::ImageConfig& image, ContainerSpec& spec) {
  if (spec.image_volumes == "ignore") return {};
  if (image.volumes.size() > kMostVolumes)
    return fail(Code::refused, "the image asks for {} volumes, and a container has at most {}",
                image.volumes.size(), kMostVolumes);
  for (const std::string& path : image.volumes) {
    const std::string target = TRY(checked_path(path));
    const bool taken = std::any_of(spec.mounts.begin(), spec.mounts.end(), [&](const MountSpec& mount) {
      return "/" + safepath::relative(mount.target) == target;
    });
    if (taken) continue;
    if (spec.image_volumes == "tmpfs") {
      spec.mounts.push_back({.type = "tmpfs", .target = target});
    } else {
      spec.mounts.push_back({.type = "volume", .target = target});
    }
  }
  return {};
}

}  // namespace berth::engine
