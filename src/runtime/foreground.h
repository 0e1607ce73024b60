// A process in a container that its caller waits for.
#pragma once

#include <string>

#include "runtime/container.h"
#include "sys/unique_fd.h"

namespace berth::runtime {

// Pipes between the caller's standard streams and the process, where it is not to have those themselves.
// Those that are not valid are not carried.
struct StreamRelays {
  sys::UniqueFd input;   // gets what comes at the standard input
  sys::UniqueFd output;  // what comes here goes to the standard output
  sys::UniqueFd error;   // likewise
};

struct ForegroundOptions {
  bool input = true;        // what comes at the standard input goes to the process's terminal
  std::string detach_keys;  // the bytes that end the waiting, where they come at a terminal; empty: none
  StreamRelays relays;
};

struct ForegroundEnd {
  bool detached = false;  // the process goes on
  int status = 0;         // as a shell gives it
};

// Before the process is started: signals wait from here on for wait_in_foreground(), so that one that comes
// meanwhile does not end the caller and leave the process behind.
void hold_signals();

// Passes signals on to the process and what goes over its terminal and the relays, until it has ended or the
// caller has detached. A reader of its terminal's output that has gone away ends it by SIGPIPE.
Result<ForegroundEnd> wait_in_foreground(RunningContainer& process, ForegroundOptions options = {});

}  // namespace berth::runtime
