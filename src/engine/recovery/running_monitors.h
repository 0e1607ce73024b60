// The containers that run now, as /proc shows them, whatever is left of the state files and the database.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"

namespace berth::engine {

struct RunningMonitor {
  pid_t pid = 0;         // of berth-monitor
  std::string short_id;  // the first twelve digits of its container's ID
  std::string uid_map;   // of its child, the container's PID 1, as the kernel shows it; empty: the host's IDs
  std::string gid_map;
};

// Processes of the host's root in this PID namespace that berth started as a monitor and that have a child. A
// process in a container can call itself anything, but is in another PID namespace, unless it was given the
// host's.
Result<std::vector<RunningMonitor>> running_monitors();

}  // namespace berth::engine
