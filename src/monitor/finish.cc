#include "monitor/finish.h"

#include <cerrno>
#include <csignal>

#include <unistd.h>

#include "base/log.h"
#include "sys/companion.h"

namespace berth::monitor {

void execute_finish(std::vector<std::string> words, int lock) {
  const Result<std::string> program = sys::companion_path("berth");
  if (!program || words.empty()) {
    log::warn("cannot finish the container: {}", program ? "no command was given" : program.error().message);
    return;
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  if (lock != kInheritedLock && ::dup2(lock, kInheritedLock) < 0) return;
  // What the monitor blocks and ignores is not for that command to block and ignore.
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGXFSZ, SIG_DFL);
  ::execv(program->c_str(), argv.data());
  log::warn("cannot execute {}: {}", *program, describe_errno(errno));
}

}  // namespace berth::monitor
