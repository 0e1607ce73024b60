// IDs on disk, moved through a map once and for all, and back again. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "idmap/id_map.h"

namespace berth::idmap {

// What an ID of a container's file becomes where the file is kept with the host's IDs.
//
// A mapped ID becomes its host ID. Files of other IDs must be kept as well, belong to nobody in the container
// and come back as they were, so the map is made whole: an ID outside it stays what it is, unless it is one
// of the host IDs that the map leads to; then it takes one that such an ID has left free. So no two IDs
// become one, and none becomes a host ID of the map by accident.
class IdShift {
 public:
  explicit IdShift(const IdMap& map);

  // 4294967295, which is no ID, stays what it is.
  [[nodiscard]] uint32_t operator()(uint32_t id) const;

  // Undoes this one.
  [[nodiscard]] IdShift inverse() const;

 private:
  // In ascending order of `inside`.
  IdShift(std::vector<Extent> forward, std::vector<Extent> backward)
      : forward_(std::move(forward)), backward_(std::move(backward)) {}
  std::vector<Extent> forward_;
  std::vector<Extent> backward_;
};

// The two kinds of ID.
struct Shift {
  IdShift users;
  IdShift groups;
  [[nodiscard]] Shift inverse() const { return {users.inverse(), groups.inverse()}; }
};

}  // namespace berth::idmap
