// Points at which a test can kill the process, to see what is left behind, or hold it up.
#pragma once

#include <string_view>

namespace berth::fault {

#ifdef BERTH_FAULT_POINTS
// Kills the process (SIGKILL) if the environment's BERTH_FAULT is `name`, and stops it (SIGSTOP) if it is
// "stop:" and `name`.
void point(std::string_view name);
#else
inline void point(std::string_view /*name*/) {}
#endif

}  // namespace berth::fault
