// The commands about containers.
#pragma once

#include "cli/command.h"

namespace berth::cli {
Result<int> run(const Invocation& invocation);
Result<int> create(const Invocation& invocation);
Result<int> start(const Invocation& invocation);
Result<int> exec(const Invocation& invocation);
Result<int> run_healthcheck(const Invocation& invocation);
Result<int> ps(const Invocation& invocation);
Result<int> rm(const Invocation& invocation);
Result<int> pause(const Invocation& invocation);
Result<int> unpause(const Invocation& invocation);
Result<int> stats(const Invocation& invocation);
Result<int> update(const Invocation& invocation);
Result<int> inspect(const Invocation& invocation);
Result<int> stop(const Invocation& invocation);
Result<int> kill(const Invocation& invocation);
Result<int> restart(const Invocation& invocation);
Result<int> wait(const Invocation& invocation);
Result<int> attach(const Invocation& invocation);
Result<int> finish_container(const Invocation& invocation);
Result<int> tell_out_of_memory(const Invocation& invocation);
Result<int> port(const Invocation& invocation);
Result<int> rename(const Invocation& invocation);
Result<int> top(const Invocation& invocation);
Result<int> logs(const Invocation& invocation);
Result<int> diff(const Invocation& invocation);
Result<int> prune_containers(const Invocation& invocation);
}  // namespace berth::cli
