// What the prune commands remove, each by itself and all of them in `berth system prune`.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/filter.h"
#include "store/containers.h"
#include "store/store.h"

namespace berth::cli {

// --filter of the prune commands: until=MOMENT (made before it, cli/times.h), label=KEY[=VALUE],
// label!=KEY[=VALUE]. All have to hold.
class PruneFilters {
 public:
  // Code::usage for any other.
  static Result<PruneFilters> parse(const std::vector<std::string>& filters);
  // `made_at`: seconds since 1970.
  [[nodiscard]] bool let(int64_t made_at, const std::map<std::string, std::string>& labels) const;

 private:
  std::vector<Filter> filters_;
};

// Containers that do not run.
Result<std::vector<store::ContainerRecord>> prunable_containers(store::Store& store,
                                                                const PruneFilters& filters);
// Removes them and prints their IDs. One that runs or is gone by now is passed over.
Result<> remove_containers(store::Store& store, const std::vector<store::ContainerRecord>& containers);

// Images that no container is made from: those without a name, or all. And copies of images for other IDs.
// Prints their IDs. Gives the exit status.
Result<int> remove_unneeded_images(store::Store& store, bool all, const PruneFilters& filters);

// Networks that no container is in, but for those of projects and the default one. Prints their names.
Result<> remove_unused_networks(store::Store& store, const PruneFilters& filters);

// Volumes that no container uses; `filters` as volume_filters.h has them. Prints their names. One that is
// used or gone by now is passed over.
Result<std::vector<std::string>> prunable_volumes(store::Store& store, std::vector<std::string> filters);
Result<> remove_unused_volumes(store::Store& store, const std::vector<std::string>& names);

}  // namespace berth::cli
