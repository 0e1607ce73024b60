// berth-init: PID 1 of a container. It starts one child, hands it every signal, reaps whatever dies, and ends
// as its child ended. No signal handlers: everything is blocked and waited for, so nothing can come in
// between.
//
// Free-standing, some kilobytes: it is copied into a memory file and executed at every start, and what is not
// in it can't be turned against anybody. It holds no descriptor; the container's root may rewrite its memory
// and gains nothing.
//
// Usage: berth-init STATUS FILE ARG0 [ARG...]. STATUS is the number of a descriptor, where an ExecFailure is
// written if FILE can't be executed (runtime/protocol.h). As "berth-exec" it executes FILE itself, without a
// child: then FILE is PID 1.
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <asm/unistd.h>

#include "init/system_call.h"

namespace {

constexpr unsigned kExecFailureMark = 0x63657865;  // as in runtime/protocol.h
constexpr int kNoHang = 1;                         // WNOHANG
constexpr long kAnyChild = -1;
constexpr int kInterrupted = -4;  // -EINTR
constexpr int kExecFailed = 126;
constexpr int kSignalled = 128;

// The kernel's own signal set, one bit a signal.
using SignalSet = unsigned long;
constexpr SignalSet kAll = ~0UL;
constexpr SignalSet kNone = 0;

void set_blocked(const SignalSet& set) {
  constexpr long kSetMask = 2;  // SIG_SETMASK
  system_call(__NR_rt_sigprocmask, kSetMask, &set, nullptr, sizeof set);
}

[[noreturn]] void leave(int status) {
  while (true) system_call(__NR_exit_group, status);
}

[[noreturn]] void report_failure(long status_fd, long error) {
  const struct {
    unsigned mark;
    int err;
  } failure{kExecFailureMark, static_cast<int>(-error)};
  system_call(__NR_write, status_fd, &failure, sizeof failure);
  leave(kExecFailed);
}

bool same(const char* a, const char* b) {
  while (*a != 0 && *a == *b) {
    ++a;
    ++b;
  }
  return *a == *b;
}

// `text` is one of berth's own, so all digits.
long number_in(const char* text) {
  constexpr long kTen = 10;
  long number = 0;
  for (; *text != 0; ++text) number = number * kTen + (*text - '0');
  return number;
}

// `words`: the file, and its argument vector. The child is a process group of its own and, on a terminal, the
// one in front: Ctrl-C reaches it once, by the kernel, and not a second time through its parent.
[[noreturn]] void become_command(long status_fd, char** words, char** environment) {
  constexpr long kCloseOnExec = 1;
  constexpr long kSetDescriptorFlags = 2;  // F_SETFD
  system_call(__NR_fcntl, status_fd, kSetDescriptorFlags, kCloseOnExec);
  system_call(__NR_setpgid, 0, 0);
  const int group = static_cast<int>(system_call(__NR_getpid));
  system_call(__NR_ioctl, 0, TIOCSPGRP, &group);  // fails where 0 is no terminal; SIGTTOU is blocked
  set_blocked(kNone);
  report_failure(status_fd, system_call(__NR_execve, words[0], words + 1, environment));
}

// Reaps all that have ended. True if `child` is among them; `status` is then its exit status as a shell gives
// it.
bool reap(long child, int& status) {
  bool child_ended = false;
  while (true) {
    int how = 0;
    const long pid = system_call(__NR_wait4, kAnyChild, &how, kNoHang, nullptr);
    if (pid == kInterrupted) continue;
    if (pid <= 0) return child_ended;
    if (pid != child) continue;
    child_ended = true;
    const int signal = how & 0x7f;
    status = signal == 0 ? (how >> 8) & 0xff : kSignalled + signal;
  }
}

void close_everything() {
  constexpr long kEvery = 0xffffffff;
  if (system_call(__NR_close_range, 0, kEvery, 0) == 0) return;
  constexpr long kMostDescriptors = 1024;  // before Linux 5.9
  for (long fd = 0; fd < kMostDescriptors; ++fd) system_call(__NR_close, fd);
}

[[noreturn]] void look_after(long child) {
  while (true) {
    const long signal = system_call(__NR_rt_sigtimedwait, &kAll, nullptr, nullptr, sizeof kAll);
    if (signal <= 0) continue;
    if (signal != SIGCHLD) {
      system_call(__NR_kill, child, signal);
      continue;
    }
    int status = 0;
    if (reap(child, status)) leave(status);
  }
}

}  // namespace

// `stack` is what the kernel left: argc, argv, 0, environment, 0.
extern "C" [[noreturn]] void berth_init_main(long* stack) {
  const long argc = *stack;
  char** argv = reinterpret_cast<char**>(stack + 1);
  char** environment = argv + argc + 1;
  constexpr long kFewest = 4;
  constexpr int kUsage = 125;
  if (argc < kFewest) leave(kUsage);
  const long status_fd = number_in(argv[1]);
  if (same(argv[0], "berth-exec")) become_command(status_fd, argv + 2, environment);
  constexpr long kSetName = 15;  // PR_SET_NAME; the memory file's own name would say less
  system_call(__NR_prctl, kSetName, "berth-init");
  set_blocked(kAll);
  const long child = system_call(__NR_clone, SIGCHLD, 0, 0, 0, 0);
  if (child < 0) report_failure(status_fd, child);
  if (child == 0) become_command(status_fd, argv + 2, environment);
  close_everything();
  look_after(child);
}
