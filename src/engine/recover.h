// Tidying up after processes that were killed.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace berth::engine {

struct Recovered {
  int ended = 0;    // containers whose end nobody had recorded
  int removed = 0;  // containers and directories removed
  // Containers that this database does not know and another one knew: it was put back from a backup. They are
  // left alone.
  std::vector<std::string> unknown;
};

// Puts right what a killed command or monitor left: records ends, removes what was to be removed. Whatever a
// living process holds locked is left alone, so it may run at any time. Called by the commands that look at
// containers.
Result<Recovered> recover(store::Store& store);

// The part of it that costs nothing where there is nothing to do, for `berth run`: no look at every
// container's directory.
Result<Recovered> recover_recorded(store::Store& store);

}  // namespace berth::engine
