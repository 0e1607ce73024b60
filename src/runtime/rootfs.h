// The root file system as a detached mount: overlayfs over the image's layers and the container's own, each
// seen through the container's ID map, nothing shifted on disk; or, where that can't be, as it is on disk.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "runtime/plan.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// A pair of IDs on the host.
struct HostIds {
  HostUid uid;
  HostGid gid;
};

struct RootfsRequest {
  const RootfsPlan& plan;
  int user_namespace = -1;  // the container's; -1 leaves IDs as they are (no map)
  // The host's IDs of the container's root: overlayfs must be created by somebody whom the map knows.
  HostIds root_ids;
  const std::string& scratch;
  int host_mounts = -1;  // the host's mount namespace
};

// Nothing is attached anywhere. Where the kernel can't take layers by descriptor (lowerdir+ is Linux 6.5, by
// descriptor 6.13), the layers are attached on a tmpfs over `scratch` for as long as that takes. The caller
// is in a mount namespace of its own. `sources` gets the layers' own mounts, which overlayfs does not need
// any more; closing one takes a wait of the kernel's.
Result<sys::UniqueFd> mount_rootfs(const RootfsRequest& request, std::vector<sys::UniqueFd>& sources);

}  // namespace berth::runtime
