#include "runtime/hook_mounts.h"

#include <fcntl.h>

#include "base/fault.h"
#include "sys/file.h"
#include "sys/mount_api.h"
#include "sys/mount_namespace.h"

namespace berth::runtime {

namespace {

Result<sys::UniqueFd> take_from(int mounts, const std::string& directory) {
  const sys::ScopedMountNamespace visit = TRY(sys::ScopedMountNamespace::enter(mounts));
  return sys::clone_tree(AT_FDCWD, directory, true);
}

}  // namespace

Result<sys::UniqueFd> rootfs_after_hooks(const std::string& directory, int user_namespace,
                                         const std::function<Result<>(int mounts)>& hooks) {
  // Nothing can be taken from another mount namespace that is not attached nowhere before.
  if (user_namespace < 0 || sys::mounts_need_a_place()) {
    TRY(hooks(-1));
    return sys::open_at(AT_FDCWD, directory, O_PATH | O_DIRECTORY);
  }
  const sys::UniqueFd mounts =
      TRY_CONTEXT(sys::copy_mount_namespace(user_namespace), "make a mount namespace for hooks");
  TRY(hooks(mounts.get()));
  sys::UniqueFd rootfs = TRY_CONTEXT(take_from(mounts.get(), directory), "take over what hooks have mounted");
  TRY(sys::attach(rootfs.get(), AT_FDCWD, directory));
  fault::point("hooks-have-mounted");
  return rootfs;
}

}  // namespace berth::runtime
