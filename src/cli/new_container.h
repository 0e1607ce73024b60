// From flags to a container in the store; `berth run` and `berth create` both begin with it.
#pragma once

#include "cli/run_flags.h"
#include "engine/create.h"
#include "engine/monitor_process.h"

namespace berth::cli {

struct NewContainer {
  engine::LockedContainer container;
  store::ImageRecord image;
  engine::MonitorProcess monitor;  // of one that starts at once; else none
};

// Fetches the image if the pull policy says so, makes the container and writes the --cidfile.
// `starts_at_once`: by this process.
Result<NewContainer> new_container(const Invocation& invocation, store::Store& store, const RunFlags& flags,
                                   bool starts_at_once);

}  // namespace berth::cli
