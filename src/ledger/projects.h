// Projects: the tenants of a host. A project's number decides its IDs inside, as a hosting platform assigns
// them; its two banks decide those on the host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_map.h"
#include "idmap/id_range.h"
#include "ledger/bank_uses.h"
#include "ledger/banks.h"
#include "store/database.h"

namespace berth::ledger {

inline constexpr std::string_view kProjectKind = "project";  // of a bank's owner

// As OpenShift assigns them: from 1000000000 on, blocks of 10,000.
inline constexpr uint32_t kFirstAssignedId = 1'000'000'000;
inline constexpr uint32_t kAssignedIds = 10'000;
// So many blocks there are below the last ID.
inline constexpr uint32_t kProjectNumbers = (idmap::kLastId + 1 - kFirstAssignedId) / kAssignedIds;
inline constexpr uint32_t kBanksOfProject = 2;
inline constexpr uint32_t kMostProjects = kPoolBanks / kBanksOfProject;  // 14,332 a host

// The assigned IDs inside. `number` is below kProjectNumbers.
constexpr idmap::IdRange assigned_range(uint32_t number) {
  const uint64_t begin = uint64_t{kFirstAssignedId} + uint64_t{kAssignedIds} * number;
  return {begin, begin + kAssignedIds};
}

// "1000040000/10000", as OpenShift's annotations have it.
std::string range_text(uint32_t number);

// What all of a project's containers have, users and groups alike: 0-65535 inside are the first bank, so that
// the image's own files look right, and the assigned range is the first 10,000 IDs of the second: the host ID
// is base + (ID - the range's first). Code::usage where there is no such number.
Result<idmap::IdMap> project_map(uint32_t number, Bank first, Bank second);

struct Project {
  std::string name;
  uint32_t number = 0;
  int64_t created_at = 0;  // seconds since 1970
  std::string policy;
  std::optional<int64_t> quota;    // containers at most
  std::string labels = "{}";       // a JSON object of strings
  std::string annotations = "{}";  // likewise
  friend bool operator==(const Project&, const Project&) = default;
};

struct NewProject {
  std::string name;
  std::optional<uint32_t> number;  // nullopt: the lowest that is free
  std::string policy;
  std::optional<int64_t> quota;
  std::optional<int64_t> bank_quota;
  std::string labels = "{}";
  std::string annotations = "{}";
};

// All within the caller's transaction.

// Takes a number and two banks. The number is the lowest that no project has and that has rested for an hour
// since the last one had it; it rests even where none else is free, as files with its IDs may still lie in
// volumes. Costs the same however many projects there are. Code::conflict: the name or the number is taken,
// or the host has no room, and the message says how much it has.
Result<Project> create_project(store::Database& db, const NewProject& wanted, const HostSources& host = {});

// The number that create_project() would choose. For whoever gives numbers to the hosts of a fleet
// (docs/fleet.md), with a ledger that restore_project() tells what is taken.
Result<uint32_t> free_project_number(store::Database& db, const HostSources& host = {});

// Code::not_found, with the nearest name.
Result<Project> find_project(store::Database& db, std::string_view name);

// By name.
Result<std::vector<Project>> list_projects(store::Database& db);

// Frees its banks and its number; both rest. Code::conflict while it has containers, which the message names.
Result<> remove_project(store::Database& db, std::string_view name, const HostSources& host = {});

// Its containers, by name.
Result<std::vector<User>> containers_of_project(store::Database& db, std::string_view name);

// Whether it may have one container more. Code::conflict: it has as many as its quota says.
Result<> check_quota(store::Database& db, const Project& project);

// Its two banks, in the order of its map.
Result<std::vector<Bank>> banks_of_project(store::Database& db, std::string_view name);
Result<idmap::IdMap> map_of_project(store::Database& db, const Project& project);

// Puts back what a lost ledger knew. False if its name or number is another's already.
Result<bool> restore_project(store::Database& db, const Project& project);

// A number that rests since its project is gone.
struct RestingNumber {
  uint32_t number = 0;
  int64_t freed_at = 0;  // nanoseconds since 1970
  std::string project;   // that had it
  friend bool operator==(const RestingNumber&, const RestingNumber&) = default;
};

// Those that rest still, by number.
Result<std::vector<RestingNumber>> resting_numbers(store::Database& db, const HostSources& host = {});
// Puts one back, as restore_project() does. Does nothing if a project has it by now.
Result<> restore_resting_number(store::Database& db, const RestingNumber& resting,
                                const HostSources& host = {});

// Whether it can be a project's name: what is a label in DNS, as OpenShift has it.
Result<> check_project_name(std::string_view name);

}  // namespace berth::ledger
