// Starts a further process in a container that is there.
//
//   the caller, on the host                      the new process
//   ───────────────────────                      ───────────────
//   creates it in the container's cgroup and
//   PID namespace, not to be traced          ──▶ enters cgroups of v1, joins the other namespaces,
//                                                closes what is the caller's, waits
//   does to it what takes the host's rights
//            enter                           ──▶ session, terminal of the container's own devpts
//                                   ◀─── ready   with the terminal's master, if it is to have one
//                                                limits, directory, user, capabilities
//                                ◀─── listener   loads the filter; with one that notifies,
//   tells the agent          listener        ──▶ waits for that
//                                                executes the command
//   status pipe ends: it runs       ◀─── EOF     (or a Failure, as in protocol.h)
//
// Whoever is root in the container sees the process from its first moment on. It can't be traced, and what
// /proc has of it can't be opened, until it executes: it is not dumpable, and its memory belongs to the
// host's user namespace (ptrace(2), "Ptrace access mode checking"). There is no process between: one would
// count in the container's pids.max, or be outside of its cgroup. Only where that does not help
// (last_born.h), all of the above is done by another one outside the PID namespace, which makes it at the
// very end.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "runtime/container.h"
#include "runtime/plan.h"
#include "sys/namespaces.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

struct CpuRange {
  uint32_t first = 0;
  uint32_t last = 0;  // not below first, and below 8192
  template <typename A>
  void fields(A& a) {
    a(first, last);
  }
};

// Where the process runs before and after it enters the container's cgroup (runtime-spec 1.2, config.md,
// "execCPUAffinity"). Empty: as it comes.
struct AffinityPlan {
  std::vector<CpuRange> initial;
  std::vector<CpuRange> final;
  template <typename A>
  void fields(A& a) {
    a(initial, final);
  }
};

struct ExecPlan {
  ProcessPlan process;  // `init` is not looked at: there is none
  AffinityPlan affinity;
  // Its making is the last thing that is done (last_born.h). Not for one whose filter notifies, or that has a
  // label.
  bool last_born = false;
  // What its descendants leave behind becomes its own child, as long as it lives, and not PID 1's
  // (PR_SET_CHILD_SUBREAPER, prctl(2)): so that all that it has started can be found.
  bool keeps_orphans = false;
};

struct ExecRequest {
  std::span<const sys::JoinedNamespace> joined;  // all that the caller is not in
  int cgroup = -1;  // the container's of v2, which the process is made in, if there is one
  // Files of its other cgroups to which the process writes "0" first of all (cgroup/cgroup.h, entrances()).
  std::span<const sys::UniqueFd> cgroup_entrances;
  unsigned preserved = 0;  // so many descriptors from 3 on stay, beside the standard streams
  // Its standard streams, where they are not to be the caller's; those that are not valid are.
  const Streams* streams = nullptr;
  // berth-init, open, which executes the command (execution.h). -1 for a caller who runs from a program that
  // can't be written.
  int init_program = -1;
  // What takes the host's rights, done to the process while it waits. Its error ends it.
  std::function<Result<>(pid_t)> adjust;
  // Gets the listener of a seccomp filter that notifies, for the agent (container.h, StartRequest).
  std::function<Result<>(pid_t, const sys::UniqueFd&)> take_listener;
};

// Returns when the command has been executed; after an error nothing is left of it. The caller must be
// single-threaded and have CAP_SYS_ADMIN on the host. Errors as of PreparedContainer::start().
Result<RunningContainer> start_process(const ExecPlan& plan, ExecRequest request);

}  // namespace berth::runtime
