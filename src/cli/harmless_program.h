// For commands that put a process into a container that runs.
#pragma once

#include "cli/command.h"
#include "engine/exec.h"

namespace berth::cli {

// First of all in such a command: see runtime/inherited.h.
Result<> settle_descriptors(const Invocation& invocation);

// Where processes of the container can see what the new one executes before it has executed its command
// (runtime/last_born.h), that must not be a file of the host's that they could write to (CVE-2019-5736): the
// command begins again, executed from a read-only mount.
Result<> leave_writable_program(const Invocation& invocation, const engine::PreparedExec& prepared);

}  // namespace berth::cli
