// The containers that a command is about: those that are named, or with --latest the one that was made last.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::cli {

// Code::not_found for a name that none has, and with `latest` where there is no container.
Result<std::vector<store::ContainerRecord>> named_or_latest(store::Store& store,
                                                            const std::vector<std::string>& names,
                                                            bool latest);

}  // namespace berth::cli
