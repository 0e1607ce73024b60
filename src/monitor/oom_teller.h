// Telling of it when the container runs out of memory and goes on, as when only a child of its process is
// killed: the monitor executes berth, which writes the event. Where the process itself is killed, whoever
// puts its end on record tells of both.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "cgroup/oom_watch.h"

namespace berth::monitor {

class OomTeller {
 public:
  // Without a watch it never tells anything. `words`: the command, without a program's path.
  OomTeller(std::optional<cgroup::OomWatch> watch, std::vector<std::string> words)
      : watch_(std::move(watch)), words_(std::move(words)) {}

  // For the next poll(2): what to wait for, -1 if nothing; and how long at most, -1 for ever.
  [[nodiscard]] int fd() const;
  [[nodiscard]] short events() const { return watch_ ? watch_->events() : short{0}; }
  [[nodiscard]] int timeout_ms() const;
  // fd() was ready.
  void look();
  // After it, unless the container has ended: tells what there is to tell. Once a second at most, for as
  // often as a container's processes may be killed, that is not the host's to pay for.
  void turn();

  // The container has ended: waits for what is being told. False if something has not been.
  bool finish();
  // Whether memory has run out at all, as far as it was heard.
  [[nodiscard]] bool has_happened() const { return happened_; }

 private:
  using Clock = std::chrono::steady_clock;
  bool reap(int flags);

  std::optional<cgroup::OomWatch> watch_;
  std::vector<std::string> words_;
  bool happened_ = false;
  bool untold_ = false;
  pid_t telling_ = 0;
  Clock::time_point rests_until_{};
};

}  // namespace berth::monitor
