// The end of a container.
#pragma once

#include "engine/create.h"
#include "monitor/protocol.h"

namespace berth::engine {

// Waits for the monitor (a pidfd), and records how the container ended, or removes it if it was to be removed
// at its exit. The caller holds the lock.
Result<> finish_container(store::Store& store, const LockedContainer& container, int monitor,
                          const monitor::Exited& exited);

// Removes a container that does not run: its files, then its record and its bank in one transaction.
Result<> remove_container(store::Store& store, const LockedContainer& container);

// Kills a running container and waits until its monitor is gone (10 s at most).
Result<> kill_container(store::Store& store, const store::ContainerRecord& record);

// Locks a container, killing it if it runs or is about to. Waits 10 s at most for the commands that are busy
// with it, such as the one that was attached to it. Code::not_found if one of them has removed it.
Result<LockedContainer> kill_and_lock_container(store::Store& store, const store::ContainerRecord& record);

// Kills a container's PID 1 that has outlived its monitor; see lost_process().
Result<> end_lost_process(store::Store& store, std::string_view id);

}  // namespace berth::engine
