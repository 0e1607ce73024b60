// Giving a container another name.
#pragma once

#include <string>
#include <string_view>

#include "store/containers.h"
#include "store/store.h"

namespace berth::engine {

// Running or not. Durable when it returns. Code::usage for what can't be a name, Code::conflict if it is
// taken.
Result<> rename_container(store::Store& store, std::string_view word, const std::string& name);

}  // namespace berth::engine
