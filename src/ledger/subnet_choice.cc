#include "ledger/subnet_choice.h"

#include <algorithm>

namespace berth::ledger {

namespace {

// The index of the part after all parts that have an address of `subnet`.
std::optional<uint64_t> after(const SubnetPool& pool, const net::Subnet& subnet) {
  const std::optional<net::Address> next = subnet.last().plus(1);
  if (!next || !pool.base.contains(*next)) return std::nullopt;
  const auto part = net::Subnet::containing(*next, pool.prefix);
  if (!part) return std::nullopt;
  // A part is at most 64 bits of index away from the base: choose_subnet() looks at no more.
  const unsigned shift = pool.base.first().bits() - pool.prefix;
  const uint64_t high = part->first().high() - pool.base.first().high();
  const uint64_t low = part->first().low() - pool.base.first().low();
  if (shift >= 64) return high >> (shift - 64);
  return shift == 0 ? low : (high << (64 - shift)) | (low >> shift);
}

// Goes from one overlap to the next, so it takes as many steps as there are others, however long the pool is.
std::optional<net::Subnet> choose_from(const SubnetPool& pool, std::span<const net::Subnet> taken) {
  uint64_t index = 0;
  while (true) {
    const std::optional<net::Subnet> part = pool.base.part(pool.prefix, index);
    if (!part) return std::nullopt;
    const net::Subnet* const other = first_overlap(*part, taken);
    if (other == nullptr) return part;
    const std::optional<uint64_t> next = other->contains(*part) ? after(pool, *other) : index + 1;
    if (!next || *next <= index) return std::nullopt;
    index = *next;
  }
}

}  // namespace

const net::Subnet* first_overlap(const net::Subnet& subnet, std::span<const net::Subnet> taken) {
  const auto found = std::find_if(taken.begin(), taken.end(),
                                  [&](const net::Subnet& other) { return other.overlaps(subnet); });
  return found == taken.end() ? nullptr : &*found;
}

Result<net::Subnet> choose_subnet(std::span<const SubnetPool> pools, std::span<const net::Subnet> taken) {
  std::vector<std::string> texts;
  for (const SubnetPool& pool : pools) {
    if (const auto subnet = choose_from(pool, taken)) return *subnet;
    texts.push_back(fmt::format("{} in parts of /{}", pool.base.text(), pool.prefix));
  }
  Error error{
      Code::conflict, 0,
      fmt::format("no subnet is free for a new network: networks of this store and routes of this host have "
                  "all of {}",
                  texts.empty() ? "no pool at all" : fmt::format("{}", fmt::join(texts, ", "))),
      "--subnet names one; the configuration's network.subnet-pools says what berth chooses from."};
  return std::unexpected(std::move(error));
}

}  // namespace berth::ledger
