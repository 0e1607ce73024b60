#include "sys/process_directory.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include <fcntl.h>
#include <signal.h>

#include "sys/file.h"
#include "sys/process_stat.h"

namespace berth::sys {

namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Result<UniqueFd> open_process_directory(pid_t pid) {
  Result<UniqueFd> directory = open_at(AT_FDCWD, fmt::format("/proc/{}", pid), O_PATH | O_DIRECTORY);
  if (!directory && directory.error().err == ENOENT) return fail_errno(ESRCH, "open process {}", pid);
  return directory;
}

Result<pid_t> pid_of_directory(int directory) {
  return TRY(read_process_stat_at(directory)).pid;
}

bool has_ended_by_directory(int directory) {
  const Result<ProcessStat> stat = read_process_stat_at(directory);
  return !stat || stat->has_ended();
}

Result<> signal_by_directory(int directory, int signal) {
  const Result<ProcessStat> stat = read_process_stat_at(directory);
  if (!stat && stat.error().err == ESRCH) return {};
  if (!stat) return std::unexpected(stat.error());
  if (stat->pid <= 0) return fail("a process of another PID namespace can't be signalled");
  if (::kill(stat->pid, signal) != 0 && errno != ESRCH) return fail_errno(errno, "send signal {}", signal);
  return {};
}

int poll_by_directory(std::span<pollfd> watched, int timeout_ms) {
  constexpr int kFirstMs = 1;
  constexpr int kLongestMs = 50;
  const Clock::time_point until = Clock::now() + std::chrono::milliseconds(timeout_ms);
  pollfd& process = watched.front();
  for (int slice = kFirstMs;; slice = std::min(2 * slice, kLongestMs)) {
    process.revents = 0;
    if (has_ended_by_directory(process.fd)) process.revents = POLLIN;
    int wait = process.revents != 0 ? 0 : slice;
    if (timeout_ms >= 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
      wait = static_cast<int>(std::clamp<int64_t>(left, 0, wait));
    }
    const std::span<pollfd> others = watched.subspan(1);
    const int ready = ::poll(others.data(), others.size(), wait);
    if (ready < 0) return ready;
    const int all = ready + (process.revents != 0 ? 1 : 0);
    if (all > 0 || (timeout_ms >= 0 && Clock::now() >= until)) return all;
  }
}

}  // namespace berth::sys
