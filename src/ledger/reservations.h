// What of the host's IDs is somebody else's: users, subordinate ranges, other engines' running containers,
// and ranges that containers map outside all banks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "idmap/id_range.h"
#include "ledger/pool.h"
#include "store/database.h"

namespace berth::ledger {

// Ask the name service (getpwuid, getgrgid) whether a host ID is a user's or a group's.
bool user_known_to_name_service(uint32_t id);
bool group_known_to_name_service(uint32_t id);

// Whether a process runs as this host ID: container root of somebody's container. The kernel looks the user
// up in a hash table and goes through its processes only if it finds it: 0.2 µs where there is none.
bool runs_processes(uint32_t uid);

// Where the host says who holds IDs, and which of them the policy lets out. The defaults are the real places,
// and any; tests have their own.
struct HostSources {
  std::string etc = "/etc";    // passwd, group, subuid, subgid, nsswitch.conf
  std::string proc = "/proc";  // */uid_map, */gid_map
  bool (*knows_user)(uint32_t id) = user_known_to_name_service;
  bool (*knows_group)(uint32_t id) = group_known_to_name_service;
  bool (*runs_processes)(uint32_t uid) = ledger::runs_processes;
  int64_t (*now)() = now_nanoseconds;  // nanoseconds since 1970
  PoolRules rules;
};

// Whether this host asks more than its files for users and groups, by <etc>/nsswitch.conf.
Result<bool> asks_name_service(const std::string& etc);

// The ranges of others, as of one look at the host.
//
// What is certain when a bank is given out: it overlaps no user or group of /etc/passwd and /etc/group, no
// range of /etc/subuid and /etc/subgid, no range that a container of berth's own maps outside its banks, no
// user namespace that was there at the last look at all processes
// (at most kLookInterval ago), and no process on the host runs as its first ID now, which is container root
// wherever another engine uses the same range. Lines of the subordinate ID files with the name "berth" are
// the administrator's way of keeping a range for berth, and reserve nothing. What the policy does not allow
// counts as somebody else's.
//
// The look at all processes is the dear part (4 µs each), hence the interval; the rest is about 20 µs.
class Reservations {
 public:
  static constexpr int64_t kLookIntervalSeconds = 60;

  // Within the caller's transaction, since a new look at the processes is recorded for the next caller.
  static Result<Reservations> look(store::Database& db, const HostSources& host);

  // Normalized ranges of host IDs.
  [[nodiscard]] const std::vector<idmap::IdRange>& ranges() const { return ranges_; }
  // Whether some of the bank lies in ranges().
  [[nodiscard]] bool covers(Bank bank) const;
  // The checks that are made of one bank at a time: its first ID's processes, the name service.
  [[nodiscard]] bool is_known_or_runs(Bank bank) const;
  [[nodiscard]] bool holds(Bank bank) const { return covers(bank) || is_known_or_runs(bank); }

 private:
  std::vector<idmap::IdRange> ranges_;
  bool ask_name_service_ = false;
  bool (*knows_user_)(uint32_t id) = nullptr;
  bool (*knows_group_)(uint32_t id) = nullptr;
  bool (*runs_processes_)(uint32_t uid) = nullptr;
};

}  // namespace berth::ledger
