// Compiles a seccomp profile by libseccomp.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "seccomp/profile.h"

namespace berth::seccomp {

// Of the libseccomp that is linked. A filter that was made by another one is made again.
uint64_t library_version();

// System calls that this libseccomp does not know are left to the default action, as other engines do. Takes
// 80 ms with three architectures.
//
// struct sock_filter[], 4096 at most.
Result<std::string> compile_profile(const Profile& profile, uint32_t native);

}  // namespace berth::seccomp
