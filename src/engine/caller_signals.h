// The signals that the caller gets while a container is its foreground job: they are the container's.
#pragma once

#include <csignal>

#include "base/error.h"
#include "sys/unique_fd.h"

namespace berth::engine {

// Signals as a descriptor to read them from; the mask is put back when this goes. Taken before the container
// is started, so that none comes in between and ends the client alone.
class CallerSignals {
 public:
  static Result<CallerSignals> take();
  CallerSignals(CallerSignals&&) = default;
  CallerSignals& operator=(CallerSignals&&) = delete;
  CallerSignals(const CallerSignals&) = delete;
  CallerSignals& operator=(const CallerSignals&) = delete;
  ~CallerSignals();
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  CallerSignals() = default;
  sys::UniqueFd fd_;
  sigset_t previous_{};
};

// Whether one that asks to stop (SIGINT, SIGTERM, SIGHUP, SIGQUIT) waits to be read. From any thread.
bool signal_pending();

}  // namespace berth::engine
