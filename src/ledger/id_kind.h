// User IDs and group IDs are numbers of their own: who holds one need not hold the other.
#pragma once

#include <cstdint>

namespace berth::ledger {

// What somebody looks for. Whoever takes a whole bank takes both.
enum class IdKind : uint8_t { users, groups, both };

constexpr bool has_users(IdKind kind) {
  return kind != IdKind::groups;
}
constexpr bool has_groups(IdKind kind) {
  return kind != IdKind::users;
}

}  // namespace berth::ledger
