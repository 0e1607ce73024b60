#include "engine/translation/translate.h"

#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/translation/id_mapping_probe.h"
#include "engine/translation/translate_tree.h"
#include "engine/volumes/mount_ids.h"
#include "store/layers.h"
#include "store/staging.h"

namespace berth::engine {

namespace {

// Mounts of host directories that do not ask for a map do without one.
Result<> check_mounts(const ContainerSpec& spec, const std::string& reason) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type == "tmpfs") continue;
    const MountIds ids = TRY(mount_ids(mount));
    // The file system of a host directory is another one, which the monitor tries for itself.
    if (mount.type != "volume") continue;
    Error error{Code::refused,
                0,
                fmt::format("mount {}: a volume needs mapped IDs, and {}", mount.target, reason),
                {}};
    return std::unexpected(std::move(error).with_hint(
        mount.anonymous ? "The image asks for it: --image-volumes tmpfs (or ignore) does without. A host "
                          "directory (-v /path:/place) can be used in its place."
                        : "A host directory (-v /path:/place) can be used in its place."));
  }
  return {};
}

Result<> sync_file_system(int fd) {
  if (::syncfs(fd) != 0) return fail_errno(errno, "write to the disk");
  return {};
}

Result<TranslationCost> cost_of(store::Store& store, const TranslationRequest& request) {
  const store::ImageRecord& image = request.image;
  TranslationCost cost{.image = request.name, .ids = request.users.describe()};
  for (const std::string& layer : image.layers) {
    const auto record = TRY(store::find_layer(store, layer));
    if (!record) return fail(Code::not_found, "the image {} has just been removed", image.id);
    cost.files += record->files;
    cost.bytes += record->size;
  }
  return cost;
}

idmap::Shift shift_of(const TranslationRequest& request) {
  return {idmap::IdShift(request.users), idmap::IdShift(request.groups)};
}

Result<TreeCopy> copy_tree(int source_base, const std::string& source, int target_base,
                           const std::string& target, const TranslationRequest& request) {
  constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
  TRY(sys::ensure_dir_at(target_base, target, 0700));
  const sys::UniqueFd from = TRY(sys::open_at(source_base, source, kDirectory));
  const sys::UniqueFd to = TRY(sys::open_at(target_base, target, kDirectory));
  return copy_shifted(from.get(), to.get(), shift_of(request), request.interrupted);
}

Result<store::Translation> make_translation(store::Store& store, const TranslationRequest& request,
                                            store::Translation made) {
  const store::ImageRecord& image = request.image;
  const TranslationCost cost = TRY(cost_of(store, request));
  if (request.announce) request.announce(cost);
  const store::Staging staging = TRY(store::Staging::create(store));
  for (const char* directory : {"made", "made/layers", "made/identities"})
    TRY(sys::ensure_dir_at(staging.fd(), directory, 0700));
  for (const std::string& layer : image.layers) {
    const TreeCopy copied =
        TRY_CONTEXT(copy_tree(store.root(), "layers/" + layer, staging.fd(), "made/layers/" + layer, request),
                    "copy the image's layer {}", layer);
    made.files += copied.files;
    made.size += copied.bytes;
  }
  TRY(sync_file_system(staging.fd()));
  made.created_at = ::time(nullptr);
  TRY(store::place_translation(store, staging.fd(), "made", made));
  return made;
}

// An identity layer goes with the copy of its image: it is for the same maps.
Result<std::string> translated_identity(store::Store& store, const TranslationRequest& request,
                                        const std::string& translation, const std::string& layer) {
  // "identities/<key>/layer"
  const std::string key = layer.substr(0, layer.rfind('/'));
  std::string place = translation + "/" + key;
  if (sys::exists_at(store.root(), place)) return place;
  const store::Staging staging = TRY(store::Staging::create(store));
  TRY_CONTEXT(copy_tree(store.root(), layer, staging.fd(), "layer", request), "copy the identity layer {}",
              layer);
  TRY(sync_file_system(staging.fd()));
  if (::renameat(staging.fd(), "layer", store.root(), place.c_str()) != 0 && errno != EEXIST &&
      errno != ENOTEMPTY)  // another start was faster, and made the same
    return fail_errno(errno, "put the identity layer at {}", place);
  return place;
}

}  // namespace

