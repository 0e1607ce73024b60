// Waiting for the kernel, for so long and no longer.
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

#include "cgroup/cgroup.h"

namespace berth::cgroup {

// Sleeps longer from time to time: what ends at once is not waited for, what takes long is not asked often.
class Patience {
 public:
  explicit Patience(Wait whole) : end_(Clock::now() + whole) {}

  [[nodiscard]] Wait left() const {
    return std::max(Wait::zero(), std::chrono::duration_cast<Wait>(end_ - Clock::now()));
  }
  // False if there is no time left; sleeps otherwise.
  bool sleep() {
    constexpr std::chrono::microseconds kLongest{20'000};
    if (Clock::now() >= end_) return false;
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(2 * pause_, kLongest);
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
  std::chrono::microseconds pause_{200};
};

}  // namespace berth::cgroup
