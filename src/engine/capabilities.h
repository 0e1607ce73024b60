// Which capabilities a container's process gets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "oci/capability_names.h"
#include "sys/capabilities.h"

namespace berth::engine {

// What podman gives: no AUDIT_WRITE, MKNOD and NET_RAW, which Docker has.
uint64_t default_capabilities();

// All that this kernel knows. A new user namespace has all of them in its bounding set, whatever berth's own
// set is.
uint64_t kernel_capabilities();

struct CapabilityRequest {
  std::span<const std::string> add;   // --cap-add: names or ALL
  std::span<const std::string> drop;  // --cap-drop: names or ALL
  bool privileged = false;            // all capabilities; add and drop then change nothing
  uint64_t available = 0;             // kernel_capabilities(), or berth's own bounding set for --userns host
};

// The five sets, as podman makes them. Root has the set as bounding, effective and permitted. Another user
// has it only as the bounding set, and of it what was asked for by --cap-add as all others, ambient too, so
// that it survives exec. With --cap-drop ALL only what is added remains. Code::usage: an unknown name, ALL
// both added and dropped, the same one added and dropped, one that is not available.
Result<sys::CapabilitySets> resolve_capabilities(const CapabilityRequest& request, ContainerUid user);

}  // namespace berth::engine
