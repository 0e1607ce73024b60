// A file system that a plan asks for.
#pragma once

#include "runtime/plan.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// Makes it, of `type` with its options, and gives its mount, which is not attached anywhere. Whoever calls
// owns the superblock.
Result<sys::UniqueFd> make_filesystem(const MountPlan& mount);

}  // namespace berth::runtime
