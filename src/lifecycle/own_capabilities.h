// What this process can hand on of what it has.
#pragma once

#include <string_view>

#include "sys/capabilities.h"

namespace berth::lifecycle {

// For a process in this one's user namespace, which can have no capability that this one has not: leaves out
// the others. Where the process was to have one, that is a warning (config.md, "Linux Process"), which
// begins with `place`.
void leave_out_unavailable(sys::CapabilitySets& sets, std::string_view place);

}  // namespace berth::lifecycle
