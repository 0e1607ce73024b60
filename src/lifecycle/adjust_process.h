// What is done to a new process from outside, while it waits, beside what runtime/adjust_process.h has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/error.h"

namespace berth::lifecycle {

// process.oomScoreAdj, if there is one.
Result<> set_oom_score(pid_t pid, std::optional<int32_t> score);

// --pid-file: in one step, so that no reader finds half of it. Relative to the working directory.
Result<> write_pid_file(const std::string& path, pid_t pid);

}  // namespace berth::lifecycle
