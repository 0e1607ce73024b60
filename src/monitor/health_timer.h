// When a container's health is to be checked. The checks themselves are berth's: the monitor executes it as
// its child, one at a time, and nothing that a check does or fails to do has any bearing on the container.
#pragma once

#include <chrono>

#include <sys/types.h>

#include "monitor/health_plan.h"
#include "sys/unique_fd.h"

namespace berth::monitor {

class HealthTimer {
 public:
  explicit HealthTimer(HealthPlan plan);

  // For the next poll(2): how long it may wait at most, -1 for ever; and the pidfd of a check that is under
  // way, -1 if none is.
  [[nodiscard]] int timeout_ms() const;
  [[nodiscard]] int under_way() const { return pidfd_.get(); }
  // After it: begins, ends or kills a check if it is time to.
  void turn();

 private:
  using Clock = std::chrono::steady_clock;
  void begin();
  void look_after();

  HealthPlan plan_;
  Clock::time_point next_{};  // the next check; while one is under way, when it is killed
  pid_t check_ = 0;           // the one under way
  sys::UniqueFd pidfd_;
};

}  // namespace berth::monitor
