#include "lifecycle/own_capabilities.h"

#include "base/log.h"

namespace berth::lifecycle {

void leave_out_unavailable(sys::CapabilitySets& sets, std::string_view place) {
  const uint64_t own = sys::own_bounding_set();
  if ((sets.bounding & ~own) != 0)
    log::warn("{}: some capabilities can't be granted, as berth-runtime has not got them", place);
  sets = sets.within(own);
}

}  // namespace berth::lifecycle
