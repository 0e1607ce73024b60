// Containers as the store remembers them. What runs now is not here but below the run root
// (engine/container/status.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/database.h"

namespace berth::store {

struct ContainerRecord {
  std::string id;  // 64 hexadecimal digits
  std::string name;
  std::string image_id;
  std::string image_name;  // as it was called when the container was made
  int64_t created_at = 0;  // nanoseconds since 1970, as the other times
  std::string spec;        // what was asked for (engine/container/container_spec.h)
  std::string state;       // kCreated, kRunning, kRestarting, kExited, kRemoving
  std::optional<int64_t> started_at;
  std::optional<int64_t> finished_at;
  std::optional<int64_t> exit_status;
  std::string exit_reason;      // why the status is not known; empty where it is
  bool remove_on_exit = false;  // --rm
  // As they are written to uid_map and gid_map (idmap::IdMap::text), decided when the container is made.
  // Empty: the host's IDs.
  std::string uid_map;
  std::string gid_map;
  std::string project;  // empty: none
  // The kernel has killed a process of its last run for want of memory.
  bool oom_killed = false;
  // Since a person has started it: how often its policy has, and how long that was waited for the last time,
  // in milliseconds; whether a person has stopped it.
  int64_t restart_count = 0;
  int64_t restart_delay = 0;
  bool stopped_by_user = false;
};

inline constexpr const char* kCreated = "created";
inline constexpr const char* kRunning = "running";
// It has ended, and its policy is going to start it again.
inline constexpr const char* kRestarting = "restarting";
inline constexpr const char* kExited = "exited";
inline constexpr const char* kRemoving = "removing";

// It has run, and does not.
inline bool has_ended(const ContainerRecord& record) {
  return record.state == kExited || record.state == kRestarting;
}

// Within the caller's transaction. Code::conflict if the name is taken, with the id of who has it.
Result<> insert_container(Database& db, const ContainerRecord& record);

// By name, id or the beginning of an id. Code::not_found (with a hint when a name is near), Code::conflict
// when the beginning is that of several.
Result<ContainerRecord> find_container(Database& db, std::string_view word);

// The newest first. `state` empty: all.
Result<std::vector<ContainerRecord>> list_containers(Database& db, std::string_view state = {});

// The IDs of those that have not ended, or are to be started again: all but kExited.
Result<std::vector<std::string>> list_unfinished_containers(Database& db);

// The IDs of all, sorted.
Result<std::vector<std::string>> list_container_ids(Database& db);

Result<> set_container_started(Database& db, std::string_view id, int64_t started_at);
// The same by the process that has started it, which others may have overtaken: not if its end, or its next
// start, is on record by now.
Result<> confirm_container_started(Database& db, std::string_view id, int64_t started_at);
Result<> set_container_exited(Database& db, std::string_view id, std::optional<int64_t> status,
                              int64_t finished_at, std::string_view reason);
// Until its next start.
Result<> set_container_oom_killed(Database& db, std::string_view id);
// What was asked for, changed.
Result<> set_container_spec(Database& db, std::string_view id, std::string_view spec);
// After set_container_exited(): its policy wants it to run again.
Result<> set_container_restarting(Database& db, std::string_view id, int64_t count, int64_t delay);
// A person starts it: what its policy has done until now is forgotten.
Result<> forget_container_restarts(Database& db, std::string_view id);
// A person stops it: its policy has no say until it is started again.
Result<> set_container_stopped(Database& db, std::string_view id);
Result<> set_container_removing(Database& db, std::string_view id);
// Forgets a container and which volumes it uses. No error if it is gone already.
Result<> delete_container(Database& db, std::string_view id);

}  // namespace berth::store
