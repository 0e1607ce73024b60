// The command's side of a running container: standard streams, terminal, signals.
#pragma once

#include <sys/types.h>

#include "engine/caller_signals.h"
#include "engine/start.h"

namespace berth::engine {

struct AttachOptions {
  bool interactive = false;  // carry the standard input
  bool terminal = false;     // the container has a terminal: ours becomes raw for as long
  bool forward_signals = true;
  bool show_output = true;
};

// Serves until the container has ended and all its output is written; the monitor ends then too
// (finish_container). An error if the monitor was lost.
Result<monitor::Exited> attach(Session& session, const CallerSignals& signals, const AttachOptions& options);

// The size of the terminal on standard output or input; zeros where there is none.
monitor::TerminalSize terminal_size();

}  // namespace berth::engine
