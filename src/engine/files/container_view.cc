#include "engine/files/container_view.h"

#include <cerrno>
#include <optional>

#include <fcntl.h>
#include <sched.h>

#include "runtime/rootfs.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/mount_place.h"

namespace berth::engine {

namespace {

constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

Result<store::LayerStack> open_stack(const std::vector<std::string>& directories) {
  std::vector<sys::UniqueFd> open;
  for (const std::string& path : directories) open.push_back(TRY(sys::open_at(AT_FDCWD, path, kDirectory)));
  return store::LayerStack(std::move(open));
}

// The container's own layer is the uppermost of those that are only read: overlayfs would write to one that
// it has as such.
Result<sys::UniqueFd> mount_read_only(const store::Store& store, const RootLayers& layers,
                                      std::vector<sys::UniqueFd>& sources) {
  runtime::RootfsPlan plan;
  plan.layers = layers.lower();
  plan.layers.push_back(layers.upper);
  plan.read_only = true;
  const std::string scratch = TRY(scratch_directory(store));
  std::optional<sys::MountPlace> place;
  if (sys::mounts_need_a_place()) place.emplace(TRY(sys::MountPlace::make(scratch + "/mounts")));
  if (plan.layers.size() == 1) return sys::clone_tree(AT_FDCWD, layers.upper, false);
  return runtime::mount_rootfs({.plan = plan, .root_ids = {HostUid(0), HostGid(0)}, .scratch = scratch},
                               sources);
}

}  // namespace

Result<> leave_mount_namespace() {
  if (::unshare(CLONE_NEWNS) != 0) return fail_errno(errno, "make a private mount namespace");
  return sys::separate_mounts();
}

Result<std::string> scratch_directory(const store::Store& store) {
  constexpr const char* kName = "scratch";
  TRY(sys::ensure_dir_at(store.run_root(), kName, 0700));
  return store.locations().run_root + "/" + kName;
}

Result<ContainerView> ContainerView::open(store::Store& store, const store::ContainerRecord& record) {
  IdentityUse use = TRY(IdentityUse::begin(store));
  RootLayers layers = TRY(root_layers(store, record));
  store::LayerStack image = TRY(open_stack(layers.directories));
  ContainerView view(std::move(use), std::move(layers), std::move(image));
  view.mount_ = TRY(mount_read_only(store, view.layers_, view.sources_));
  view.root_ = TRY(sys::open_at(view.mount_.get(), ".", kDirectory));
  view.upper_ = TRY(sys::open_at(AT_FDCWD, view.layers_.upper, kDirectory));
  if (!view.layers_.identity_directory.empty())
    view.identity_ = TRY(sys::open_at(AT_FDCWD, view.layers_.identity_directory, kDirectory));
  return view;
}

}  // namespace berth::engine
