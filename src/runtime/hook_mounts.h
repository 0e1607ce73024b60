// Hooks that change the container's mounts before it is let in (runtime-spec 1.2, config.md, "CreateContainer
// Hooks").
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// Calls `hooks` with a mount namespace in which the container's root can mount, -1 for the caller's, and
// gives the mount on which the root file system at `directory` is afterwards.
//
// The caller is in the private mount namespace. It belongs to the host, so that nothing can be taken off in
// the container's copy of it, and the root of a user namespace can't mount there: such hooks have a copy of
// their own, from which the whole of the root file system is taken back. Before Linux 5.12 nothing can be,
// and they are in the caller's, where mounting is EPERM for them.
Result<sys::UniqueFd> rootfs_after_hooks(const std::string& directory, int user_namespace,
                                         const std::function<Result<>(int mounts)>& hooks);

}  // namespace berth::runtime
