// What a container has changed in its root file system.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/files/container_view.h"
#include "engine/files/own_places.h"

namespace berth::engine {

enum class ChangeKind { changed, added, deleted };

struct Change {
  ChangeKind kind = ChangeKind::changed;
  std::string path;  // from the root on, without a leading slash
  bool directory = false;
  // Of a directory: the image has one there, and nothing of that shows.
  bool opaque = false;
  // Below a directory that is opaque, which says of what was deleted all that there is to say.
  bool below_opaque = false;
};

struct Changes {
  std::vector<Change> list;  // by path, so a directory comes before what is in it
  // What the view shows and neither the image nor the container has brought: the places of berth's own
  // mounts, and files of the identity layer. Paths as above.
  std::set<std::string> left_out;
  OwnPlaces own;
};

// Listed from the container's own layer; what that only refers to (a renamed directory) from the view. What a
// running container changes meanwhile may be among it or not.
Result<Changes> list_changes(const ContainerView& view);

}  // namespace berth::engine
