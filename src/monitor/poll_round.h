// One round of waiting for descriptors: what is waited for, and what is to be done about each.
#pragma once

#include <functional>
#include <vector>

#include <poll.h>

#include "base/error.h"

namespace berth::monitor {

class PollRound {
 public:
  using Act = std::function<void()>;

  // `process`: the pidfd of the container's PID 1.
  explicit PollRound(int process) : polled_{{process, POLLIN, 0}}, acts_{{}} {}

  // Calls `act` if poll(2) has something to say of `fd`. Without events nothing is waited for, not even the
  // hangup, which poll(2) would tell of again and again.
  void add(int fd, short events, Act act);

  // Waits for `timeout_ms` at most (-1: for ever), and acts. What one does may close what another was to look
  // at: each `act` sees to that. True: the process has ended.
  Result<bool> wait(int timeout_ms);

 private:
  std::vector<pollfd> polled_;
  std::vector<Act> acts_;
};

}  // namespace berth::monitor
