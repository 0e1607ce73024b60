#include "engine/files/container_root.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "engine/container/status.h"
#include "engine/files/container_view.h"
#include "engine/ids/id_decision.h"
#include "runtime/rootfs.h"
#include "sys/mount_api.h"
#include "sys/mount_place.h"
#include "sys/process_directory.h"

namespace berth::engine {

namespace {

// The host's IDs of the container's root where those are on disk.
Result<runtime::HostIds> root_on_disk(const RootLayers& layers) {
  if (!layers.translated) return runtime::HostIds{HostUid(0), HostGid(0)};
  const auto uid = layers.uid_map->to_host(ContainerUid(0));
  const auto gid = layers.gid_map->to_host(ContainerGid(0));
  if (!uid || !gid) return fail(Code::refused, "its map has no root, so nothing can be made in it");
  return runtime::HostIds{*uid, *gid};
}

// Host directories are looked at and not written to: which IDs they would get is only decided at a start.
bool is_read_only(const MountSpec& mount, const RootLayers& layers) {
  return mount.read_only || mount.type != "volume" || layers.translated;
}

Result<> attach_mount(const safepath::Root& root, const MountSpec& mount, bool read_only) {
  // Its place is made as a start would make it.
  const struct stat st = TRY(sys::stat_at(AT_FDCWD, mount.source, 0));
  const sys::UniqueFd place =
      TRY(S_ISDIR(st.st_mode) ? root.make_dirs(mount.target) : root.make_file(mount.target));
  const sys::UniqueFd copy = TRY(sys::clone_tree(AT_FDCWD, mount.source, false));
  const uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (read_only ? MOUNT_ATTR_RDONLY : 0U);
  TRY(sys::set_attributes(copy.get(), attributes, 0, false));
  return sys::attach(copy.get(), place.get(), "");
}

// A mount lies on what was mounted before, /a before /a/b.
Result<> attach_mounts(const safepath::Root& root, const RootLayers& layers) {
  std::vector<MountSpec> mounts = layers.spec.mounts;
  std::stable_sort(mounts.begin(), mounts.end(),
                   [](const MountSpec& a, const MountSpec& b) { return a.target < b.target; });
  for (const MountSpec& mount : mounts) {
    if (mount.type == "tmpfs") continue;
    TRY_CONTEXT(attach_mount(root, mount, is_read_only(mount, layers)), "mount {} at {}", mount.source,
                mount.target);
  }
  return {};
}

Result<safepath::Root> mount_root(const store::Store& store, const RootLayers& layers) {
  const runtime::RootfsPlan plan{.layers = layers.lower(), .upper = layers.upper, .work = layers.work};
  const std::string scratch = TRY(scratch_directory(store));
  std::optional<sys::MountPlace> place;
  if (sys::mounts_need_a_place()) place.emplace(TRY(sys::MountPlace::make(scratch + "/mounts")));
  std::vector<sys::UniqueFd> sources;
  const runtime::HostIds root_ids = TRY(root_on_disk(layers));
  const sys::UniqueFd mount =
      TRY(runtime::mount_rootfs({.plan = plan, .root_ids = root_ids, .scratch = scratch}, sources));
  TRY(sys::attach(mount.get(), AT_FDCWD, scratch));
  safepath::Root root = TRY(safepath::Root::open(AT_FDCWD, scratch));
  TRY(attach_mounts(root, layers));
  return root;
}

}  // namespace

Result<ContainerRoot> ContainerRoot::of_running(const store::Store& store,
                                                const store::ContainerRecord& record) {
  const auto ended = [&] { return fail(Code::conflict, "it has just ended"); };
  const auto live = live_status(store, record.id);
  if (!live) return ended();
  // What is open stays the same process, so a second look tells whose it is.
  const sys::UniqueFd process = TRY(sys::open_process_directory(live->pid));
  const auto again = live_status(store, record.id);
  if (!again || again->pid != live->pid || again->started_at != live->started_at) return ended();
  ContainerRoot root(TRY(safepath::Root::open(process.get(), "root")));
  IdDecision ids = TRY(recorded_maps(record));
  if (ids.users && ids.groups) {
    root.to_inside_ = idmap::Shift{idmap::IdShift(*ids.users), idmap::IdShift(*ids.groups)}.inverse();
    root.users_ = std::move(ids.users);
    root.groups_ = std::move(ids.groups);
  }
  return root;
}

Result<ContainerRoot> ContainerRoot::of_stopped(store::Store& store, const store::ContainerRecord& record,
                                                sys::FileLock lock) {
  const RootLayers layers = TRY(root_layers(store, record));
  ContainerRoot root(TRY(mount_root(store, layers)));
  root.lock_ = std::move(lock);
  root.to_inside_ = layers.from_disk();
  if (layers.translated) {
    root.users_ = layers.uid_map;
    root.groups_ = layers.gid_map;
  }
  return root;
}

Result<HostUid> ContainerRoot::user(uint32_t inside) const {
  if (!users_) return HostUid(inside);
  const auto host = users_->to_host(ContainerUid(inside));
  if (!host)
    return fail(Code::refused, "UID {} is not in the container's map, {}", inside, users_->describe());
  return *host;
}

Result<HostGid> ContainerRoot::group(uint32_t inside) const {
  if (!groups_) return HostGid(inside);
  const auto host = groups_->to_host(ContainerGid(inside));
  if (!host)
    return fail(Code::refused, "GID {} is not in the container's map, {}", inside, groups_->describe());
  return *host;
}

Result<sys::ScopedFsIds> ContainerRoot::as_its_root() const {
  const HostUid uid = TRY(user(0));
  const HostGid gid = TRY(group(0));
  return sys::ScopedFsIds::set(uid, gid);
}

}  // namespace berth::engine
