// The command's side of a running container: standard streams, terminal, signals.
#pragma once

#include <functional>
#include <string>

#include <sys/types.h>

#include "engine/caller_signals.h"
#include "engine/log_reader.h"
#include "engine/start.h"

namespace berth::engine {

struct AttachOptions {
  bool interactive = false;  // carry the standard input
  bool terminal = false;     // the container has a terminal: ours becomes raw for as long
  bool forward_signals = true;
  bool leave_on_signal =
      false;  // where they are not forwarded: SIGINT, SIGTERM, SIGHUP, SIGQUIT end the attachment
  bool show_output = true;
  std::string detach_keys = {};  // bytes (detach_keys.h); looked for only where a terminal's input is carried
  LogReader* log = nullptr;      // the output comes from there, and not from the monitor
  std::function<void(int)> on_signal = {};  // called before one is passed on
};

enum class Left {
  ended,        // the container has, and all its output is written
  detached,     // by the keys: it goes on
  interrupted,  // by a signal (leave_on_signal): it goes on
  lost,         // the monitor says no more
  unread,       // the log's reader has gone (AttachOptions::log): it goes on
};

struct Attachment {
  Left left = Left::lost;
  monitor::Exited exited{};  // where it has ended
  int signal = 0;            // where it was interrupted
  bool unread = false;       // where it has ended: the reader of its output had gone before
};

// Carries until one of these.
Result<Attachment> attach(Session& session, const CallerSignals& signals, const AttachOptions& options);

// The same for the command that has started the container as its foreground job, and the end of that: it is
// finished (finish_container), or goes on without this command. One that its restart policy starts again is
// stayed with until it ends for good (attach_over_restarts.h). Gives the command's exit status: 0 where it
// was detached. An error if the monitor was lost.
Result<int> attach_to_end(store::Store& store, const store::ContainerRecord& record, Session& session,
                          const CallerSignals& signals, const AttachOptions& options);

// After Left::lost: whether the monitor (a pidfd) ends. Until it has, and its lock on the container with it,
// the next command would take it for alive. If it does not, this command was left behind.
bool ends_soon(int monitor);

// The error of a command that was left behind as it did not read (monitor/clients.h).
std::unexpected<Error> left_behind(const store::ContainerRecord& record);

// The error of a command whose container was killed with its monitor.
std::unexpected<Error> monitor_lost();

// Writes what the log has by now to the standard output and standard error. False if the reader has gone.
Result<bool> show_log(LogReader& log);

// The size of the terminal on standard output or input; zeros where there is none.
monitor::TerminalSize terminal_size();

}  // namespace berth::engine
