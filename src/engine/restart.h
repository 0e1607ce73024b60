// Restart policies: whether a container that has ended is started again by itself, after how long, and the
// doing of it. Docker's documentation ("Start containers automatically") is where the rules come from.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/container/restart_spec.h"
#include "engine/create.h"

namespace berth::engine {

// Whether the policy starts a container again whose end is in the record. An end that is not known counts as
// a failure. Never where a person has stopped it.
bool wants_restart(const RestartSpec& spec, const store::ContainerRecord& ended);

// How long the next restart is waited for, in milliseconds: a tenth of a second, and twice as long each time,
// up to a minute. After ten seconds of running that begins anew.
int64_t next_delay(const store::ContainerRecord& ended);

// Puts the state kRestarting on record if the policy wants it. Within the transaction that records the end.
Result<bool> record_policy(store::Store& store, const RestartSpec& spec, const store::ContainerRecord& ended);

// Whether the policy has a container running after the machine has come up: always, or unless-stopped where
// no person has stopped it; never one that has not been started before.
bool wants_start_at_boot(const RestartSpec& spec, const store::ContainerRecord& record);

// For a container in the state kRestarting, which the caller has locked: waits for what is left of its delay,
// and starts it, detached. A start that fails is tried again as the policy says. SIGTERM to this process is
// how cancel_restart() ends it, at any time.
Result<> restart_by_policy(store::Store& store, LockedContainer container);

// Ends the process that waits to start the container, if there is one.
Result<> cancel_restart(const store::Store& store, const std::string& id);

// Lets restart_by_policy() go on in a process of its own where the one that waited was lost. It finds the
// container by itself, so a failure here is one of starting that process.
Result<> resume_restart(const store::Store& store, const std::string& id);

}  // namespace berth::engine
