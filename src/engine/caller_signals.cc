#include "engine/caller_signals.h"

#include <cerrno>

#include <sys/signalfd.h>

namespace berth::engine {

Result<CallerSignals> CallerSignals::take() {
  sigset_t set;
  sigfillset(&set);
  // What the kernel or a debugger sends to this process itself stays its own.
  for (const int own : {SIGCHLD, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGPIPE, SIGTTIN, SIGTTOU,
                        SIGTSTP, SIGURG}) {
    sigdelset(&set, own);
  }
  CallerSignals signals;
  ::sigprocmask(SIG_BLOCK, &set, &signals.previous_);
  signals.fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.fd_) {
    const int err = errno;
    ::sigprocmask(SIG_SETMASK, &signals.previous_, nullptr);
    return fail_errno(err, "watch for signals");
  }
  return signals;
}

CallerSignals::~CallerSignals() {
  if (fd_) ::sigprocmask(SIG_SETMASK, &previous_, nullptr);
}

bool signal_pending() {
  sigset_t pending;
  sigemptyset(&pending);
  ::sigpending(&pending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    if (sigismember(&pending, signal) == 1) return true;
  }
  return false;
}

}  // namespace berth::engine
