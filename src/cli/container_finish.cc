#include <fcntl.h>

#include "cli/containers.h"
#include "cli/flags.h"
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

}  // namespace

Result<int> finish_container(const Invocation& invocation) {
  std::string id;
  Flags line(invocation, "ID", "What berth-monitor executes when its container has ended.",
             "  berth container finish ID\n");
  line.word("id", id, Need::required);
  if (!TRY(line.parse())) return 0;
  sys::UniqueFd inherited;
  if (::fcntl(monitor::kInheritedLock, F_GETFD) >= 0) inherited.reset(monitor::kInheritedLock);
  store::Store store = TRY(open_store(invocation));
  const Result<store::ContainerRecord> record = store::find_container(store.db(), id);
  if (!record && record.error().code == Code::not_found) return 0;
  if (!record) return std::unexpected(record.error());
  engine::LockedContainer container = TRY(take_over(store, *record, std::move(inherited)));
  if (TRY(engine::finish(store, container)) == engine::Finished::restarting) {
    container.record = TRY(store::find_container(store.db(), record->id));
    TRY(engine::restart_by_policy(store, std::move(container)));
  }
  return 0;
}

}  // namespace berth::cli
