// openat2(2), Linux 5.6; before that, its rules are kept by a walk (open_by_walk.h).
#pragma once

#include <cstdint>
#include <string>

#include <linux/openat2.h>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// `resolve` is a set of RESOLVE_* flags. O_CLOEXEC is added. EAGAIN (a rename ran into a ".." check) is
// retried a bounded number of times, then returned.
Result<UniqueFd> open_at2(int dirfd, const std::string& path, uint64_t flags, uint64_t mode,
                          uint64_t resolve);

}  // namespace berth::sys
