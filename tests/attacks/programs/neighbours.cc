// Signals and traces whatever it can name. Its own container may end by it; nothing else may notice.
//
// Usage: neighbours MOST_PROCESSES
#include <csignal>
#include <cstdlib>

#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "attempts.h"

int main(int argc, char** argv) {
  attack::Attempts attempts;
  if (argc != 2) return 2;
  int seen = 0;
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr) return 2;
  while (const dirent* entry = ::readdir(proc)) seen += std::atoi(entry->d_name) > 0 ? 1 : 0;
  ::closedir(proc);
  attempts.must_hold(seen <= std::atoi(argv[1]), "see " + std::to_string(seen) + " processes");
  int reached = 0;
  constexpr int kMostPids = 70000;
  for (pid_t pid = 2; pid < kMostPids; ++pid) {
    if (pid == ::getpid()) continue;
    if (::kill(pid, 0) == 0 || errno == EPERM) ++reached;
    if (::ptrace(PTRACE_ATTACH, pid, nullptr, nullptr) == 0) ++reached;
  }
  attempts.must_hold(reached <= std::atoi(argv[1]), "reach " + std::to_string(reached) + " processes");
  ::signal(SIGTERM, SIG_IGN);
  ::kill(-1, SIGTERM);
  ::kill(-1, SIGKILL);
  return attempts.finish();
}
