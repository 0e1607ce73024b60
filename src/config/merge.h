// A second configuration on top of the first, which it may tighten and not loosen. Pure.
#pragma once

#include "base/error.h"
#include "config/config.h"

namespace berth::config {

// What `second` sets takes the place of what `first` has. Its [defaults] may be anything. Of the rest, what
// would allow more than `first` does is Code::refused; the message names both places. A project policy that
// both have is tightened key by key; a new one may add no capabilities and have no more banks than other
// projects.
Result<Config> merge(Config first, const Config& second);

}  // namespace berth::config
