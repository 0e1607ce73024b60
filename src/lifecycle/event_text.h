// The lines of `events`, as runc writes them (its types.Event and types.Stats) and others read them. Pure.
#pragma once

#include <string>

#include "cgroup/statistics.h"

namespace berth::lifecycle {

// {"type":"stats","id":…,"data":{…}}, without a newline. What the host does not tell is left out or 0; no
// limit is the largest number for bytes, and 0 for processes.
Result<std::string> stats_event(const std::string& id, const cgroup::Statistics& statistics);

// {"type":"oom","id":…}: the kernel was out of memory for it.
Result<std::string> oom_event(const std::string& id);

}  // namespace berth::lifecycle
