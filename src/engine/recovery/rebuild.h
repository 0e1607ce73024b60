// A new database for a store that has lost its own, from what the store's directories and /proc still tell.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace berth::engine {

struct Rebuilt {
  std::string damaged;  // where the damaged database is now; empty: there was none
  int containers = 0;   // taken in, with those that run
  int running = 0;
  int64_t banks = 0;  // that are held again
  int volumes = 0;
  std::map<std::string, int> images;  // to be pulled again, and how many containers need each
  std::vector<std::string> unknown;   // what could not be known, and what was assumed: whole sentences
};

// Never done unasked: whoever runs `berth ps` may just have forgotten to mount a disk or have a backup, and
// what only the database knew (images, how old containers ended, who held the banks that are free now) is
// given up by it. Nothing is removed; the damaged file is moved aside. Code::conflict if the database is
// whole, or while a container is being made.
//
// Sources: containers/<id>/record.json and ledger.json (store_copy.h); for a running container without a copy
// (--rm) its PID 1's maps; for a stopped one without a copy only its files, and it gets a new bank. Volumes
// by their directories. Images are not rebuilt: their documents were in the database only.
Result<Rebuilt> rebuild_store(const store::Locations& locations);

}  // namespace berth::engine
