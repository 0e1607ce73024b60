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

// Tried as a start does it, never told from versions or names: a detached copy of the store's own mount is
// mapped (EINVAL means that the file system can't, EPERM that it is mapped already or berth may not), and
// overlayfs is put on layers that are mapped so (EINVAL: Linux 5.12 to 5.18 can't). With any other error a
// copy would be of no use either (ENOSYS: other changes of mounts need mount_setattr(2) as well), so it
// counts as possible, and the start says what is wrong.
//
// That it can be is kept below the run root until the next boot, so no start but the first pays for it; that
// it can't is asked every time.
Result<IdMapping> probe_id_mapping(const store::Store& store);

}  // namespace berth::engine
