// What the monitor and the process that becomes a container's PID 1 say to each other while it starts.
//
//   monitor, on the host                         the new process
//   ────────────────────                         ───────────────
//   unshares a mount namespace
//   creates the process in its namespaces  ────▶ waits
//   gets its plan (from the engine)
//   writes its uid_map and gid_map
//            mapped, with plan and streams ────▶ enters cgroups, becomes root inside
//                                                makes proc (and sets the sysctls in it), sysfs, mqueue,
//                                                devpts in the namespaces, sends them as descriptors (the
//                                                terminal last)
//   builds the root file system (meanwhile),
//                                    ◀─── mounts
//   mounts all below it, lets hooks run,
//   pivots into it
//            enter, with the terminal's end ───▶ in a user namespace: unshares its mount namespace, so that
//                                                every mount is locked
//   goes back to the host's namespace            hostname, keyring, session, terminal, limits, directory,
//                                                user, capabilities, filter
//   of a start that waits:      ◀─── listener    if the filter notifies
//   tells the agent                ◀─── ready    await_start.h goes on
//                                                executes berth-init or the process itself
//   status pipe ends: it runs        ◀─── EOF
//
// The channel is a socket pair that closes on exec. Whatever fails in the new process is written to the
// status pipe as a Failure; berth-init, which is free-standing, writes an ExecFailure instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "wire/archive.h"

namespace berth::runtime {

enum class Step : uint8_t {
  mapped,    // with the plan, the files by which the process enters its cgroups, and the standard streams
  mounts,    // with the mounts that were made, in the plan's order, and the terminal
  enter,     // with the terminal's other end and, for a start that waits, the socket to wait at
  listener,  // of a start that waits, before ready, and of exec: with that of a seccomp filter that notifies;
             // of exec also the answer, when the agent has it
  ready,     // of a start that waits: all that can fail before it is done
};

struct StepMessage {
  Step step = Step::mapped;
  uint32_t entrances = 0;  // mapped: how many files of cgroups
  template <typename A>
  void fields(A& a) {
    a(step, entrances);
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

// What the status pipe brought, where it brought anything; `command` is what was to be executed.
Error failure_from(const std::string& command, std::string_view said);
inline constexpr size_t kLongestFailure = 64 * 1024;

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
  static constexpr auto value = berth::runtime::Step::ready;
};
