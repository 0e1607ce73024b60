// Running another of berth's commands from within one.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"

namespace berth::cli {

// Runs `program` as `berth` on the caller's store, with `words` after the flags for that, and waits. What it
// prints is thrown away, but for its errors. Gives the status as waitpid(2) has it.
Result<int> run_program(const Invocation& invocation, const std::string& program,
                        const std::vector<std::string>& words);

}  // namespace berth::cli
