// The descriptors that the caller has handed on.
#pragma once

#include "base/error.h"

namespace berth::runtime {

// First of all, before any file is opened: standard streams that are closed become /dev/null, and it is
// counted how many descriptors there are from 3 on without a gap. A number that the caller left open would
// become a descriptor of berth's own, and that one the container's (CVE-2024-21626).
Result<> settle_inherited();

// How many of them a container's process is to keep: `wanted` and, where they are meant for this process,
// those of socket activation (sd_listen_fds(3)). Code::usage where the caller has not handed on so many.
Result<unsigned> preserved_descriptors(int wanted);

}  // namespace berth::runtime
