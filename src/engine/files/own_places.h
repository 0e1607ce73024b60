// What berth itself puts into a container's root file system, and what is not the container's doing
// therefore: the places of its mounts, and the entries of passwd and group.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/files/root_layers.h"
#include "store/layer_stack.h"

namespace berth::engine {

// A file whose added lines are taken out again.
struct AccountFile {
  std::string path;  // from the root on, without a leading slash
  std::vector<std::string> added;
  std::optional<std::string> original;  // the image's; none if it has none
};

struct OwnPlaces {
  // Paths as above, links of the image followed: where berth mounts something of its own.
  std::set<std::string> mounts;
  std::vector<AccountFile> accounts;

  // The one with this path, or null.
  [[nodiscard]] const AccountFile* account(std::string_view path) const;
};

// `image` is the stack of the image's layers.
Result<OwnPlaces> own_places(const RootLayers& layers, const store::LayerStack& image);

}  // namespace berth::engine
