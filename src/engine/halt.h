// The machine is going down: containers that end now are not started again before it has come up.
#pragma once

#include "base/error.h"
#include "store/store.h"

namespace berth::engine {

// A mark below the run root, which goes with the machine.
Result<> begin_halt(const store::Store& store);
Result<> end_halt(const store::Store& store);
[[nodiscard]] bool is_halting(const store::Store& store);

}  // namespace berth::engine
