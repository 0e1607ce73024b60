// Hearing of it when a cgroup runs out of memory.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "cgroup/cgroup.h"

namespace berth::cgroup {

// On v1 an eventfd that the kernel writes to when memory runs out (cgroup-v1/memory.rst, "OOM Control"), on
// v2 memory.events, whose counter goes up when a process has been killed for it (cgroup-v2.rst).
class OomWatch {
 public:
  // nullopt where no hierarchy has the controller.
  static Result<std::optional<OomWatch>> start(const Cgroup& cgroup);

  // For poll(2): the descriptor, and what to wait for.
  [[nodiscard]] int fd() const { return event_.get(); }
  [[nodiscard]] short events() const;

  // How often memory has run out since the last call. Does not wait.
  Result<uint64_t> times();

 private:
  OomWatch(sys::UniqueFd event, bool v2) : event_(std::move(event)), v2_(v2) {}
  sys::UniqueFd event_;    // v1: the eventfd; v2: memory.events
  sys::UniqueFd control_;  // v1: memory.oom_control, as long as it is watched
  bool v2_;
  uint64_t seen_ = 0;  // v2: of the counter
};

}  // namespace berth::cgroup
