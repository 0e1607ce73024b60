// Programs that are run at a point of a container's life (runtime-spec 1.2, config.md, "POSIX-platform
// Hooks").
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/plan.h"
#include "sys/namespaces.h"

namespace berth::runtime {

// Where a hook runs.
struct HookPlace {
  int mounts = -1;                               // a mount namespace to enter; -1: the caller's
  std::span<const sys::JoinedNamespace> joined;  // of a user namespace among them the hook becomes root
  const ProcessPlan* filtered = nullptr;         // whose filter holds for the hook, too
};

// One after another, each with `state` on its standard input and the caller's standard output and error. An
// error, which names it, where one can't be executed, ends with another status than 0, or takes longer than
// its timeout; then it is killed. It is killed with its caller, too.
Result<> run_hooks(const char* kind, const std::vector<HookPlan>& hooks, const std::string& state,
                   const HookPlace& place);

// Those of poststart and poststop, on the host: a failure is a warning, and the others are run all the same
// (runtime.md, "Lifecycle").
void run_late_hooks(const char* kind, const std::vector<HookPlan>& hooks, const std::string& state);

}  // namespace berth::runtime
