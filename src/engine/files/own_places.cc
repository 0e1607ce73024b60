#include "engine/files/own_places.h"

#include <array>

#include "store/image_path.h"

namespace berth::engine {

namespace {

// As engine/plan_mounts.cc has them.
constexpr std::array<const char*, 6> kMounts{"/proc",      "/dev",          "/sys",
                                             "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};
constexpr std::array<const char*, 3> kReadOnlyMounts{"/run", "/tmp", "/var/tmp"};

// None where the image has something there that can't be passed.
std::optional<std::string> place_of(const store::LayerStack& image, std::string_view path) {
  const Result<store::ImagePath> place = store::follow(image, path);
  if (!place || place->parts.empty()) return std::nullopt;
  return place->text();
}

}  // namespace

const AccountFile* OwnPlaces::account(std::string_view path) const {
  for (const AccountFile& file : accounts)
    if (file.path == path) return &file;
  return nullptr;
}

Result<OwnPlaces> own_places(const RootLayers& layers, const store::LayerStack& image) {
  OwnPlaces places;
  const auto add_mount = [&](const char* target) {
    if (auto place = place_of(image, target)) places.mounts.insert(std::move(*place));
  };
  for (const char* target : kMounts) add_mount(target);
  if (layers.spec.read_only && layers.spec.read_only_tmpfs)
    for (const char* target : kReadOnlyMounts) add_mount(target);
  const auto add_account = [&](const char* path, const std::vector<std::string>& added,
                               const std::optional<std::string>& original) {
    if (added.empty()) return;
    if (auto place = place_of(image, path)) places.accounts.push_back({std::move(*place), added, original});
  };
  add_account("/etc/passwd", layers.identity.added_passwd, layers.image.passwd);
  add_account("/etc/group", layers.identity.added_group, layers.image.group);
  return places;
}

}  // namespace berth::engine
