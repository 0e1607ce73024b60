// Volumes as a person deals with them: made, listed, looked at, removed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/store.h"

namespace berth::engine {

struct Volume {
  std::string name;
  int64_t created_at = 0;  // seconds since 1970
  bool anonymous = false;  // made for one container, without a name of its own
  bool populated = false;  // has had its content from an image
  std::map<std::string, std::string> labels;
  std::vector<std::string> containers;  // the IDs of those that use it

  [[nodiscard]] std::string mount_point(const store::Store& store) const;
};

// By name.
Result<std::vector<Volume>> list_volumes(store::Store& store);

// Code::not_found, with a hint where a name is near.
Result<Volume> find_volume(store::Store& store, std::string_view name);

// The name of the volume that a person calls by its name or by a beginning that only one has, as podman takes
// it. Code::not_found; Code::usage, with some of them, where several begin so.
Result<std::string> volume_called(store::Store& store, std::string_view word);

// Makes an empty volume, which the first container that uses it fills from its image. An empty name: one is
// made up. Code::conflict if it is there. Gives its name.
Result<std::string> create_volume(store::Store& store, std::string name,
                                  const std::map<std::string, std::string>& labels);

// Removes a volume and what is in it. Code::conflict while a container uses it, Code::not_found.
Result<> remove_volume(store::Store& store, std::string_view name);

}  // namespace berth::engine
