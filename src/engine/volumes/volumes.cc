#include "engine/volumes/volumes.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine/container/announce.h"
#include "engine/container/names.h"
#include "engine/volumes/image_volumes.h"
#include "engine/volumes/volume_contents.h"
#include "engine/volumes/volumes_from.h"
#include "oci/image_config.h"
#include "sys/file.h"
#include "sys/random.h"

namespace berth::engine {

namespace {

// What has been copied for a volume that is about to be recorded. No container has seen it.
constexpr const char* kNewData = "/_new";

enum class State { unknown, recorded, populated };

Result<State> state_of(store::Store& store, const std::string& name) {
  store::Statement query = TRY(store.db().prepare("SELECT populated FROM volumes WHERE name = ?"));
  query.bind(1, name);
  if (!TRY(query.step())) return State::unknown;
  return query.number(0) != 0 ? State::populated : State::recorded;
}

Result<bool> is_used(store::Store& store, const std::string& name) {
  store::Statement query = TRY(store.db().prepare("SELECT 1 FROM container_volumes WHERE volume = ?"));
  query.bind(1, name);
  return query.step();
}

// Never more than an empty directory and what no container has seen: what is in a volume is somebody's.
Result<> remove_if_empty(store::Store& store, const std::string& name) {
  const std::string path = volume_directory(name);
  TRY(sys::remove_tree_at(store.root(), path + kNewData));
  ::unlinkat(store.root(), volume_data_directory(name).c_str(), AT_REMOVEDIR);
  ::unlinkat(store.root(), path.c_str(), AT_REMOVEDIR);
  return {};
}

Result<bool> is_empty(const store::Store& store, const std::string& path) {
  const sys::UniqueFd directory = TRY(sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const std::vector<std::string> names = TRY(sys::list_dir(directory.get()));
  return names.empty();
}

// As OpenShift's fsGroup does with a volume: whoever has the group can write, and what is made in it belongs
// to the group too.
Result<> give_to_group(int directory, std::optional<ContainerGid> group) {
  if (!group) return {};
  constexpr mode_t kGroupsOwn = S_ISGID | S_IRWXG;
  const struct stat st = TRY(sys::stat_at(directory, "", AT_EMPTY_PATH));
  // On disk a volume bears the IDs inside. The mode comes after the group, whose change may take bits away.
  if (::fchown(directory, st.st_uid, group->value()) != 0 ||
      ::fchmod(directory, (st.st_mode & 07777U) | kGroupsOwn) != 0)
    return fail_errno(errno, "give the volume to the project's group");
  return {};
}

// Puts what the image has at the volume's place beside the volume; settle_volume() makes it the volume's own.
Result<> copy_beside(const store::Store& store, const store::LayerStack& image, const MountSpec& mount,
                     const VolumeMaking& making) {
  const std::string path = volume_directory(mount.volume) + kNewData;
  TRY(sys::remove_tree_at(store.root(), path));
  TRY(sys::ensure_dir_at(store.root(), path, 0755));
  const sys::UniqueFd directory = TRY(sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  // Whatever the caller's umask.
  if (::fchmod(directory.get(), 0755) != 0) return fail_errno(errno, "chmod {}", path);
  const size_t copied = TRY(copy_image_directory(image, mount.target, directory.get()));
  TRY(give_to_group(directory.get(), making.group));
  // It is recorded as taken over, durably, and so it has to be.
  const bool durable = !(making.transient && mount.anonymous);
  if (durable && (copied != 0 || making.group) && ::syncfs(directory.get()) != 0)
    return fail_errno(errno, "sync the volume");
  return {};
}

class ImageLayers {
 public:
  explicit ImageLayers(const std::vector<std::string>& names) : names_(names) {}

  // Opened when the first volume needs them.
  Result<const store::LayerStack*> stack(const store::Store& store) {
    if (!stack_) stack_.emplace(TRY(store::LayerStack::open(store, names_)));
    return &*stack_;
  }

 private:
  const std::vector<std::string>& names_;
  std::optional<store::LayerStack> stack_;
};

Result<bool> is_taken_over(store::Store& store, const MountSpec& mount, bool directory_is_new) {
  // Its directory may have been lost to a `berth volume rm` that was killed.
  return TRY(state_of(store, mount.volume)) == State::populated && !directory_is_new;
}

// An empty volume that is to stay without the image's content.
Result<> make_bare(store::Store& store, const std::string& path, const VolumeMaking& making) {
  if (!making.group || !TRY(is_empty(store, path))) return {};
  const sys::UniqueFd directory = TRY(sys::open_at(store.root(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  return give_to_group(directory.get(), making.group);
}

Result<> make_volume(store::Store& store, ImageLayers& image, const MountSpec& mount,
                     const VolumeMaking& making, MadeVolumes& made) {
  const std::string data = volume_data_directory(mount.volume);
  const bool is_new = TRY(make_volume_directory(store, mount.volume));
  if (TRY(is_taken_over(store, mount, is_new))) return {};
  const bool wanted = std::find(mount.options.begin(), mount.options.end(), "nocopy") == mount.options.end();
  // Another container that came first without wanting a copy may be writing to it.
  if (TRY(is_used(store, mount.volume))) return {};
  if (!wanted) return make_bare(store, data, making);
  if (TRY(is_empty(store, data))) {
    const store::LayerStack* stack = TRY(image.stack(store));
    TRY(copy_beside(store, *stack, mount, making));
    fault::point("volume-copied");
  }
  made.taken_over.push_back(mount.volume);
  return {};
}

// Two containers that are the first to use a volume, and one that fails and tidies up, must not meet.
Result<bool> needs_lock(store::Store& store, const ContainerSpec& spec) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != "volume" || mount.anonymous) continue;
    if (TRY(state_of(store, mount.volume)) != State::populated) return true;
  }
  return false;
}

Result<> name_volume(const store::Store& store, MountSpec& mount) {
  if (mount.volume.empty()) {
    mount.anonymous = mount.source.empty();
    mount.volume = mount.anonymous ? TRY(made_up_volume_name()) : mount.source;
    TRY_CONTEXT(check_name(mount.volume), "volume");
  }
  mount.source = fmt::format("{}/{}", store.locations().root, volume_data_directory(mount.volume));
  return {};
}

}  // namespace

std::string volume_directory(std::string_view name) {
  return fmt::format("volumes/{}", name);
}

std::string volume_data_directory(std::string_view name) {
  return volume_directory(name) + "/_data";
}

Result<bool> make_volume_directory(const store::Store& store, std::string_view name) {
  TRY(sys::ensure_dir_at(store.root(), volume_directory(name), 0700));
  const std::string data = volume_data_directory(name);
  const bool is_new = TRY(sys::ensure_dir_at(store.root(), data, 0755));
  // Whatever the caller's umask.
  if (is_new && ::fchmodat(store.root(), data.c_str(), 0755, 0) != 0)
    return fail_errno(errno, "chmod {}", data);
  return is_new;
}

Result<std::string> made_up_volume_name() {
  constexpr size_t kBytes = 32;
  return sys::random_hex(kBytes);
}

Result<> plan_volumes(store::Store& store, const store::ImageRecord& image, ContainerSpec& spec) {
  TRY(add_volumes_from(store, spec));
  const oci::ImageConfig config = TRY(oci::parse_image_config(image.config));
  TRY(add_image_volumes(config, spec));
  for (MountSpec& mount : spec.mounts) {
    if (mount.type == "volume") TRY(name_volume(store, mount));
  }
  return {};
}

Result<MadeVolumes> make_volumes(store::Store& store, const store::ImageRecord& image,
                                 const ContainerSpec& spec, const VolumeMaking& making) {
  MadeVolumes made;
  if (TRY(needs_lock(store, spec))) made.lock = TRY(store::KeyLock::acquire(store, "volumes"));
  ImageLayers layers(image.layers);
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != "volume") continue;
    TRY_CONTEXT(make_volume(store, layers, mount, making, made), "make the volume {}", mount.volume);
  }
  return made;
}

Result<> make_volume_directories(const store::Store& store, const ContainerSpec& spec) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type == "volume") TRY_CONTEXT(make_volume_directory(store, mount.volume), "make the volume");
  }
  return {};
}

