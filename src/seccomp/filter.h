// The seccomp filter of a container, compiled, from a cache where that is possible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/store.h"

namespace berth::seccomp {

struct Filter {
  std::string program;  // struct sock_filter[]; empty: unconfined
  uint32_t flags = 0;   // SECCOMP_FILTER_FLAG_* for seccomp(2)
};

// `profile` as in ContainerSpec: "" for the default, "unconfined", or a profile's text. `capabilities` is the
// container's bounding set, which conditions of a profile ask about.
//
// Compiled filters are kept in cache/seccomp/ (0700, root's). The key covers the profile, the architecture,
// the capabilities, the kernel's version where a profile may ask for it, and this format; the file says which
// libseccomp made it, and one that is damaged or was made by another libseccomp is made again. 0.02 ms if it
// is there.
Result<Filter> filter_for(const store::Store& store, std::string_view profile, uint64_t capabilities);

}  // namespace berth::seccomp
