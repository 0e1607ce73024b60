// The end of a container.
#pragma once

#include "engine/create.h"
#include "monitor/protocol.h"

namespace berth::engine {

// Waits for the monitor (a pidfd), and records how the container ended, or removes it if it was to be removed
// at its exit, unless another command was faster. The caller does not hold the lock: while a container runs
// it is its monitor's alone, so that nobody has to wait for a command that is attached to it and stopped.
Result<> finish_container(store::Store& store, const store::ContainerRecord& record, int monitor,
                          const monitor::Exited& exited);

// Removes a container that does not run: its files, then its record and its bank in one transaction.
Result<> remove_container(store::Store& store, const LockedContainer& container);

// Kills a running container and waits until its monitor is gone (10 s at most). One that is held up by a
// client that does not read is killed too.
Result<> kill_container(store::Store& store, const store::ContainerRecord& record);

// Locks a container, killing it if it runs or is about to. Waits 10 s at most for the commands that are busy
// with it. Code::not_found if one of them has removed it.
Result<LockedContainer> kill_and_lock_container(store::Store& store, const store::ContainerRecord& record);

// Removes a container, killing it if it runs. One that is gone, or that somebody else removes meanwhile (such
// as the command attached to one that was made with --rm), is no error.
Result<> kill_and_remove_container(store::Store& store, const std::string& id);

// Kills what has outlived its monitor, the container's PID 1 (see lost_process()) and all in its cgroup, and
// removes that.
Result<> end_lost_process(store::Store& store, std::string_view id);

}  // namespace berth::engine