Result<std::vector<std::string>> record_volumes(store::Store& store, std::string_view container_id,
                                                const ContainerSpec& spec, const MadeVolumes& made) {
  std::vector<std::string> added;
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != "volume") continue;
    store::Statement volume = TRY(store.db().prepare(
        "INSERT OR IGNORE INTO volumes (name, created_at, anonymous, labels) VALUES (?, ?, ?, '{}') "
        "RETURNING name"));
    volume.bind(1, mount.volume).bind(2, int64_t{::time(nullptr)}).bind(3, int64_t{mount.anonymous ? 1 : 0});
    if (TRY(volume.step())) added.push_back(mount.volume);
    store::Statement use = TRY(
        store.db().prepare("INSERT OR IGNORE INTO container_volumes (container_id, volume) VALUES (?, ?)"));
    TRY(use.bind(1, container_id).bind(2, mount.volume).run());
  }
  for (const std::string& name : made.taken_over) {
    store::Statement update = TRY(store.db().prepare("UPDATE volumes SET populated = 1 WHERE name = ?"));
    TRY(update.bind(1, name).run());
  }
  return added;
}

Result<> settle_volumes(const store::Store& store, const ContainerSpec& spec) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != "volume") continue;
    const std::string copied = volume_directory(mount.volume) + kNewData;
    const std::string data = volume_data_directory(mount.volume);
    if (::renameat(store.root(), copied.c_str(), store.root(), data.c_str()) == 0) continue;
    const int err = errno;
    if (err == ENOENT) continue;  // there was nothing to take over, or it has happened
    if (err != ENOTEMPTY && err != EEXIST)
      return fail_errno(err, "give the volume {} what the image has there", mount.volume);
    TRY(sys::remove_tree_at(store.root(), copied));
  }
  return {};
}

Result<> remove_unrecorded_volumes(store::Store& store, const ContainerSpec& spec) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type == "volume" && TRY(state_of(store, mount.volume)) == State::unknown)
      TRY(remove_if_empty(store, mount.volume));
  }
  return {};
}

Result<> remove_empty_volumes(store::Store& store) {
  const sys::UniqueFd volumes = TRY(sys::open_at(store.root(), "volumes", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(sys::list_dir(volumes.get()))) {
    if (TRY(state_of(store, name)) == State::unknown) TRY(remove_if_empty(store, name));
  }
  return {};
}

Result<> remove_anonymous_volumes(store::Store& store, std::string_view container_id) {
  store::Statement query =
      TRY(store.db().prepare("SELECT name FROM volumes JOIN container_volumes ON volume = name WHERE "
                             "anonymous AND container_id = ?1 AND NOT EXISTS (SELECT 1 FROM "
                             "container_volumes other WHERE other.volume = name AND other.container_id <> "
                             "?1)"));
  query.bind(1, container_id);
  const std::vector<std::string> names = TRY(query.texts());
  for (const std::string& name : names) {
    TRY(sys::remove_tree_at(store.root(), volume_directory(name)));
    store::Statement forget = TRY(store.db().prepare("DELETE FROM volumes WHERE name = ?"));
    TRY(forget.bind(1, name).run());
    announce_volume(store, events::kRemove, name);
  }
  return {};
}

}  // namespace berth::engine
