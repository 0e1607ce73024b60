// Staying with a container that runs already: `berth attach`, and `berth start --attach` of one that runs.
#pragma once

#include "engine/attach.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::cli {

// Until it ends or the person leaves; gives the command's exit status. Input is carried only for a container
// that takes any. `over_restarts`: as for the command that has started it (engine/attach_over_restarts.h).
Result<int> attach_running(store::Store& store, const store::ContainerRecord& record,
                           engine::AttachOptions options, bool over_restarts);

}  // namespace berth::cli
