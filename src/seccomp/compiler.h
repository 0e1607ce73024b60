// Compiles a seccomp profile by libseccomp.
#pragma once

#include <string>

#include "base/error.h"
#include "seccomp/profile.h"

namespace berth::seccomp {

// Which libseccomp it was. A filter that was made by another one is made again.
struct LibraryIdentity {
  std::string path;
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t modified = 0;  // nanoseconds since 1970
  bool operator==(const LibraryIdentity&) const = default;
};
// Of the file that is at `path` now; all but the path 0 where there is none.
LibraryIdentity identify_library(const std::string& path);

struct CompiledFilter {
  std::string program;  // struct sock_filter[], 4096 at most
  LibraryIdentity library;
};

// System calls that this libseccomp does not know are left to the default action, as other engines do. Takes
// 80 ms with three architectures.
//
// The library is loaded here and not when the program starts: a start whose filter is in the cache does
// without it, which saves 0.12 ms of a dynamic loader's work.
Result<CompiledFilter> compile_profile(const Profile& profile, uint32_t native);

}  // namespace berth::seccomp
