// Starts a container from its plan. Host side; protocol.h has the chart.
#pragma once

#include <sys/types.h>

#include "runtime/plan.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// The container's ends of its standard streams; none are used where it has a terminal.
struct Streams {
  sys::UniqueFd input;
  sys::UniqueFd output;
  sys::UniqueFd error;
};

struct RunningContainer {
  pid_t pid = 0;  // on the host, of its PID 1; a child of the caller
  sys::UniqueFd pidfd;
  sys::UniqueFd terminal;  // the master of its terminal, if it has one
};

// Returns when the container's process has been executed; after an error nothing is left of it. The caller
// must be single-threaded and have CAP_SYS_ADMIN on the host; it is in its own mount namespace again
// afterwards. `init_program`: berth-init, open, which executes the process even if the plan is without init.
// `scratch`: an empty directory of the host's that may be mounted on (in a private namespace) by kernels that
// need paths.
Result<RunningContainer> start_container(const ContainerPlan& plan, Streams streams,
                                         sys::UniqueFd init_program, const std::string& scratch);

}  // namespace berth::runtime
