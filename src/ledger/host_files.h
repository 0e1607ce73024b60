// The host's own files about IDs, as ranges. Pure; lines that say nothing are passed over, as their readers
// do.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "idmap/id_range.h"
#include "ledger/id_kind.h"

namespace berth::ledger {

// Adds the IDs of /etc/passwd (UID and GID of each line) or, with `group`, of /etc/group.
void add_account_ids(std::string_view text, bool group, std::vector<idmap::IdRange>& ranges);

// Adds the ranges of /etc/subuid or /etc/subgid: "name:first:count". Those with the name `own` are left out.
void add_subordinate_ranges(std::string_view text, std::string_view own, std::vector<idmap::IdRange>& ranges);

struct Account {
  std::string name;
  uint64_t id = 0;
};
// The first user of /etc/passwd, or group of /etc/group, whose ID lies in `range`: of a user the UID, the GID
// or both, as `kind` says.
std::optional<Account> find_user(std::string_view passwd, IdKind kind, const idmap::IdRange& range);
std::optional<Account> find_group(std::string_view group, const idmap::IdRange& range);

struct Subordinate {
  std::string name;
  idmap::IdRange ids;
};
// The first line of /etc/subuid or /etc/subgid that overlaps `range` and is not for the name `own`.
std::optional<Subordinate> find_subordinate(std::string_view text, std::string_view own,
                                            const idmap::IdRange& range);

// What nsswitch.conf asks for passwd and group beside the files.
struct NameServices {
  bool systemd = false;  // nss-systemd, which knows more than the files only where something feeds it
  bool others = false;   // sss, ldap, winbind, …
};
NameServices name_services(std::string_view nsswitch);

}  // namespace berth::ledger
