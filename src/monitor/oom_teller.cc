#include "monitor/oom_teller.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>

#include <sys/wait.h>

#include "base/log.h"
#include "sys/companion.h"
#include "sys/spawn.h"

namespace berth::monitor {

namespace {
constexpr std::chrono::seconds kRest{1};
}

int OomTeller::fd() const {
  return watch_ && telling_ == 0 && Clock::now() >= rests_until_ ? watch_->fd() : -1;
}

int OomTeller::timeout_ms() const {
  if (telling_ == 0 && Clock::now() >= rests_until_) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(rests_until_ - Clock::now()).count();
  // Being told still, which is looked at again.
  constexpr int64_t kLeast = 100;
  return static_cast<int>(std::max<int64_t>(left, kLeast));
}

void OomTeller::look() {
  const Result<uint64_t> times = watch_->times();
  // Read once more without success it would be ready again at once.
  if (!times) {
    log::debug("watch the container's memory: {}", times.error().message);
    watch_.reset();
    return;
  }
  if (*times > 0) happened_ = untold_ = true;
}

bool OomTeller::reap(int flags) {
  int status = 0;
  if (::waitpid(telling_, &status, flags) != telling_) return false;
  telling_ = 0;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) log::debug("the event oom could not be written");
  return true;
}

void OomTeller::turn() {
  if (telling_ > 0 && !reap(WNOHANG)) return;
  if (!untold_ || Clock::now() < rests_until_) return;
  untold_ = false;
  rests_until_ = Clock::now() + kRest;
  const Result<std::string> program = sys::companion_path("berth");
  const Result<pid_t> spawned =
      program ? sys::spawn_apart(*program, words_) : std::unexpected(program.error());
  if (spawned) {
    telling_ = *spawned;
  } else {
    log::debug("tell that the container is out of memory: {}", spawned.error().message);
  }
}

bool OomTeller::finish() {
  // First of all: systemd removes a cgroup of its own as soon as nobody is in it.
  if (watch_) look();
  constexpr std::chrono::seconds kPatience{5};
  constexpr std::chrono::milliseconds kPause{2};
  const Clock::time_point until = Clock::now() + kPatience;
  while (telling_ > 0 && !reap(WNOHANG)) {
    if (Clock::now() > until) ::kill(telling_, SIGKILL);
    std::this_thread::sleep_for(kPause);
  }
  return !untold_;
}

}  // namespace berth::monitor
