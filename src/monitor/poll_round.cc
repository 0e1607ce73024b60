#include "monitor/poll_round.h"

#include <cerrno>

#include "sys/process.h"

namespace berth::monitor {

void PollRound::add(int fd, short events, Act act) {
  if (fd < 0 || events == 0) return;
  polled_.push_back({fd, events, 0});
  acts_.push_back(std::move(act));
}

Result<bool> PollRound::wait(int timeout_ms) {
  if (sys::poll_process(polled_, timeout_ms) < 0) {
    if (errno == EINTR) return false;
    return fail_errno(errno, "wait for the container");
  }
  for (size_t i = 1; i < polled_.size(); ++i) {
    if (polled_[i].revents != 0) acts_[i]();
  }
  return polled_[0].revents != 0;
}

}  // namespace berth::monitor
