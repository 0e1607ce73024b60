// Starting a container that has been made.
#pragma once

#include <functional>

#include "engine/create.h"
#include "engine/monitor_process.h"
#include "engine/translation/translate.h"
#include "monitor/protocol.h"
#include "sys/channel.h"

namespace berth::engine {

// A started container, seen from the command that started it. The monitor works on if the channel is closed.
struct Session {
  sys::Channel channel;
  sys::UniqueFd monitor;  // pidfd of berth-monitor
  monitor::Started started;
  std::vector<std::string> warnings;  // whole sentences
};

struct StartOptions {
  bool interactive = false;  // input will be sent
  bool detached = false;     // nobody stays: the monitor finishes the container
  bool by_policy = false;    // it is its policy that starts it, and not a person
  uint16_t rows = 0;         // of the caller's terminal
  uint16_t columns = 0;
  int signals = -1;   // CallerSignals::fd(); one that comes during a start that hangs ends it
  Announce announce;  // of a copy of the image that the start has to wait for
};

// Plans, hands the plan to the monitor and waits until the command has been executed. An error
// that happened in the container (127, 126) comes back as it is.
Result<Session> start_container(store::Store& store, const LockedContainer& container, MonitorProcess process,
                                const store::ImageRecord& image, const StartOptions& options);

}  // namespace berth::engine
