// Ends of containers that could not be put on record: the database's disk is full or read-only, or somebody
// holds it. The process that was to do it (finish.h) has nobody to tell, so it leaves its reason in the
// container's directory below the run root, which is on another disk, and among the events. The next command
// tries again.
#pragma once

#include <string>

#include "engine/container/status.h"

namespace berth::engine {

// Leaves the reason for `inspect` (State.Error), and tells of it once. Where even that can't be written there
// is a warning.
void note_unfinished(const store::Store& store, const store::ContainerRecord& record, const Error& why);

// The same where there is no store to be had, by the run root alone.
void note_unfinished(const std::string& run_root, std::string_view id, const Error& why);

// "its end is not on record: …"; empty where nothing was left.
std::string unfinished_text(const store::Store& store, std::string_view id);

void forget_unfinished(const store::Store& store, std::string_view id);

// The container as it is where the database could not be told: one that does not run any more has ended, with
// what its monitor has left of that (exit_record).
store::ContainerRecord as_it_is(const store::Store& store, store::ContainerRecord record);

inline constexpr const char* kMonitorLost = "monitor lost";

// As it is with the end that the monitor has left: the exit status, or the reason why it is not known.
store::ContainerRecord ended_record(const store::Store& store, const store::ContainerRecord& record);

}  // namespace berth::engine
