#include "ledger/host_files.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/fields.h"

namespace berth::ledger {

namespace {

// Calls `each` with the name, each ID and whether that is a group's, of every line of /etc/passwd or, with
// `group`, /etc/group, until it says false.
template <typename Each>
void for_each_account(std::string_view text, bool group, Each each) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view name = take_until(line, ':');
    take_until(line, ':');
    for (int ids = group ? 1 : 2; ids > 0; --ids) {
      const std::optional<uint64_t> id = whole_number<uint64_t>(take_until(line, ':'));
      if (id && *id <= idmap::kLastId && !each(name, *id, ids == 1)) return;
    }
  }
}

template <typename Each>
void for_each_subordinate(std::string_view text, std::string_view own, Each each) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    const std::string_view name = take_until(line, ':');
    if (name == own) continue;
    const std::optional<uint64_t> first = whole_number<uint64_t>(take_until(line, ':'));
    const std::optional<uint64_t> count = whole_number<uint64_t>(line);
    if (!first || !count || *first > idmap::kLastId) continue;
    const idmap::IdRange range{*first, *first + std::min(*count, idmap::kLastId + 1 - *first)};
    if (!each(name, range)) return;
  }
}

}  // namespace

void add_account_ids(std::string_view text, bool group, std::vector<idmap::IdRange>& ranges) {
  for_each_account(text, group, [&](std::string_view, uint64_t id, bool) {
    ranges.push_back({id, id + 1});
    return true;
  });
}

std::optional<Account> find_user(std::string_view passwd, IdKind kind, const idmap::IdRange& range) {
  std::optional<Account> found;
  for_each_account(passwd, false, [&](std::string_view name, uint64_t id, bool group) {
    const bool counts = group ? has_groups(kind) : has_users(kind);
    if (counts && range.contains(id)) found = Account{std::string(name), id};
    return !found;
  });
  return found;
}

std::optional<Account> find_group(std::string_view group, const idmap::IdRange& range) {
  std::optional<Account> found;
  for_each_account(group, true, [&](std::string_view name, uint64_t id, bool) {
    if (range.contains(id)) found = Account{std::string(name), id};
    return !found;
  });
  return found;
}

void add_subordinate_ranges(std::string_view text, std::string_view own,
                            std::vector<idmap::IdRange>& ranges) {
  for_each_subordinate(text, own, [&](std::string_view, const idmap::IdRange& range) {
    ranges.push_back(range);
    return true;
  });
}

std::optional<Subordinate> find_subordinate(std::string_view text, std::string_view own,
                                            const idmap::IdRange& range) {
  std::optional<Subordinate> found;
  for_each_subordinate(text, own, [&](std::string_view name, const idmap::IdRange& ids) {
    if (range.overlaps(ids)) found = Subordinate{std::string(name), ids};
    return !found;
  });
  return found;
}

NameServices name_services(std::string_view nsswitch) {
  NameServices found;
  while (!nsswitch.empty()) {
    std::string_view line = take_until(nsswitch, '\n');
    line = line.substr(0, line.find('#'));
    std::string_view database = take_until(line, ':');
    while (!database.empty() && (database.front() == ' ' || database.front() == '\t'))
      database.remove_prefix(1);
    while (!database.empty() && (database.back() == ' ' || database.back() == '\t'))
      database.remove_suffix(1);
    if (database != "passwd" && database != "group") continue;
    while (!line.empty()) {
      const size_t end = line.find_first_of(" \t");
      const std::string_view service = line.substr(0, end);
      line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
      if (service == "systemd") {
        found.systemd = true;
      } else if (!service.empty() && service != "files" && !service.starts_with('[')) {
        found.others = true;
      }
    }
  }
  return found;
}

}  // namespace berth::ledger
