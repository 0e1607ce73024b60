// A tree of files, copied with its IDs moved through a map: from identity mapping into a container's host IDs
// and, with the inverse, back again.
#pragma once

#include <cstdint>

#include "base/error.h"
#include "engine/translation/translate_entry.h"
#include "idmap/id_shift.h"

namespace berth::engine {

struct TreeCopy {
  int64_t files = 0;  // entries, without the tree's own root
  int64_t bytes = 0;  // of data in files, holes included; one with several names counts once
};

// Copies all that is in the directory `source`, and its attributes, to the directory `target`, which is empty
// and within reach of nobody else. Both are open for reading. Hard links stay hard links, device nodes (and
// so overlayfs's whiteouts) are made, trusted.* attributes are kept but for those that tell of an inode
// (trusted.overlay.origin and its like). Several threads work on it.
//
// Nothing is followed, and nothing outside of the two trees is touched; the source may change meanwhile, as
// long as nobody needs a copy that is right then. Does not wait for the disk. After an error `target` holds
// some of it.
Result<TreeCopy> copy_shifted(int source, int target, const idmap::Shift& shift,
                              const Interrupted& interrupted);

}  // namespace berth::engine
