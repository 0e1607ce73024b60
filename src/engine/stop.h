// Ending containers that run: signals, patience, and the end being on record.
#pragma once

#include <chrono>
#include <optional>

#include "engine/create.h"

namespace berth::engine {

struct StopOptions {
  int signal = 0;                        // first; 0: it has been asked to already
  std::chrono::milliseconds patience{};  // then SIGKILL; max(): never
  bool by_user = true;  // its restart policy has no say from now on; else halt.h sees to that
};

// The signal and the patience that the container was made with, by its image's STOPSIGNAL where that says
// nothing. `patience` in seconds takes the place of its own; negative: never SIGKILL.
Result<StopOptions> stop_options(store::Store& store, const store::ContainerRecord& record,
                                 std::optional<int64_t> patience);

struct Stopped {
  bool ran = false;     // else it had ended before
  bool killed = false;  // it has not followed the signal
};

// Stops a container, also one that waits to be started again, and returns when its end is on record, by
// whomever; on a full disk with a warning that it is not. Code::not_found if it is gone by then and had not
// been made with --rm.
Result<Stopped> stop_container(store::Store& store, const store::ContainerRecord& record,
                               const StopOptions& options);

// The signal alone, without waiting, also to one that is paused. One that does not run is no error.
Result<> ask_to_stop(store::Store& store, const std::string& id, int signal);

// Before a signal is sent to it: one that asks it to end (SIGKILL, SIGTERM, SIGINT, SIGQUIT, its own stop
// signal) is a stop by the user, after which its policy does not start it again.
Result<> note_signal(store::Store& store, const store::ContainerRecord& record, int signal);

// Sends a signal to a container's PID 1, with note_signal(). Code::conflict if it does not run.
Result<> signal_container(store::Store& store, const store::ContainerRecord& record, int signal);

}  // namespace berth::engine
