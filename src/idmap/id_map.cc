#include "idmap/id_map.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace berth::idmap {

namespace {

constexpr size_t kExtentsInMessages = 6;

std::string describe_extent(const Extent& extent) {
  const IdRange inside = inside_of(extent);
  const IdRange outside = outside_of(extent);
  return fmt::format("{}-{} → {}-{}", inside.begin, inside.end - 1, outside.begin, outside.end - 1);
}

// The first two extents that share an ID on the given side.
template <typename Side>
Result<> check_disjoint(std::vector<Extent> extents, Side side, std::string_view where) {
  std::sort(extents.begin(), extents.end(),
            [&](const Extent& a, const Extent& b) { return side(a).begin < side(b).begin; });
  for (size_t i = 1; i < extents.size(); ++i) {
    if (side(extents[i - 1]).end > side(extents[i]).begin) {
      return fail(Code::refused, "the ID map maps an ID twice {}: {} and {}", where,
                  describe_extent(extents[i - 1]), describe_extent(extents[i]));
    }
  }
  return {};
}

// Both directions: the ID's place in the one range gives its place in the other.
std::optional<uint32_t> translate(std::span<const Extent> extents, uint32_t id,
                                  IdRange (*from)(const Extent&), IdRange (*to)(const Extent&)) {
  for (const Extent& extent : extents) {
    if (from(extent).contains(id)) return static_cast<uint32_t>(to(extent).begin + (id - from(extent).begin));
  }
  return std::nullopt;
}

Result<uint32_t> take_number(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{}) return fail(Code::refused, "the ID map has a line without three numbers");
  line.remove_prefix(static_cast<size_t>(end - line.data()));
  return value;
}

}  // namespace

Result<IdMap> IdMap::from_extents(std::vector<Extent> extents) {
  if (extents.empty()) return fail(Code::refused, "the ID map is empty");
  if (extents.size() > kMaxExtents) {
    return fail(Code::refused, "the ID map has {} extents, and the kernel takes at most {}", extents.size(),
                kMaxExtents);
  }
  for (const Extent& extent : extents) {
    if (extent.count == 0) {
      return fail(Code::refused, "the ID map has an empty extent at {} → {}", extent.inside, extent.outside);
    }
    if (inside_of(extent).end > kLastId + 1 || outside_of(extent).end > kLastId + 1) {
      return fail(Code::refused, "the ID map goes past the last ID, {}: {}", kLastId,
                  describe_extent(extent));
    }
  }
  TRY(check_disjoint(extents, inside_of, "inside the container"));
  TRY(check_disjoint(extents, outside_of, "on the host"));
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.inside < b.inside; });
  IdMap map(std::move(extents));
  if (const size_t length = map.text().size(); length > kMaxTextBytes) {
    return fail(Code::refused, "the ID map is {} bytes long, and the kernel takes at most {}", length,
                kMaxTextBytes);
  }
  return map;
}

Result<IdMap> IdMap::from_banks(std::span<const Bank> banks) {
  // 65536 banks would be all IDs; more than that wraps below.
  if (banks.size() >= 65536)
    return fail(Code::refused, "{} banks have more IDs than there are", banks.size());
  std::vector<Extent> extents;
  for (const Bank bank : banks) {
    // Banks that are neighbours are one extent: look-ups go through the extents.
    if (!extents.empty() && outside_of(extents.back()).end == bank.base()) {
      extents.back().count += kBankSize;
      continue;
    }
    const auto inside = extents.empty() ? 0 : static_cast<uint32_t>(inside_of(extents.back()).end);
    extents.push_back({inside, bank.base(), kBankSize});
  }
  return from_extents(std::move(extents));
}

const IdMap& IdMap::whole() {
  static const IdMap map(std::vector<Extent>{{0, 0, 4294967295U}});
  return map;
}

Result<IdMap> IdMap::parse(std::string_view text) {
  std::vector<Extent> extents;
  while (!text.empty()) {
    const size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
    Extent extent;
    for (uint32_t* field : {&extent.inside, &extent.outside, &extent.count}) *field = TRY(take_number(line));
    if (line.find_first_not_of(" \t") != std::string_view::npos) {
      return fail(Code::refused, "the ID map has a line with more than three numbers");
    }
    if (extents.size() == kMaxExtents) {
      return fail(Code::refused, "the ID map has more than {} extents", kMaxExtents);
    }
    extents.push_back(extent);
  }
  return from_extents(std::move(extents));
}

std::optional<HostUid> IdMap::to_host(ContainerUid uid) const {
  const auto id = translate(extents_, uid.value(), inside_of, outside_of);
  return id ? std::optional(HostUid(*id)) : std::nullopt;
}
std::optional<HostGid> IdMap::to_host(ContainerGid gid) const {
  const auto id = translate(extents_, gid.value(), inside_of, outside_of);
  return id ? std::optional(HostGid(*id)) : std::nullopt;
}
std::optional<ContainerUid> IdMap::to_container(HostUid uid) const {
  const auto id = translate(extents_, uid.value(), outside_of, inside_of);
  return id ? std::optional(ContainerUid(*id)) : std::nullopt;
}
std::optional<ContainerGid> IdMap::to_container(HostGid gid) const {
  const auto id = translate(extents_, gid.value(), outside_of, inside_of);
  return id ? std::optional(ContainerGid(*id)) : std::nullopt;
}

std::string IdMap::text() const {
  std::string out;
  for (const Extent& extent : extents_) {
    fmt::format_to(std::back_inserter(out), "{} {} {}\n", extent.inside, extent.outside, extent.count);
  }
  return out;
}

std::string IdMap::describe() const {
  std::string out;
  for (size_t i = 0; i < extents_.size(); ++i) {
    if (i == kExtentsInMessages) return out + fmt::format(" and {} more", extents_.size() - i);
    if (i > 0) out += ", ";
    out += describe_extent(extents_[i]);
  }
  return out;
}

}  // namespace berth::idmap
