#include "engine/audit/id_space.h"

#include <algorithm>
#include <map>
#include <set>

namespace berth::engine {

namespace {

constexpr idmap::IdRange kPool{idmap::range_of(ledger::kFirstBank).begin,
                               idmap::range_of(ledger::kLastBank).end};
// Accounts that are farther apart are two parts, and so are the system's and people's (login.defs, UID_MIN).
constexpr uint64_t kApart = 1000;
constexpr uint64_t kFirstPerson = 1000;
// A stretch of free IDs of so many banks is put together with the banks around it.
constexpr uint64_t kSmallGap = uint64_t{16} * kBankSize;

void add_bank_claims(const IdFacts& facts, std::vector<Claim>& claims) {
  for (const BankFacts& bank : facts.banks) {
    const PartKind kind = bank.owner ? PartKind::bank : PartKind::resting;
    const std::string last = bank.owner_name.empty() ? "" : fmt::format("last of {}", bank.owner_name);
    claims.push_back(
        {kind, idmap::range_of(bank.bank), name_of(bank.bank), bank.owner ? name_of_owner(bank) : last});
  }
}

void add_container_claims(const IdFacts& facts, std::vector<Claim>& claims) {
  for (const ContainerFacts& container : facts.containers) {
    for (const idmap::IdRange& ids : container.ranges) {
      claims.push_back({PartKind::range, ids, "named with --uidmap", "container " + container.name});
    }
  }
}

void add_foreign_claims(const IdFacts& facts, std::vector<Claim>& claims) {
  for (const RunningNamespace& ns : facts.running.namespaces) {
    if (ns.ours) continue;
    std::vector<idmap::IdRange> ranges = ns.users;
    ranges.insert(ranges.end(), ns.groups.begin(), ns.groups.end());
    for (const idmap::IdRange& ids : idmap::normalized(std::move(ranges))) {
      claims.push_back(
          {PartKind::foreign, ids, "user namespace", fmt::format("process {} ({})", ns.pid, ns.command)});
    }
  }
}

// A range that has the same line in both files is one claim.
void add_subordinate_claims(const IdFacts& facts, std::vector<Claim>& claims) {
  const size_t first = claims.size();
  for (const IdLine& line : facts.lines) {
    if (line.file != IdFile::subuid && line.file != IdFile::subgid) continue;
    const std::string where = fmt::format("{}:{}", path_of(line.file), line.line);
    const auto same =
        std::find_if(claims.begin() + static_cast<ptrdiff_t>(first), claims.end(), [&](const Claim& claim) {
          return claim.ids == line.ids && claim.who == line.name &&
                 claim.where.find(path_of(line.file)) == std::string::npos;
        });
    if (same != claims.end()) {
      same->where += ", " + where;
    } else {
      claims.push_back({PartKind::subordinate, line.ids, "subordinate IDs", line.name, where});
    }
  }
}

std::vector<Name> names_of(const IdFacts& facts) {
  std::map<uint32_t, Name> names;
  for (const IdLine& line : facts.lines) {
    if (line.file != IdFile::passwd && line.file != IdFile::group) continue;
    const auto id = static_cast<uint32_t>(line.ids.begin);
    Name& name = names[id];
    name.id = id;
    std::string& of_kind = line.file == IdFile::passwd ? name.user : name.group;
    if (of_kind.empty()) of_kind = line.name;
  }
  std::vector<Name> list;
  for (auto& [id, name] : names) list.push_back(std::move(name));
  return list;
}

// Where a part may end: at the ends of claims, of the pool, and of each cluster of accounts that lies in
// none.
std::set<uint64_t> ends_of(const std::vector<Claim>& claims, const std::vector<Name>& names) {
  std::set<uint64_t> ends{0, kPool.begin, kPool.end, idmap::kLastId + 1};
  std::vector<idmap::IdRange> claimed;
  for (const Claim& claim : claims) {
    ends.insert({claim.ids.begin, claim.ids.end});
    claimed.push_back(claim.ids);
  }
  claimed = idmap::normalized(std::move(claimed));
  std::optional<uint64_t> before;
  for (const Name& name : names) {
    const uint64_t id = name.id;
    const auto after = std::ranges::upper_bound(claimed, id, {}, &idmap::IdRange::begin);
    if (after != claimed.begin() && std::prev(after)->contains(id)) continue;
    if (!before || id - *before > kApart || (id >= kFirstPerson && *before < kFirstPerson)) {
      ends.insert(id);
      if (before) ends.insert(*before + 1);
    }
    before = id;
  }
  if (before) ends.insert(*before + 1);
  return ends;
}

bool mergeable(const Part& part) {
  if (part.shared()) return false;
  if (part.kind == PartKind::bank || part.kind == PartKind::resting) return true;
  return part.kind == PartKind::free && part.in_pool && part.ids.end - part.ids.begin < kSmallGap;
}

void append(Part& into, Part&& part) {
  into.ids.end = part.ids.end;
  into.kind = std::min(into.kind, part.kind);
  into.claims.insert(into.claims.end(), std::make_move_iterator(part.claims.begin()),
                     std::make_move_iterator(part.claims.end()));
  into.stands_for += part.stands_for;
}

}  // namespace

std::string_view word_for(PartKind kind) {
  switch (kind) {
    case PartKind::bank:
      return "bank";
    case PartKind::resting:
      return "resting";
    case PartKind::range:
      return "range";
    case PartKind::subordinate:
      return "subordinate";
    case PartKind::foreign:
      return "namespace";
    case PartKind::accounts:
      return "accounts";
    case PartKind::free:
      return "free";
  }
  return {};
}

bool Part::shared() const {
  if (stands_for > 1) return false;
  const auto exclusive =
      std::ranges::count_if(claims, [](const Claim& claim) { return claim.kind != PartKind::resting; });
  if (exclusive == 0) return false;
  // A namespace that runs in somebody's subordinate range is what such a range is for.
  const bool only_theirs = std::ranges::all_of(claims, [](const Claim& claim) {
    return claim.kind == PartKind::subordinate || claim.kind == PartKind::foreign;
  });
  if (only_theirs) return !names.empty();
  return exclusive > 1 || !names.empty();
}

std::vector<Part> parts_of(const IdFacts& facts) {
  std::vector<Claim> claims;
  add_bank_claims(facts, claims);
  add_container_claims(facts, claims);
  add_subordinate_claims(facts, claims);
  add_foreign_claims(facts, claims);
  std::ranges::stable_sort(claims, {}, [](const Claim& claim) { return claim.ids.begin; });
  const std::vector<Name> names = names_of(facts);
  const std::set<uint64_t> ends = ends_of(claims, names);

  std::vector<Part> parts;
  std::vector<size_t> open;  // claims that the current part lies in
  size_t next_claim = 0;
  size_t next_name = 0;
  for (auto end = ends.begin(); std::next(end) != ends.end(); ++end) {
    Part part{.ids = {*end, *std::next(end)}};
    std::erase_if(open, [&](size_t claim) { return claims[claim].ids.end <= part.ids.begin; });
    for (; next_claim < claims.size() && claims[next_claim].ids.begin <= part.ids.begin; ++next_claim)
      open.push_back(next_claim);
    for (; next_name < names.size() && names[next_name].id < part.ids.end; ++next_name)
      part.names.push_back(names[next_name]);
    for (const size_t claim : open) part.claims.push_back(claims[claim]);
    std::ranges::stable_sort(part.claims, {}, &Claim::kind);
    part.kind = !part.claims.empty()  ? part.claims.front().kind
                : !part.names.empty() ? PartKind::accounts
                                      : PartKind::free;
    part.in_pool = kPool.overlaps(part.ids);
    parts.push_back(std::move(part));
  }
  return parts;
}

std::vector<Part> put_together(std::vector<Part> parts, size_t longest,
                               const std::function<bool(const Part&)>& keep) {
  std::vector<Part> shown;
  for (size_t i = 0; i < parts.size();) {
    size_t end = i;
    const bool begins = parts[i].kind != PartKind::free;
    while (begins && end < parts.size() && mergeable(parts[end]) && !keep(parts[end])) ++end;
    while (end > i && parts[end - 1].kind == PartKind::free) --end;
    if (end - i > longest) {
      Part merged = std::move(parts[i]);
      for (++i; i < end; ++i) append(merged, std::move(parts[i]));
      shown.push_back(std::move(merged));
    } else {
      for (end = std::max(end, i + 1); i < end; ++i) shown.push_back(std::move(parts[i]));
    }
  }
  return shown;
}

}  // namespace berth::engine
