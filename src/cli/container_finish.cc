#include <fcntl.h>

#include "cli/containers.h"
#include "cli/flags.h"
#include "engine/container/unfinished.h"
#include "engine/finish.h"
#include "engine/restart.h"
#include "monitor/finish.h"

namespace berth::cli {

namespace {

// The monitor hands its lock over; else nobody may have it.
Result<engine::LockedContainer> take_over(store::Store& store, const store::ContainerRecord& record,
                                          sys::UniqueFd inherited) {
  Result<engine::LockedContainer> taken = engine::take_container(store, record, std::move(inherited));
  return taken ? std::move(taken) : engine::lock_container(store, record);
}

Result<> finish_and_restart(store::Store& store, const std::string& id, sys::UniqueFd inherited) {
  const Result<store::ContainerRecord> record = store::find_container(store.db(), id);
  if (!record && record.error().code == Code::not_found) return {};
  if (!record) return std::unexpected(record.error());
  engine::LockedContainer container = TRY(take_over(store, *record, std::move(inherited)));
  if (TRY(engine::finish(store, container)) != engine::Finished::restarting) return {};
  container.record = TRY(store::find_container(store.db(), record->id));
  const Result<> restarted = engine::restart_by_policy(store, std::move(container));
  if (!restarted) engine::note_unfinished(store, *record, restarted.error());
  return restarted;
}

}  // namespace

Result<int> finish_container(const Invocation& invocation) {
  std::string id;
  Flags line(invocation, "ID", "What berth-monitor executes when its container has ended.",
             "  berth container finish ID\n");
  line.word("id", id, Need::required);
  if (!TRY(line.parse())) return 0;
  sys::UniqueFd inherited;
  if (::fcntl(monitor::kInheritedLock, F_GETFD) >= 0) inherited.reset(monitor::kInheritedLock);
  Result<store::Store> store = open_store(invocation);
  // Nobody reads what is said here.
  if (!store) {
    engine::note_unfinished(invocation.globals.locations.run_root, id, store.error());
    return std::unexpected(store.error());
  }
  TRY(finish_and_restart(*store, id, std::move(inherited)));
  return 0;
}

}  // namespace berth::cli
