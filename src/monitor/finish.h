// The monitor's last act where no client does it: the container's end goes into the database.
#pragma once

#include <string>
#include <vector>

namespace berth::monitor {

// The descriptor at which the executed command finds the lock on the container, so that nobody else has it in
// between.
inline constexpr int kInheritedLock = 3;

// Executes berth, in the place of this process, with the given words. Returns only if that is not possible:
// then the next command that looks at the container finds that it has ended.
void execute_finish(std::vector<std::string> words, int lock);

}  // namespace berth::monitor
