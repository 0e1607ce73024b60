// The host's ID space as a column: who has which part of it, from 0 to the last ID. Pure; users and groups
// are one space here, since a bank is both.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/audit/id_facts.h"
#include "idmap/id_range.h"

namespace berth::engine {

// What a part of the space is, or, if it is several things at once, the first of these that it is.
enum class PartKind {
  bank,         // held
  resting,      // a bank that nobody holds now
  range,        // mapped by a container outside all banks
  subordinate,  // set aside in /etc/subuid or /etc/subgid
  foreign,      // mapped by a user namespace that berth did not make
  accounts,     // users and groups of the host
  free,
};

// "bank", …, and "namespace" for a foreign one: as JSON has it.
std::string_view word_for(PartKind kind);

// One claim to a range.
struct Claim {
  PartKind kind = PartKind::free;
  idmap::IdRange ids{};
  std::string what{};   // "bank 3", "user namespace of process 17 (sh)"
  std::string who{};    // "container web", "ann"; may be empty
  std::string where{};  // "/etc/subuid:3"; may be empty
};

struct Name {
  uint32_t id = 0;
  std::string user{};   // empty: no user has this ID
  std::string group{};  // empty: no group has it
};

// A stretch of the column. Parts follow one another without a gap.
struct Part {
  PartKind kind = PartKind::free;
  idmap::IdRange ids{};
  std::vector<Claim> claims{};  // each covers all of it, but for a part that stands for several
  std::vector<Name> names{};    // users and groups with an ID in it, in ascending order
  bool in_pool = false;         // berth gives out banks from here
  size_t stands_for = 1;        // parts that were put together
  // IDs that have two claims at once, or a name inside a claim: somebody shares who should not.
  [[nodiscard]] bool shared() const;
};

// All parts, in ascending order.
std::vector<Part> parts_of(const IdFacts& facts);

// The same with every run of banks (and free IDs between them) longer than `longest` put together into one
// part, but for parts that `keep` names.
std::vector<Part> put_together(std::vector<Part> parts, size_t longest,
                               const std::function<bool(const Part&)>& keep);

}  // namespace berth::engine
