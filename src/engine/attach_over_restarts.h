// Staying with a container that its restart policy starts again, as Docker's and podman's clients do: its
// output goes on, and the exit status is that of its last end.
#pragma once

#include "engine/attach.h"

namespace berth::engine {

// As attach_to_end(), for a container with a restart policy. It is started again by the process that its
// monitor becomes (finish.h), to which this command is nothing, so it comes to the next monitor by the
// control socket. Until it is there the container may have written something, or ended: from the first end on
// the output is the log's, which has all of it. Only a terminal's, and that of a container without a log, is
// taken from the monitor. Where nobody reads the output any more, the command ends and the container goes on.
// A signal that is passed on and asks it to end is a stop by the user, and so it is between two runs.
Result<int> attach_over_restarts(store::Store& store, const store::ContainerRecord& record, Session& session,
                                 const CallerSignals& signals, const AttachOptions& options);

}  // namespace berth::engine
