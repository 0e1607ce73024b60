// An image's root file system as one tree, for looking at it from the host.
#pragma once

#include <string>
#include <vector>

#include "safepath/root.h"
#include "store/store.h"

namespace berth::engine {

// A read-only overlay of the layers (directories below layers/, lowest first), in identity mapping, attached
// nowhere.
Result<safepath::Root> open_merged_view(const store::Store& store, const std::vector<std::string>& layers);

}  // namespace berth::engine
