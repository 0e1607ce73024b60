// The hooks that run in the container when it is started (runtime-spec 1.2, config.md, "startContainer").
#pragma once

#include <string>

#include "runtime/plan.h"

namespace berth::runtime {

// One after another, each with `state` on its standard input. They are executed by berth-init (open), for the
// reason that execution.cc gives. An error where one can't be executed, ends with another status than 0, or
// takes longer than its timeout; then it is killed.
Result<> run_start_hooks(const ContainerPlan& plan, const std::string& state, int init_program);

}  // namespace berth::runtime
