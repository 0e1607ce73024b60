// What openat2(2) does, one name at a time, for kernels before Linux 5.6 (sys/openat2.h chooses).
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::sys {

// As open_at2(), with RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS and
// RESOLVE_NO_XDEV. No link is ever followed by the kernel: each is read, and its text resolved from where it
// would start. ".." goes back to what was walked through, never up by the file system, so nothing outside the
// root is reached whatever is renamed meanwhile. The last name is opened without following it, relative to
// the directory that was found.
//
// Two things differ. Without RESOLVE_NO_MAGICLINKS the links of /proc are taken by their text as well. And a
// mount of the same file system is told from its parent by its ID, which before Linux 5.8 has to be read from
// /proc (mount_id_of()).
Result<UniqueFd> open_by_walk(int dirfd, const std::string& path, uint64_t flags, uint64_t mode,
                              uint64_t resolve);

}  // namespace berth::sys
