// Whether the IDs of the store's files can be mapped at mount time.
#pragma once

#include <string>

#include "base/error.h"
#include "store/store.h"

namespace berth::engine {

struct IdMapping {
  bool possible = true;
  std::string reason;  // why not, for people
};

// Tried on a detached copy of the store's own mount, never told from versions or names: EINVAL means that the
// file system can't, EPERM that it is mapped already or berth may not. Other errors are the caller's.
//
// What was found is kept below the run root, so until the next boot, for the file system and the kernel's
// answer to stay the same; only "possible" is, so that a kernel module that was missing may come.
Result<IdMapping> probe_id_mapping(const store::Store& store);

}  // namespace berth::engine
