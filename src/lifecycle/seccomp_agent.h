// Who is asked about a container's system calls (runtime-spec 1.2, config-linux.md, "The Container Process
// State").
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "bundle/state.h"
#include "lifecycle/record.h"
#include "sys/unique_fd.h"

namespace berth::lifecycle {

// Hands the agent of the record the listener of `process`, a PID on the host, which is of the container. One
// connection each time.
Result<> tell_agent(const Record& record, bundle::Status status, pid_t process,
                    const sys::UniqueFd& listener);

}  // namespace berth::lifecycle
