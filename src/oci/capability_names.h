// Capabilities by name, as the runtime spec, seccomp profiles and command lines write them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace berth::oci {

// "CAP_NET_RAW", "NET_RAW", "net_raw" → 13. Code::usage with a hint for what is near.
Result<unsigned> parse_capability(std::string_view name);
// "CAP_NET_RAW"; "CAP_41" for one that is newer than this list.
std::string capability_name(unsigned number);

// A set by names, of numbers below 64.
constexpr uint64_t capability_bit(unsigned number) {
  return uint64_t{1} << number;
}

// The highest number that has a name here.
unsigned last_named_capability();

}  // namespace berth::oci
