// What the monitor and the process that becomes a container's PID 1 say to each other while it starts.
//
//   monitor, on the host                         the new process
//   ────────────────────                         ───────────────
//   unshares a mount namespace
//   creates the process in its namespaces  ────▶ waits
//   gets its plan (from the engine)
//   writes its uid_map and gid_map
//            mapped, with plan and streams ────▶ becomes root inside
//                                                makes proc, sysfs, mqueue, devpts in the namespaces,
//                                                sends them as descriptors (the terminal last)
//   builds the root file system (meanwhile),
//                                    ◀─── mounts
//   mounts all below it, pivots into it
//            enter, with the terminal's end ───▶ unshares its mount namespace: every mount is locked now
//   goes back to the host's namespace            hostname, sysctls, limits, user, capabilities, filter
//                                                executes berth-init or the process itself
//   status pipe ends: it runs        ◀─── EOF
//
// The channel is a socket pair that closes on exec. Whatever fails in the new process is written to the
// status pipe as a Failure; berth-init, which is free-standing, writes an ExecFailure instead.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "wire/archive.h"

namespace berth::runtime {

enum class Step : uint8_t { mapped, mounts, enter };

struct StepMessage {
  Step step = Step::mapped;
  // mounts: which descriptors follow, in the order of NamespacedMounts, then the terminal.
  bool proc = false;
  bool sysfs = false;
  bool mqueue = false;
  bool devpts = false;
  bool terminal = false;
  template <typename A>
  void fields(A& a) {
    a(step, proc, sysfs, mqueue, devpts, terminal);
  }
};

// An Error on its way between processes.
struct Failure {
  uint8_t code = 0;
  int32_t err = 0;
  std::string message;
  std::string hint;
  template <typename A>
  void fields(A& a) {
    a(code, err, message, hint);
  }
};

Failure to_failure(const Error& error);
Error to_error(const Failure& failure);

// What berth-init writes when it can't execute the command: the marker and errno. init/init.cc has the same
// two lines.
inline constexpr uint32_t kExecFailureMark = 0x63657865;  // "exec"
struct ExecFailure {
  uint32_t mark = kExecFailureMark;
  int32_t err = 0;
};

}  // namespace berth::runtime

template <>
struct berth::wire::LastValue<berth::runtime::Step> {
  static constexpr auto value = berth::runtime::Step::enter;
};
