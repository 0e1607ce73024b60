#include "engine/recover.h"

#include <set>

#include <fcntl.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/container/announce.h"
#include "engine/container/status.h"
#include "engine/recovery/store_copy.h"
#include "engine/remove.h"
#include "engine/volumes/volumes.h"
#include "monitor/protocol.h"
#include "store/staging.h"

namespace berth::engine {

namespace {

Result<> record_end(store::Store& store, const store::ContainerRecord& record) {
  TRY(end_lost_process(store, record.id));
  if (const std::optional<ExitRecord> ended = exit_record(store, record.id)) {
    TRY(store::set_container_exited(store.db(), record.id, ended->status, ended->finished_at, ""));
    announce_death(store, record, ended->status);
  } else {
    constexpr std::string_view kLost = "monitor lost";
    TRY(store::set_container_exited(store.db(), record.id, std::nullopt, now_nanoseconds(), kLost));
    announce_death(store, record, std::nullopt, kLost);
  }
  return sys::remove_tree_at(store.run_root(), container_directory(record.id));
}

Result<> recover_container(store::Store& store, const store::ContainerRecord& listed, Recovered& result) {
  const std::string directory = container_directory(listed.id);
  if (!sys::exists_at(store.root(), directory + "/" + monitor::kLockFile)) {
    // Its remover was killed between the files, of which the lock is the last, and the record.
    ++result.removed;
    return remove_container(store, {listed, {}});
  }
  const Result<LockedContainer> locked = lock_container(store, listed);
  if (!locked) return {};
  const store::ContainerRecord& record = locked->record;
  // Whoever held the lock until now may have recorded the end.
  if (record.state == store::kExited) return {};
  const bool not_begun = record.state == store::kCreated && !was_started(store, record.id);
  if (record.state == store::kRemoving || (record.remove_on_exit && !not_begun)) {
    ++result.removed;
    return remove_container(store, *locked);
  }
  if (not_begun) return {};
  ++result.ended;
  log::info("container {} ended without its end being recorded", record.name);
  return record_end(store, record);
}

// Directories without a record: their maker was killed before the commit.
Result<> remove_orphans(store::Store& store, int base, Recovered& result) {
  const sys::UniqueFd containers = TRY(sys::open_at(base, "containers", O_RDONLY | O_DIRECTORY));
  const std::vector<std::string> names = TRY(sys::list_dir(containers.get()));
  for (const std::string& name : names) {
    constexpr size_t kIdLength = 64;
    if (name.size() != kIdLength) continue;
    store::Statement known = TRY(store.db().prepare("SELECT 1 FROM containers WHERE id = ?"));
    known.bind(1, name);
    if (TRY(known.step())) continue;
    if (sys::exists_at(store.root(), container_directory(name) + "/" + kContainerCopy)) {
      if (base == store.root()) result.unknown.push_back(name);
      continue;
    }
    TRY(sys::remove_tree_at(containers.get(), name));
    ++result.removed;
  }
  return {};
}

}  // namespace

Result<Recovered> recover_recorded(store::Store& store) {
  Recovered result;
  for (const char* state : {store::kCreated, store::kRunning, store::kRemoving}) {
    const std::vector<store::ContainerRecord> records = TRY(store::list_containers(store.db(), state));
    for (const store::ContainerRecord& record : records) TRY(recover_container(store, record, result));
  }
  return result;
}

Result<Recovered> recover(store::Store& store) {
  Recovered result = TRY(recover_recorded(store));
  TRY(store::clean_staging(store));
  // Nobody may be between making a directory and recording it.
  if (const Result<sys::FileLock> quiet = sys::FileLock::try_exclusive(store.root(), kCreatingLock)) {
    TRY(remove_orphans(store, store.root(), result));
    TRY(remove_orphans(store, store.run_root(), result));
    TRY(remove_empty_volumes(store));
  }
  return result;
}

}  // namespace berth::engine
