// Coming to a container that runs: a channel to its monitor, and waiting for its end to be on record.
#pragma once

#include <optional>

#include "engine/start.h"
#include "monitor/protocol.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Attaches to it. `output`: see monitor::AttachRequest. Code::conflict if it does not run.
Result<Session> join(const store::Store& store, const store::ContainerRecord& record, bool output);

// Waits until the end of the run that `record` shows is in the database, 10 s at most, and gives the
// container as it is then; nothing where it is gone. Where everybody who was to do it was lost, it is done
// here.
Result<std::optional<store::ContainerRecord>> await_finished(store::Store& store,
                                                             const store::ContainerRecord& record);

}  // namespace berth::engine
