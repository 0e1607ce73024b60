// Commands that do the same with several containers.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::cli {

struct EachContainer {
  std::vector<std::string> names;  // as a person has written them
  bool ignore = false;             // no error for one that is not there
  bool print = true;               // the name, once it is done
};

// Calls `act` for each; an error is printed, and the others have their turn all the same. Gives the exit
// status: that of the last error.
int for_each_container(store::Store& store, const EachContainer& each,
                       const std::function<Result<>(const store::ContainerRecord&)>& act);

}  // namespace berth::cli
