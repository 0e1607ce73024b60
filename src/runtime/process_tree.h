// A process and all that it has started.
#pragma once

#include "runtime/container.h"

namespace berth::runtime {

// Kills a child of the caller that keeps its orphans (ExecPlan::keeps_orphans), with all of its descendants:
// it is stopped first, so that it can't let go of any, and dies last. It is not waited for. What forks faster
// than it can be killed is left after a while.
Result<> kill_tree(const RunningContainer& process);

}  // namespace berth::runtime
