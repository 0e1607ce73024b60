// Ranges of 32-bit IDs. Ends are 64 bits wide, so that a range that reaches the last ID has an end too.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.h"

namespace berth::idmap {

using berth::kLastId;

// The IDs from `begin` up to and without `end`; empty where end <= begin.
struct IdRange {
  uint64_t begin = 0;
  uint64_t end = 0;

  [[nodiscard]] constexpr bool empty() const { return end <= begin; }
  [[nodiscard]] constexpr bool contains(uint64_t id) const { return id >= begin && id < end; }
  [[nodiscard]] constexpr bool overlaps(const IdRange& other) const {
    return !empty() && !other.empty() && begin < other.end && other.begin < end;
  }
  friend constexpr bool operator==(const IdRange&, const IdRange&) = default;
};

constexpr IdRange range_of(Bank bank) {
  return {bank.base(), static_cast<uint64_t>(bank.base()) + kBankSize};
}

// The same IDs as the fewest ranges, in ascending order, no two of them touching.
std::vector<IdRange> normalized(std::vector<IdRange> ranges);

// What of `whole` lies in none of `holes` (normalized), in ascending order.
std::vector<IdRange> subtract(IdRange whole, const std::vector<IdRange>& holes);

}  // namespace berth::idmap
