#include "engine/recover.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/container/container_cgroup.h"
#include "engine/container/status.h"
#include "engine/container/stillness.h"
#include "engine/finish.h"
#include "engine/network/connect.h"
#include "engine/network/start_networks.h"
#include "engine/recovery/store_copy.h"
#include "engine/remove.h"
#include "engine/restart.h"
#include "engine/volumes/volumes.h"
#include "monitor/protocol.h"
#include "store/staging.h"

namespace berth::engine {

namespace {

// What is locked is left to whoever has it: true.
Result<bool> recover_container(store::Store& store, const std::string& id, Recovered& result) {
  // Its monitor holds the lock for as long as it lives.
  if (const std::optional<LiveStatus> live = live_status(store, id)) {
    result.live.emplace(id, *live);
    return true;
  }
  Result<sys::FileLock> lock =
      sys::FileLock::try_existing(store.root(), container_directory(id) + "/" + monitor::kLockFile);
  if (!lock && lock.error().code == Code::conflict) return true;
  const bool lost = !lock && lock.error().err == ENOENT;
  if (!lock && !lost) return std::unexpected(lock.error());
  const Result<store::ContainerRecord> record = store::find_container(store.db(), id);
  if (!record && record.error().code == Code::not_found) return false;
  if (!record) return std::unexpected(record.error());
  if (lost) {
    // Its remover was killed between the files, of which the lock is the last, and the record.
    ++result.removed;
    TRY(remove_container(store, {*record, {}}));
    return false;
  }
  const LockedContainer locked{*record, std::move(*lock)};
  // Whoever held the lock until now may have recorded the end.
  if (record->state == store::kExited) return false;
  const Result<Finished> done = finish(store, locked);
  if (!done) {
    // It is the others' no business. The reason has been left with it.
    log::warn("container {}: its end is not on record: {}", record->name, done.error().message);
    ++result.unfinished;
    return false;
  }
  const Finished finished = *done;
  if (finished == Finished::removed) ++result.removed;
  if (finished == Finished::recorded) ++result.ended;
  if (finished == Finished::restarting) result.restarting.push_back(id);
  return false;
}

// Directories without a record: their maker was killed before the commit. `known`, sorted: the containers
// that have one.
Result<> remove_orphans(store::Store& store, int base, const std::vector<std::string>& known,
                        Recovered& result) {
  const sys::UniqueFd containers = TRY(sys::open_at(base, "containers", O_RDONLY | O_DIRECTORY));
  for (const std::string& name : TRY(sys::list_dir(containers.get()))) {
    constexpr size_t kIdLength = 64;
    if (name.size() != kIdLength || std::ranges::binary_search(known, name)) continue;
    if (sys::exists_at(store.root(), container_directory(name) + "/" + kContainerCopy)) {
      if (base == store.root()) result.unknown.push_back(name);
      continue;
    }
    if (base == store.run_root()) TRY(disconnect_networks(store, name));
    TRY(sys::remove_tree_at(containers.get(), name));
    ++result.removed;
  }
  return {};
}

}  // namespace

Result<Recovered> recover_recorded(store::Store& store) {
  Recovered result;
  TRY(thaw_abandoned(store));
  for (const std::string& id : TRY(store::list_unfinished_containers(store.db()))) {
    if (TRY(recover_container(store, id, result))) result.held.insert(id);
  }
  TRY(recover_leases(store));
  // Now that their locks are free.
  for (const std::string& id : result.restarting) TRY(resume_restart(store, id));
  return result;
}

Result<> recover_now_and_then(store::Store& store) {
  constexpr int64_t kEvery = 60'000'000'000;
  // Below the run root, so after a boot the first one looks.
  constexpr const char* kMark = "recovered";
  if (const auto last = sys::stat_at(store.run_root(), kMark, AT_SYMLINK_NOFOLLOW)) {
    const int64_t passed = now_nanoseconds() - (last->st_mtim.tv_sec * 1'000'000'000 + last->st_mtim.tv_nsec);
    // Where the clock has been set back nothing is known.
    if (passed >= 0 && passed < kEvery) return {};
  }
  const sys::UniqueFd mark =
      TRY(sys::open_at(store.run_root(), kMark, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
  if (::futimens(mark.get(), nullptr) != 0) return fail_errno(errno, "touch {}", kMark);
  TRY(recover_recorded(store));
  return {};
}

Result<Recovered> recover(store::Store& store) {
  Recovered result = TRY(recover_recorded(store));
  TRY(store::clean_staging(store));
  TRY(remove_unused_cgroups(result.held));
  // Nobody may be between making a directory and recording it.
  if (const Result<sys::FileLock> quiet = sys::FileLock::try_exclusive(store.root(), kCreatingLock)) {
    const std::vector<std::string> known = TRY(store::list_container_ids(store.db()));
    TRY(remove_orphans(store, store.root(), known, result));
    TRY(remove_orphans(store, store.run_root(), known, result));
    TRY(remove_empty_volumes(store));
  }
  // What the command is about can be done without.
  if (const Result<> repaired = repair_networks(store); !repaired)
    log::warn("the rules of containers' networks are not as they should be: {}", repaired.error().message);
  return result;
}

}  // namespace berth::engine
