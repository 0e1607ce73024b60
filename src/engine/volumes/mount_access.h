// Whether a container's user could write to a host directory that keeps its owners.
#pragma once

#include <optional>
#include <string>

#include "engine/volumes/prepare_mounts.h"

namespace berth::engine {

// The sentence that says why the process can't write there and what would let it; none where it can, where
// the mount is read-only, and where access lists, which are not read here, may say something else.
std::optional<std::string> write_hint(const MountSpec& mount, const MountUser& user);

}  // namespace berth::engine
