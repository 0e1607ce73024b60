#include "monitor/health_timer.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "sys/companion.h"
#include "sys/process.h"
#include "sys/spawn.h"

namespace berth::monitor {

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
  // Everything that the monitor blocks, ignores or holds is its own.
  const Result<std::string> program = sys::companion_path("berth");
  const Result<pid_t> spawned =
      program ? sys::spawn_apart(*program, plan_.words) : std::unexpected(program.error());
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
