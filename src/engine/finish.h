// What is to be done when a container has ended and nobody was attached to it: by the command that its
// monitor executes at last, and by every command that finds one whose monitor was lost.
#pragma once

#include <string>
#include <vector>

#include "engine/create.h"

namespace berth::engine {

enum class Finished {
  not_begun,
  recorded,
  removed,
  restarting,  // its policy wants it to run again: restart_by_policy() or resume_restart() is next
               // (restart.h)
};

// Puts on record how a container ended, or that it is not known, and removes it if it was to be removed then.
// One that has not been started, or whose end is on record, is left as it is. The caller has the lock, so no
// monitor has. What fails is also left for others to see (container/unfinished.h).
Result<Finished> finish(store::Store& store, const LockedContainer& container);

// The words that make `berth` do that for one container of this store.
std::vector<std::string> finish_command(const store::Store& store, const std::string& id);
// And those that tell that its memory has run out while it goes on.
std::vector<std::string> oom_command(const store::Store& store, const std::string& id);

}  // namespace berth::engine
