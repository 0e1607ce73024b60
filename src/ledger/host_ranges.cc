#include "ledger/host_ranges.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>

#include "idmap/id_map.h"
#include "ledger/bank_numbers.h"
#include "ledger/foreign_namespaces.h"
#include "ledger/host_files.h"
#include "sys/file.h"

namespace berth::ledger {

namespace {

constexpr size_t kFileLimit = size_t{64} << 20;
constexpr uint64_t kNamesAsked = 64;

using Holder = std::optional<std::string>;

std::string span(const idmap::IdRange& range) {
  if (range.end == range.begin + 1) return fmt::format("{}", range.begin);
  return fmt::format("{}-{}", range.begin, range.end - 1);
}

Result<std::string> read_if_there(const std::string& path) {
  Result<std::string> text = sys::read_file_at(AT_FDCWD, path, kFileLimit);
  if (!text && text.error().err == ENOENT) return std::string();
  return text;
}

Result<Holder> find_account(IdKind kind, const idmap::IdRange& range, const std::string& etc) {
  const std::string passwd = TRY(read_if_there(etc + "/passwd"));
  if (const std::optional<Account> found = find_user(passwd, kind, range)) {
    return fmt::format("the host's user {} has the {} {}", found->name,
                       kind == IdKind::groups ? "group ID" : "ID", found->id);
  }
  if (!has_groups(kind)) return std::nullopt;
  const std::string group = TRY(read_if_there(etc + "/group"));
  if (const std::optional<Account> found = find_group(group, range))
    return fmt::format("the host's group {} has the ID {}", found->name, found->id);
  return std::nullopt;
}

Result<Holder> find_in_files(IdKind kind, const idmap::IdRange& range, const std::string& etc) {
  if (Holder found = TRY(find_account(kind, range, etc))) return found;
  if (range.begin == 0) return "the host's root has the ID 0";
  for (const char* file : {"subuid", "subgid"}) {
    if (!(file == std::string_view("subuid") ? has_users(kind) : has_groups(kind))) continue;
    const std::string text = TRY(read_if_there(etc + "/" + file));
    if (const std::optional<Subordinate> found = find_subordinate(text, "berth", range))
      return fmt::format("/etc/{} gives the IDs {} to {}", file, span(found->ids), found->name);
  }
  return std::nullopt;
}

Result<Holder> find_bank_owner(store::Database& db, const idmap::IdRange& range) {
  store::Statement query =
      TRY(db.prepare("SELECT number, owner_kind, owner FROM banks WHERE owner IS NOT NULL "
                     "AND number BETWEEN ? AND ? ORDER BY number LIMIT 1"));
  query.bind(1, static_cast<int64_t>(range.begin / kBankSize));
  query.bind(2, static_cast<int64_t>((range.end - 1) / kBankSize));
  if (!TRY(query.step())) return std::nullopt;
  const Bank bank(static_cast<uint16_t>(query.number(0)));
  const std::string who = TRY(describe_owner(db, {query.text(1), query.text(2)}));
  return fmt::format("{} holds bank {}, the IDs {}", who, number_of(bank), span(idmap::range_of(bank)));
}

// Whether a map, as it is recorded with a container, has some of the host's IDs.
Result<bool> maps_any(const std::string& text, const idmap::IdRange& ids) {
  if (text.empty()) return true;  // it is being made, or nothing is known of it
  const idmap::IdMap map = TRY(idmap::IdMap::parse(text));
  for (const idmap::Extent& extent : map.extents()) {
    if (ids.overlaps({extent.outside, uint64_t{extent.outside} + extent.count})) return true;
  }
  return false;
}

// A recorded range does not say of which kind it is, but the container's maps do.
Result<Holder> find_recorded(store::Database& db, IdKind kind, const idmap::IdRange& range) {
  store::Statement query =
      TRY(db.prepare("SELECT container_id, first, last, uid_map, gid_map FROM container_ranges LEFT JOIN "
                     "containers ON id = container_id WHERE first < ? AND last >= ? ORDER BY first"));
  query.bind(1, static_cast<int64_t>(range.end)).bind(2, static_cast<int64_t>(range.begin));
  while (TRY(query.step())) {
    const idmap::IdRange ids{static_cast<uint64_t>(query.number(1)),
                             static_cast<uint64_t>(query.number(2)) + 1};
    const idmap::IdRange shared{std::max(ids.begin, range.begin), std::min(ids.end, range.end)};
    const bool users = has_users(kind) && TRY(maps_any(query.text(3), shared));
    const bool groups = has_groups(kind) && TRY(maps_any(query.text(4), shared));
    if (!users && !groups) continue;
    return fmt::format("{} maps the IDs {}", TRY(describe_owner(db, {"container", query.text(0)})),
                       span(ids));
  }
  return std::nullopt;
}

Result<Holder> find_running(IdKind kind, const idmap::IdRange& range, const std::string& proc) {
  const std::optional<RunningUse> found = TRY(find_running_use(proc, kind, range));
  if (!found) return std::nullopt;
  if (found->ids.end == found->ids.begin + 1) {
    return fmt::format("process {} ({}) runs as the ID {}", found->pid, found->command, found->ids.begin);
  }
  return fmt::format("process {} ({}) is in a user namespace that has the IDs {}", found->pid, found->command,
                     span(found->ids));
}

// Evenly over the range, with its first and its last.
Holder find_by_name_service(IdKind kind, const idmap::IdRange& range, const HostSources& host) {
  const uint64_t last = range.end - 1;
  const uint64_t step = std::max<uint64_t>(1, (range.end - range.begin) / kNamesAsked);
  const auto look = [&](uint64_t id) -> Holder {
    const auto number = static_cast<uint32_t>(id);
    const bool user = has_users(kind) && host.knows_user(number);
    if (!user && !(has_groups(kind) && host.knows_group(number))) return std::nullopt;
    return fmt::format("the host's name service has a {} with the ID {}", user ? "user" : "group", id);
  };
  for (uint64_t id = range.begin; id < range.end; id += step) {
    if (Holder found = look(id)) return found;
  }
  return look(last);
}

}  // namespace

Result<Holder> find_holder(store::Database& db, IdKind kind, const idmap::IdRange& range,
                           const HostSources& host) {
  if (range.empty()) return std::nullopt;
  if (Holder found = TRY(find_in_files(kind, range, host.etc))) return found;
  if (Holder found = TRY(find_bank_owner(db, range))) return found;
  if (Holder found = TRY(find_recorded(db, kind, range))) return found;
  if (Holder found = TRY(find_running(kind, range, host.proc))) return found;
  if (TRY(asks_name_service(host.etc))) return find_by_name_service(kind, range, host);
  return std::nullopt;
}

Result<> check_range_free(store::Database& db, IdKind kind, const idmap::IdRange& range,
                          const HostSources& host) {
  const Holder holder = TRY(find_holder(db, kind, range, host));
  if (!holder) return {};
  Error error{Code::conflict, 0, fmt::format("the host IDs {} are not free: {}", span(range), *holder), {}};
  return std::unexpected(std::move(error).with_hint(
      "Leave the host's side out to get IDs from the container's own bank, or say with "
      "--allow-shared-ids that they are to be shared."));
}

Result<> record_range(store::Database& db, std::string_view container, const idmap::IdRange& range) {
  store::Statement insert =
      TRY(db.prepare("INSERT OR IGNORE INTO container_ranges (container_id, first, last) VALUES (?, ?, ?)"));
  insert.bind(1, container).bind(2, static_cast<int64_t>(range.begin));
  return insert.bind(3, static_cast<int64_t>(range.end) - 1).run();
}

Result<std::vector<idmap::IdRange>> ranges_of(store::Database& db, std::string_view container) {
  store::Statement query =
      TRY(db.prepare("SELECT first, last FROM container_ranges WHERE container_id = ? ORDER BY first"));
  query.bind(1, container);
  std::vector<idmap::IdRange> ranges;
  while (TRY(query.step())) {
    ranges.push_back({static_cast<uint64_t>(query.number(0)), static_cast<uint64_t>(query.number(1)) + 1});
  }
  return ranges;
}

}  // namespace berth::ledger
