#include "monitor/health_timer.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/companion.h"
#include "sys/process.h"

namespace berth::monitor {

namespace {

// Everything that the monitor blocks, ignores or holds is its own.
Result<pid_t> spawn(std::vector<std::string> words) {
  const std::string program = TRY(sys::companion_path("berth"));
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  sigset_t none;
  sigset_t broken_pipe;
  sigemptyset(&none);
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &broken_pipe);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, 0, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  pid_t pid = 0;
  const int err = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (err != 0) return fail_errno(err, "execute {}", program);
  return pid;
}

}  // namespace

HealthTimer::HealthTimer(HealthPlan plan) : plan_(std::move(plan)) {
  next_ = Clock::now() + std::chrono::nanoseconds(plan_.interval);
}

int HealthTimer::timeout_ms() const {
  if (plan_.interval <= 0) return -1;
  // A check's end is looked for as well: where there are no pidfds, what poll(2) says of one means nothing.
  const std::chrono::milliseconds most(check_ > 0 ? 1'000 : 3'600'000);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_ - Clock::now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), most).count());
}

void HealthTimer::turn() {
  if (plan_.interval <= 0) return;
  if (check_ > 0) {
    look_after();
  } else if (Clock::now() >= next_) {
    begin();
  }
}

void HealthTimer::begin() {
  const Result<pid_t> spawned = spawn(plan_.words);
  if (!spawned) {
    log::debug("check the container's health: {}", spawned.error().message);
    next_ = Clock::now() + std::chrono::nanoseconds(plan_.interval);
    return;
  }
  check_ = *spawned;
  next_ = Clock::now() + std::chrono::nanoseconds(plan_.patience);
  Result<sys::UniqueFd> pidfd = sys::open_process(check_);
  pidfd_ = pidfd ? std::move(*pidfd) : sys::UniqueFd();
}

void HealthTimer::look_after() {
  if (::waitpid(check_, nullptr, WNOHANG) == check_) {
    check_ = 0;
    pidfd_.reset();
    next_ = Clock::now() + std::chrono::nanoseconds(plan_.interval);
  } else if (Clock::now() >= next_) {
    // Not waited for until its end is seen.
    ::kill(check_, SIGKILL);
    next_ = Clock::now() + std::chrono::seconds(1);
  }
}

}  // namespace berth::monitor
