// Starting programs that go on by themselves.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "base/error.h"

namespace berth::sys {

// Executes `program` with nothing of the caller's: a session of its own, / as its directory, /dev/null as its
// streams, no other descriptors, and no signal blocked. SIGPIPE, which some callers ignore, ends it again. A
// child of this process's: its PID.
Result<pid_t> spawn_apart(const std::string& program, std::vector<std::string> words);

}  // namespace berth::sys
