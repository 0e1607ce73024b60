// One health check, from its execution to what follows from it.
#pragma once

#include <optional>

#include "engine/exec.h"
#include "engine/health/health_check.h"
#include "engine/health/health_state.h"

namespace berth::engine {

// What prepare_exec() is to prepare for it.
ExecWish wish_of(const HealthCheck& check);

// For a check that can't be made, as where its user is not there any more: that is a failure, too, for nobody
// knows how the container is.
HealthResult failed_check(const Error& error);

// Executes the command and waits for its end, or kills it at its timeout with all that it has started. A
// command that can't be executed is a failure as well. nullopt: the container has ended meanwhile, and that
// says nothing. The calling process must not be in need of its SIGCHLD.
Result<std::optional<HealthResult>> run_check(const PreparedExec& prepared, const HealthCheck& check);

}  // namespace berth::engine
