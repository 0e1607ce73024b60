#include "engine/volumes.h"

#include <array>
#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/names.h"
#include "sys/file.h"

namespace berth::engine {

namespace {

Result<std::string> random_name() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail_errno(errno, "get random bytes for a volume's name");
  }
  std::string name;
  for (const unsigned char byte : bytes) name += fmt::format("{:02x}", byte);
  return name;
}

std::string volume_directory(std::string_view name) {
  return fmt::format("volumes/{}", name);
}

Result<bool> is_recorded(store::Store& store, const std::string& name) {
  store::Statement query = TRY(store.db().prepare("SELECT 1 FROM volumes WHERE name = ?"));
  query.bind(1, name);
  return query.step();
}

// Never more than an empty directory: what is in a volume is somebody's.
void remove_if_empty(store::Store& store, const std::string& name) {
  const std::string path = volume_directory(name);
  ::unlinkat(store.root(), (path + "/_data").c_str(), AT_REMOVEDIR);
  ::unlinkat(store.root(), path.c_str(), AT_REMOVEDIR);
}

}  // namespace

Result<> name_volumes(const store::Store& store, ContainerSpec& spec) {
  for (MountSpec& mount : spec.mounts) {
    if (mount.type != "volume") continue;
    mount.anonymous = mount.source.empty();
    mount.volume = mount.anonymous ? TRY(random_name()) : mount.source;
    TRY_CONTEXT(check_name(mount.volume), "volume");
    mount.source = fmt::format("{}/{}/_data", store.locations().root, volume_directory(mount.volume));
  }
  return {};
}

Result<> make_volumes(store::Store& store, const ContainerSpec& spec) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != "volume") continue;
    const std::string path = volume_directory(mount.volume);
    TRY_CONTEXT(sys::ensure_dir_at(store.root(), path, 0700), "make the volume {}", mount.volume);
    TRY_CONTEXT(sys::ensure_dir_at(store.root(), path + "/_data", 0755), "make the volume {}", mount.volume);
  }
  return {};
}

Result<> record_volumes(store::Store& store, std::string_view container_id, const ContainerSpec& spec) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type != "volume") continue;
    store::Statement volume = TRY(store.db().prepare(
        "INSERT OR IGNORE INTO volumes (name, created_at, anonymous, labels) VALUES (?, ?, ?, '{}')"));
    volume.bind(1, mount.volume).bind(2, int64_t{::time(nullptr)}).bind(3, int64_t{mount.anonymous ? 1 : 0});
    TRY(volume.run());
    store::Statement use = TRY(
        store.db().prepare("INSERT OR IGNORE INTO container_volumes (container_id, volume) VALUES (?, ?)"));
    TRY(use.bind(1, container_id).bind(2, mount.volume).run());
  }
  return {};
}

Result<> remove_unrecorded_volumes(store::Store& store, const ContainerSpec& spec) {
  for (const MountSpec& mount : spec.mounts) {
    if (mount.type == "volume" && !TRY(is_recorded(store, mount.volume)))
      remove_if_empty(store, mount.volume);
  }
  return {};
}

Result<> remove_empty_volumes(store::Store& store) {
  const sys::UniqueFd volumes = TRY(sys::open_at(store.root(), "volumes", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(sys::list_dir(volumes.get()))) {
    if (!TRY(is_recorded(store, name))) remove_if_empty(store, name);
  }
  return {};
}

Result<> remove_anonymous_volumes(store::Store& store, std::string_view container_id) {
  store::Statement query =
      TRY(store.db().prepare("SELECT name FROM volumes JOIN container_volumes ON volume = name WHERE "
                             "anonymous AND container_id = ?"));
  query.bind(1, container_id);
  std::vector<std::string> names;
  while (TRY(query.step())) names.push_back(query.text(0));
  for (const std::string& name : names) {
    TRY(sys::remove_tree_at(store.root(), volume_directory(name)));
    store::Statement forget = TRY(store.db().prepare("DELETE FROM volumes WHERE name = ?"));
    TRY(forget.bind(1, name).run());
  }
  return {};
}

}  // namespace berth::engine
