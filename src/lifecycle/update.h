// update: other limits for a container that is there.
#pragma once

#include <string>

#include "bundle/resources.h"
#include "lifecycle/directory.h"

namespace berth::lifecycle {

// Changes what is named and nothing else. Rules for devices stay as they are, as runc has it. Code::conflict
// for a container that has ended. After an error some of it may have been changed.
Result<> update(const Root& root, const std::string& id, const bundle::Resources& resources);

}  // namespace berth::lifecycle
