// The nft program, for what is not on the way of a start.
#pragma once

#include <string>

#include "base/error.h"

namespace berth::net {

// Has `nft -f -` carry out a script, all or nothing. Code::failed with a hint where there is no such program.
Result<> run_nft(const std::string& script);

}  // namespace berth::net
