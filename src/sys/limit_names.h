// Resource limits as people read them.
#pragma once

namespace berth::sys {

// "RLIMIT_NOFILE" (getrlimit(2)); "an unknown resource limit" for a number that is none.
const char* limit_name(unsigned resource);

}  // namespace berth::sys
