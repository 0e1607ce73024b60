// The pipes between a container and its monitor, for a container without a terminal.
#pragma once

#include "runtime/container.h"
#include "runtime/plan.h"

namespace berth::monitor {

struct OutsideStreams {
  sys::UniqueFd input;   // to write to; invalid if the container's standard input is /dev/null
  sys::UniqueFd output;  // to read from
  sys::UniqueFd error;
};

struct StreamEnds {
  runtime::Streams inside;
  OutsideStreams outside;
};

// The pipes belong to the container's user, so that /dev/stdout can be opened again inside.
Result<StreamEnds> make_streams(const runtime::ContainerPlan& plan, bool with_input);

}  // namespace berth::monitor
