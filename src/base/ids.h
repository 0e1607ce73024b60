// User and group IDs as types. A host ID becomes a container ID through an idmap::IdMap and in no other way,
// so the two kinds do not convert into each other.
#pragma once

#include <compare>
#include <cstdint>

namespace berth {

// The highest ID there is. 4294967295 is "no ID" to the kernel (chown(-1), an unmapped ID), never a user.
inline constexpr uint64_t kLastId = 4294967294;

template <typename Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(uint32_t value) : value_(value) {}
  [[nodiscard]] constexpr uint32_t value() const { return value_; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;

 private:
  uint32_t value_ = 0;
};

using HostUid = StrongId<struct HostUidTag>;
using HostGid = StrongId<struct HostGidTag>;
using ContainerUid = StrongId<struct ContainerUidTag>;
using ContainerGid = StrongId<struct ContainerGidTag>;

// The IDs of a bank, and how far apart banks begin. `host_id >> 16` names a bank, `host_id & 0xFFFF` is the
// ID inside.
inline constexpr uint32_t kBankSize = 65536;

// A bank by its number: host_id >> 16 of each of its IDs.
class Bank {
 public:
  constexpr Bank() = default;
  constexpr explicit Bank(uint16_t number) : number_(number) {}
  [[nodiscard]] constexpr uint16_t number() const { return number_; }
  // The first host ID of the bank, for UIDs and GIDs alike.
  [[nodiscard]] constexpr uint32_t base() const { return static_cast<uint32_t>(number_) * kBankSize; }
  friend constexpr auto operator<=>(Bank, Bank) = default;

 private:
  uint16_t number_ = 0;
};

}  // namespace berth
