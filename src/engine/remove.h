// The end of a container.
#pragma once

#include "engine/create.h"
#include "monitor/protocol.h"

namespace berth::engine {

// Records how it ended, or removes it if it was to be removed at its exit. The caller holds the lock.
Result<> finish_container(store::Store& store, const LockedContainer& container,
                          const monitor::Exited& exited);

// Removes a container that does not run: its files, then its record and its bank in one transaction.
Result<> remove_container(store::Store& store, const LockedContainer& container);

// Kills a running container and waits until its monitor is gone (10 s at most).
Result<> kill_container(store::Store& store, const store::ContainerRecord& record);

}  // namespace berth::engine
