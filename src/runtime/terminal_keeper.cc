#include "runtime/terminal_keeper.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runtime/descriptors.h"
#include "sys/process.h"

namespace berth::runtime {

namespace {

[[noreturn]] void serve(int process, int terminal) {
  std::array<char, 8192> bytes{};
  while (true) {
    std::array<pollfd, 2> watched{{{process, POLLIN, 0}, {terminal, POLLIN, 0}}};
    if (sys::poll_process(watched, -1) < 0 && errno != EINTR) break;
    if (watched[0].revents != 0) break;
    // EIO while nobody has the other end open: its process may open it again (pty(7)).
    const bool idle = watched[1].revents != 0 && ::read(terminal, bytes.data(), bytes.size()) <= 0;
    if (idle) ::poll(watched.data(), 1, 1000);
  }
  ::_exit(0);
}

// Nothing of the caller's stays, for it goes on.
[[noreturn]] void become_keeper(RunningContainer& process) {
  constexpr int kProcess = 3;
  constexpr int kTerminal = 4;
  ::prctl(PR_SET_DUMPABLE, 0);
  ::setsid();
  sys::set_process_name("berth-terminal");
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, stream);
  const std::array<Placement, 2> places{{{&process.pidfd, kProcess}, {&process.terminal, kTerminal}}};
  if (!place_descriptors(places, kTerminal + 1) || ::chdir("/") != 0) ::_exit(1);
  serve(kProcess, kTerminal);
}

}  // namespace

Result<> keep_terminal(RunningContainer& process) {
  const sys::Child keeper = TRY_CONTEXT(sys::fork_into(0), "keep the terminal");
  if (keeper.pid == 0) become_keeper(process);
  return {};
}

}  // namespace berth::runtime
