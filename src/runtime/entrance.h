// What it takes to start a further process in a container that runs (exec.h).
#pragma once

#include <optional>
#include <vector>

#include <sys/types.h>

#include "base/error.h"
#include "runtime/plan.h"
#include "safepath/root.h"
#include "sys/namespaces.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// Of one of its processes, as they were at one time.
struct Entrance {
  std::vector<sys::JoinedNamespace> namespaces;  // all that the caller is not in
  safepath::Root root;
};

// Whether a process, by its pidfd, has ended.
bool has_ended(const sys::UniqueFd& process);

// `process` is the pidfd of `pid`. Nothing if it has ended: until somebody has waited for it no other process
// has that PID, so all that was opened before it ended is its own.
Result<std::optional<Entrance>> open_entrance(pid_t pid, const sys::UniqueFd& process);

// Whether processes in the container could trace a new one in spite of all, so that it has to be born last
// (ExecPlan::last_born): by CAP_SYS_PTRACE in the host's user namespace. `bounding` is what they can have.
// Not one with a label: that is set through the container's /proc, where only who is in its PID namespace
// finds itself, and keeps others from tracing.
bool can_be_traced(const Entrance& entrance, const ProcessPlan& process, uint64_t bounding);

}  // namespace berth::runtime
