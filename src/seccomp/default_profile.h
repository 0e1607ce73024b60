// The seccomp profile of a container that asks for none.
#pragma once

#include <cstdint>

#include "seccomp/profile.h"

namespace berth::seccomp {

// Means what Docker's default profile means: a list of what is allowed, parts of it only with a capability in
// the bounding set, all else EPERM; system calls that are newer than the list are ENOSYS. x86 and x32 calls
// (or ARM ones on aarch64) are judged by the same rules.
Profile default_profile(const Facts& facts);

// A number that changes with the profile's tables.
uint64_t default_fingerprint();

}  // namespace berth::seccomp
