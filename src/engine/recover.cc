#include "engine/recover.h"

#include <cerrno>
#include <set>

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

Result<> recover_container(store::Store& store, const store::ContainerRecord& listed, Recovered& result) {
  const std::string directory = container_directory(listed.id);
  if (!sys::exists_at(store.root(), directory + "/" + monitor::kLockFile)) {
    // Its remover was killed between the files, of which the lock is the last, and the record.
    ++result.removed;
    return remove_container(store, {listed, {}});
  }
  const Result<LockedContainer> locked = lock_container(store, listed);
  if (!locked) return {};
  // Whoever held the lock until now may have recorded the end.
  if (locked->record.state == store::kExited) return {};
  const Result<Finished> done = finish(store, *locked);
  if (!done) {
    // It is the others' no business. The reason has been left with it.
    log::warn("container {}: its end is not on record: {}", listed.name, done.error().message);
    ++result.unfinished;
    return {};
  }
  const Finished finished = *done;
  if (finished == Finished::removed) ++result.removed;
  if (finished == Finished::recorded) ++result.ended;
  if (finished == Finished::restarting) result.restarting.push_back(listed.id);
  return {};
}

// Directories without a record: their maker was killed before the commit.
Result<> remove_orphans(store::Store& store, int base, Recovered& result) {
  const sys::UniqueFd containers = TRY(sys::open_at(base, "containers", O_RDONLY | O_DIRECTORY));
  const std::vector<std::string> names = TRY(sys::list_dir(containers.get()));
  store::Statement known = TRY(store.db().prepare("SELECT 1 FROM containers WHERE id = ?"));
  for (const std::string& name : names) {
    constexpr size_t kIdLength = 64;
    if (name.size() != kIdLength) continue;
    known.reset();
    known.bind(1, name);
    if (TRY(known.step())) continue;
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
  for (const char* state : {store::kCreated, store::kRunning, store::kRestarting, store::kRemoving}) {
    const std::vector<store::ContainerRecord> records = TRY(store::list_containers(store.db(), state));
    for (const store::ContainerRecord& record : records) TRY(recover_container(store, record, result));
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
  TRY(remove_unused_cgroups());
  // Nobody may be between making a directory and recording it.
  if (const Result<sys::FileLock> quiet = sys::FileLock::try_exclusive(store.root(), kCreatingLock)) {
    TRY(remove_orphans(store, store.root(), result));
    TRY(remove_orphans(store, store.run_root(), result));
    TRY(remove_empty_volumes(store));
  }
  // What the command is about can be done without.
  if (const Result<> repaired = repair_networks(store); !repaired)
    log::warn("the rules of containers' networks are not as they should be: {}", repaired.error().message);
  return result;
}

}  // namespace berth::engine
