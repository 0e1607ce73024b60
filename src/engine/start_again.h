// Starting a container that has been made before, by its record alone.
#pragma once

#include "engine/start.h"

namespace berth::engine {

struct StartedAgain {
  Session session;
  ContainerSpec spec;
};

// Checks that it still may run as it was recorded (the policy, its project, the host's directories), and
// starts it; that it runs is on record afterwards. `options.interactive` counts only for a container that was
// made with an open standard input. The caller has the lock, which is the monitor's as well from then on.
Result<StartedAgain> start_again(store::Store& store, const LockedContainer& container, StartOptions options);

}  // namespace berth::engine
