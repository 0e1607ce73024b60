// Which host ID a container's ID is. Pure: nothing here asks the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_range.h"

namespace berth::idmap {

// `count` IDs from `inside` on are the host's from `outside` on.
struct Extent {
  uint32_t inside = 0;
  uint32_t outside = 0;
  uint32_t count = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

// The two sides of an extent as ranges.
constexpr IdRange inside_of(const Extent& extent) {
  return {extent.inside, static_cast<uint64_t>(extent.inside) + extent.count};
}
constexpr IdRange outside_of(const Extent& extent) {
  return {extent.outside, static_cast<uint64_t>(extent.outside) + extent.count};
}

// The map of one kind of ID (users or groups), as the kernel takes it in /proc/PID/uid_map and gid_map.
//
// A map that exists is one that the kernel accepts (user_namespaces(7)): 1 to 340 extents that overlap
// neither inside nor outside, none empty, none that reaches 4294967295, and a text that fits into the one
// page that a write to uid_map may have.
class IdMap {
 public:
  static constexpr size_t kMaxExtents = 340;
  static constexpr size_t kMaxTextBytes = 4095;

  static Result<IdMap> from_extents(std::vector<Extent> extents);
  // The banks one after another: the first one's IDs are 0-65535 inside, the second one's 65536-131071, …
  static Result<IdMap> from_banks(std::span<const Bank> banks);
  // Every ID there is, each on itself, as in the host's own namespace.
  static const IdMap& whole();
  // Reads what text() writes, and what the kernel shows.
  static Result<IdMap> parse(std::string_view text);

  // nullopt: the ID is not mapped.
  [[nodiscard]] std::optional<HostUid> to_host(ContainerUid uid) const;
  [[nodiscard]] std::optional<HostGid> to_host(ContainerGid gid) const;
  [[nodiscard]] std::optional<ContainerUid> to_container(HostUid uid) const;
  [[nodiscard]] std::optional<ContainerGid> to_container(HostGid gid) const;

  // In ascending order of `inside`.
  [[nodiscard]] std::span<const Extent> extents() const { return extents_; }

  // "0 1048576 65536\n", a line an extent, for one write(2) to /proc/PID/uid_map.
  [[nodiscard]] std::string text() const;
  // "0-65535 → 1048576-1114111", extents separated by ", "; for messages, so long maps end with "and 12
  // more".
  [[nodiscard]] std::string describe() const;

  friend bool operator==(const IdMap&, const IdMap&) = default;

 private:
  explicit IdMap(std::vector<Extent> extents) : extents_(std::move(extents)) {}
  std::vector<Extent> extents_;
};

}  // namespace berth::idmap
