// The seccomp filter of a container, compiled, from a cache where that is possible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::seccomp {

struct Filter {
  std::string program;  // struct sock_filter[]; empty: unconfined
  uint32_t flags = 0;   // as Profile::flags
};

// Where compiled filters are kept: the directory `name` (0700, root's) in the directory `parent`, which is
// berth's own. `shown` is its path, for messages.
struct FilterCache {
  int parent = -1;
  std::string name;
  std::string shown;
};

// `profile` as in ContainerSpec: "" for the default, "unconfined", or a profile's text. `capabilities` is the
// container's bounding set, which conditions of a profile ask about; `agent` as in Facts.
//
// The key covers the profile, the architecture,
// the capabilities, the kernel's version where a profile may ask for it, and this format; the file says which
// libseccomp made it, and one that is damaged or was made by another libseccomp is made again. 0.02 ms if it
// is there.
Result<Filter> filter_for(const FilterCache& cache, std::string_view profile, uint64_t capabilities,
                          bool agent = false);

}  // namespace berth::seccomp