Result<> settle_translation(store::Store& store, ContainerSpec& spec, bool own_users) {
  if (!own_users) {
    if (!spec.translate) return {};
    return fail(Code::usage, "--translate has no use where the container has the host's IDs");
  }
  const IdMapping mapping = TRY(probe_id_mapping(store));
  if (mapping.possible) return {};
  spec.translate = true;
  return check_mounts(spec, mapping.reason);
}

Result<> shift_upper(int directory, const store::ImageRecord& image, const IdDecision& ids) {
  if (!ids.users || !ids.groups) return {};
  const idmap::Shift shift{idmap::IdShift(*ids.users), idmap::IdShift(*ids.groups)};
  // Changing the owner takes mode bits away, so the mode comes again.
  if (::fchownat(directory, "upper", shift.users(image.root.uid), shift.groups(image.root.gid),
                 AT_SYMLINK_NOFOLLOW) != 0 ||
      ::fchmodat(directory, "upper", image.root.mode, 0) != 0 ||
      ::fchownat(directory, "work", shift.users(0), shift.groups(0), AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(errno, "give the container's root directory its owner");
  return {};
}

Result<store::Translation> translate_image(store::Store& store, const TranslationRequest& request) {
  const std::string uids = request.users.text();
  const std::string gids = request.groups.text();
  const auto find = [&] { return store::find_translation(store, request.image.id, uids, gids); };
  if (auto found = TRY(find())) return std::move(*found);
  const auto make = [&]() -> Result<store::Translation> {
    const store::KeepLayers keep = TRY(store::KeepLayers::acquire(store));
    const std::string directory = store::translation_directory(request.image.id, uids, gids);
    const store::KeyLock lock = TRY(store::KeyLock::acquire(store, directory, request.interrupted));
    // Another one may have made it while this one waited.
    if (auto found = TRY(find())) return std::move(*found);
    return make_translation(
        store, request,
        {.image_id = request.image.id, .uid_map = uids, .gid_map = gids, .directory = directory});
  };
  Result<store::Translation> made = make();
  // What was removed meanwhile had to stay until now.
  if (!made && made.error().code == Code::not_found) TRY(store::collect_garbage(store));
  return TRY_CONTEXT(std::move(made), "cannot copy the image {} for the container's IDs", request.name);
}

Result<std::vector<std::string>> translated_layers(store::Store& store, const TranslationRequest& request,
                                                   const std::string& identity_layer) {
  const store::Translation made = TRY(translate_image(store, request));
  const std::string place = "translated/" + made.directory;
  std::vector<std::string> layers;
  for (const std::string& layer : request.image.layers)
    layers.push_back(fmt::format("{}/{}/layers/{}", store.locations().root, place, layer));
  if (!identity_layer.empty()) {
    const std::string identity = TRY(translated_identity(store, request, place, identity_layer));
    layers.push_back(fmt::format("{}/{}", store.locations().root, identity));
  }
  return layers;
}

Result<std::vector<store::Translation>> forget_translation_of(store::Database& db,
                                                              const store::ContainerRecord& record) {
  if (record.uid_map.empty()) return std::vector<store::Translation>{};
  return store::forget_unneeded_translations(
      db, {.image_id = record.image_id, .uid_map = record.uid_map, .gid_map = record.gid_map});
}

Result<> remove_translations(store::Store& store, const std::vector<store::Translation>& forgotten) {
  for (const store::Translation& translation : forgotten)
    TRY(store::remove_translation_files(store, translation.directory));
  return {};
}

Result<> untranslate(int source, int target, const idmap::IdMap& users, const idmap::IdMap& groups,
                     const Interrupted& interrupted) {
  const idmap::Shift shift{idmap::IdShift(users), idmap::IdShift(groups)};
  TRY(copy_shifted(source, target, shift.inverse(), interrupted));
  return {};
}

}  // namespace berth::engine
