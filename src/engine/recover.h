// Tidying up after processes that were killed.
#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "engine/container/status.h"
#include "store/store.h"

namespace berth::engine {

struct Recovered {
  int ended = 0;    // containers whose end nobody had recorded
  int removed = 0;  // containers and directories removed
  int unfinished =
      0;  // containers whose end could not be recorded, which has been said (container/unfinished.h)
  std::vector<std::string> restarting;     // their policies want them to run again
  std::unordered_set<std::string> held;    // left alone: their monitors, or other commands, have them locked
  std::map<std::string, LiveStatus> live;  // of these, those that have a monitor
  // Containers that this database does not know and another one knew: it was put back from a backup. They are
  // left alone.
  std::vector<std::string> unknown;
};

// Puts right what a killed command or monitor left: records ends, removes what was to be removed. Whatever a
// living process holds locked is left alone, so it may run at any time. Called by the commands that look at
// containers.
Result<Recovered> recover(store::Store& store);

// The part of it that does not look for directories without a record.
Result<Recovered> recover_recorded(store::Store& store);

// The same, for `berth run`, whose time is not to grow with the number of containers that run: whoever looks
// at a container in particular does the whole anyway, so here it is enough once a minute.
Result<> recover_now_and_then(store::Store& store);

}  // namespace berth::engine
